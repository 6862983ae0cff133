import type { Database, Parameters, ReadRow, Sql, Statement } from './database.js';

/** A statement with what it is given. */
export interface Part {
  readonly statement: Statement;
  readonly parameters: Parameters;
}

/**
 * A condition that is true, and that has a statement wait for those that write before it in `together`: what a unique
 * index refuses side by side, as two rows that take turns, is then one after the other.
 */
export const afterEarlier = '(/* after */ true)';

/**
 * The rows of several statements that only read, by one. Values are as JSON has them: instants are text of ISO 8601, whole
 * numbers are numbers, bytes are text of hexadecimal digits after `\x`.
 */
export async function joined(db: Database, parts: readonly Part[]): Promise<(readonly ReadRow[])[]> {
  const ordered = [...parts].sort((one, other) => db.numberOf(one.statement) - db.numberOf(other.statement));
  const found = await together(db, db, ordered);
  const rows = new Map(ordered.map((part, index) => [part, found[index] ?? []]));
  return parts.map((part) => rows.get(part) ?? []);
}

/**
 * The same for statements that may lock and write too: those that only read and lock in their order, and what writes as
 * `afterEarlier` says. None of them sees what another of them does, so that no two may write one row. Of one that writes,
 * the rows are those of its RETURNING.
 * @param on the transaction that they are done in
 */
export async function together(
  db: Database,
  on: Sql,
  parts: readonly Part[],
): Promise<(readonly ReadRow[])[]> {
  const given: Record<string, unknown> = {};
  parts.forEach(({ statement: { names }, parameters }, index) => {
    for (const name of names) given[`${name}_${index}`] = parameters[name];
  });
  const statement = join(
    db,
    parts.map((part) => part.statement),
  );
  const [answer] = await on.rows<Record<string, ReadRow[]>>(statement, given);
  return parts.map((_, index) => answer?.[`part_${index}`] ?? []);
}

function join(db: Database, statements: readonly Statement[]): Statement {
  const key = `joined ${statements.map((statement) => db.numberOf(statement)).join()}`;
  return db.statement(key, () => {
    const texts = statements.map(({ text, names }, index) =>
      text.replace(/\$(\d+)/g, (_, number) => `:${names[Number(number) - 1]}_${index}`),
    );
    const writing: string[] = [];
    const brought: string[] = [];
    let before = '';
    texts.forEach((text, index) => {
      const part = `part_${index}`;
      const rows = (from: string) => `(SELECT coalesce(json_agg(part), '[]') FROM ${from} part) AS ${part}`;
      if (!writes.test(text)) return void brought.push(rows(`(${text})`));
      // What writes has a place only at the top.
      const ordered = before ? text.replace(afterEarlier, `(SELECT count(*) FROM ${before}) >= 0`) : text;
      const returns = /\bRETURNING\b/.test(text);
      writing.push(`${part} AS (${ordered}${returns ? '' : ' RETURNING 1 AS one'})`);
      if (returns) brought.push(rows(part));
      before = part;
    });
    return `${writing.length > 0 ? `WITH ${writing.join(', ')} ` : ''}SELECT ${brought.join(', ') || '1 AS one'}`;
  });
}

const writes = /^\s*(INSERT|UPDATE|DELETE)\b/;
