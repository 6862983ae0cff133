import DataLoader from 'dataloader';
import { perRequest, type RequestContext } from '../access/context.js';
import { statusAmong, stoppedAccounts, workingStatuses } from '../access/works.js';
import { CredentialStatus } from '../credentials/record/credential.js';
import type { Condition, Parameters, Statement } from '../database/database.js';
import type { Insight } from './insight.js';
import { keyOf, seenBy } from './seen.js';

/** One count of the credentials `c` of an insight. */
export interface CountWanted {
  /** What they are told apart by; one count of all, where left out. */
  readonly by?: 'status' | 'store' | 'kind';
  /** SQL for which of those that work are counted, with `:given` in it; all that there are, where left out. */
  readonly of?: string;
  readonly given?: number;
  /** Whether that SQL speaks of their uses `u`. */
  readonly byUse?: boolean;
}

/** By status, store or kind; under the empty text where they are not told apart. What there is none of is not in it. */
type Counts = ReadonlyMap<string, number>;

/** Counts what an insight asks for: all that is asked for at the same time by one statement. */
export async function counted(ctx: RequestContext, insight: Insight, measure: CountWanted): Promise<Counts> {
  const loaders = loadersOf(ctx);
  const key = keyOf(insight);
  const loader = loaders.get(key) ?? makeLoader(ctx, insight);
  loaders.set(key, loader);
  return loader.load(measure);
}

/** The same where they are not told apart. */
export const total = async (ctx: RequestContext, insight: Insight, measure: CountWanted): Promise<number> =>
  (await counted(ctx, insight, measure)).get('') ?? 0;

const loadersOf = perRequest(() => new Map<string, DataLoader<CountWanted, Counts, string>>());

function makeLoader(ctx: RequestContext, insight: Insight) {
  return new DataLoader<CountWanted, Counts, string>(
    (measures) => countAll(ctx, seenBy(ctx, insight), measures),
    { cacheKeyFn: (measure) => JSON.stringify(measure) },
  );
}

interface Row {
  status?: string;
  store?: string;
  kind?: string;
  counts: number[];
}

async function countAll(
  { db }: RequestContext,
  seen: Condition,
  measures: readonly CountWanted[],
): Promise<Counts[]> {
  const given: Parameters = Object.fromEntries(measures.map((one, index) => [`given${index}`, one.given]));
  const shape = measures.map(({ by, of }) => `${by ?? ''}:${of ?? ''}`).join();
  const statement: Statement = db.statement(
    `counts:${seen.shape}:${shape}`,
    () => scan(seen.sql, measures),
    undefined,
    // Planned for the accounts that do not go on: they are few or many.
    false,
  );
  const rows = await db.rows<Row>(statement, {
    ...seen.parameters,
    ...given,
    stopped: await stoppedAccounts(db),
  });
  return measures.map(({ by }, index) => {
    const counts = new Map<string, number>();
    for (const row of rows) {
      const name = by ? (row[by] ?? '') : '';
      const count = (counts.get(name) ?? 0) + (row.counts[index] ?? 0);
      if (count > 0) counts.set(name, count);
    }
    return counts;
  });
}

/** One scan of the credentials, whatever is counted; with their uses, where a count asks for them. */
function scan(seen: string, measures: readonly CountWanted[]): string {
  const groups = [...new Set(measures.flatMap(({ by }) => by ?? []))];
  const conditions = measures.map((one, index) => ({ ...one, sql: sqlOf(one, index), name: `m${index}` }));
  const here = conditions.filter(({ of, byUse }) => of && !byUse);
  const byUse = conditions.filter((one) => one.byUse);
  const columns = [
    'c.id',
    'c.store_id AS store',
    'c.kind',
    ...(here.length + byUse.length > 0 || groups.includes('status') ? [`${statusAmong} AS status`] : []),
    ...here.map(({ sql, name }) => `${sql} AS ${name}`),
  ];
  const working = `status IN (${workingStatuses.map((name) => `'${name}'`).join()})`;
  const counts = conditions.map(({ of, sql, name, ...one }) =>
    of ? `count(*) FILTER (WHERE ${one.byUse ? sql : name} AND ${working})` : 'count(*)',
  );
  // Where nothing but these is asked for, they are found by their indexes.
  const fewer = here.length === measures.length ? `AND (${either(here)})` : '';
  // OFFSET 0 keeps the status from being computed for each count anew, and PostgreSQL from taking it for one of a million
  // values, for which it would sort. That status is no condition: so few would be expected that each is looked up.
  return `SELECT ${[...groups, `CAST(ARRAY[${counts.join()}] AS integer[]) AS counts`].join()}
    FROM (SELECT ${columns.join()} FROM credentials c WHERE ${seen} AND c.deleted_at IS NULL ${fewer} OFFSET 0) each
    ${byUse.length > 0 ? 'JOIN credential_uses u ON u.credential_id = each.id' : ''}
    ${byUse.length === measures.length ? `WHERE ${either(byUse)}` : ''}
    ${groups.length > 0 ? `GROUP BY ${groups.join()}` : ''}`;
}

const sqlOf = ({ of = 'true' }: CountWanted, index: number) =>
  `(${of.replaceAll(':given', `CAST(:given${index} AS double precision) * interval '1 millisecond'`)})`;

const either = (all: readonly { sql: string }[]) => all.map(({ sql }) => sql).join(' OR ');

/** All values of an enum of the graph, in its order, that have a count. */
export const statusesIn = (counts: Counts) =>
  Object.values(CredentialStatus).flatMap((status) => {
    const count = counts.get(status);
    return count === undefined ? [] : [{ status, count }];
  });
