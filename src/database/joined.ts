import type { Database, Parameters, ReadRow, Statement } from './database.js';

/** A statement with what it is given. */
interface Part {
  readonly statement: Statement;
  readonly parameters: Parameters;
}

/**
 * The rows of several statements that only read, by one. Values are as JSON has them: instants are text of ISO 8601, whole
 * numbers are numbers.
 */
export async function joined(db: Database, parts: readonly Part[]): Promise<(readonly ReadRow[])[]> {
  const ordered = [...parts].sort((one, other) => db.numberOf(one.statement) - db.numberOf(other.statement));
  const statement = join(
    db,
    ordered.map((part) => part.statement),
  );
  const given: Record<string, unknown> = {};
  ordered.forEach(({ statement: { names }, parameters }, index) => {
    for (const name of names) given[`${name}_${index}`] = parameters[name];
  });
  const [answer] = await db.rows<Record<string, ReadRow[]>>(statement, given);
  const rows = new Map(ordered.map((part, index) => [part, answer?.[`part_${index}`] ?? []]));
  return parts.map((part) => rows.get(part) ?? []);
}

function join(db: Database, statements: readonly Statement[]): Statement {
  const key = `joined ${statements.map((statement) => db.numberOf(statement)).join()}`;
  return db.statement(key, () => {
    const part = ({ text, names }: Statement, index: number) =>
      `(SELECT coalesce(json_agg(part), '[]') FROM (${text.replace(
        /\$(\d+)/g,
        (_, number) => `:${names[Number(number) - 1]}_${index}`,
      )}) part) AS "part_${index}"`;
    return `SELECT ${statements.map(part).join(', ')}`;
  });
}
