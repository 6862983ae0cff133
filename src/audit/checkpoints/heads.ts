import { sql, type Sql } from '../../database/database.js';
import type { Checkpoint } from './line.js';
import { hashedTime } from '../columns.js';
import { mostEndings, type Coverage } from './coverage.js';
import { endingOf, type KeptEnding } from '../ending.js';

/**
 * The lines of heads, with what ended in their chains since what is written down. No more at once than fits: the chain
 * at which that was full has a line of how far it came, and is the first of the rest.
 * @param heads in the order of their accounts
 */
export async function linesOf(
  db: Sql,
  coverage: Coverage,
  heads: readonly ChainHead[],
): Promise<{ lines: Checkpoint[]; rest: readonly ChainHead[] }> {
  const some = heads.slice(0, chainsAtOnce);
  const fromOf = ({ account, toldFrom }: ChainHead) => String(coverage.writtenAfter(account, toldFrom));
  const found = await db.rows<FoundEnding>(endedSince, {
    accounts: some.map(({ account }) => account),
    froms: some.map(fromOf),
    numbers: some.map(({ number }) => number),
    most: mostEndings,
  });
  const last = found.length < mostEndings ? undefined : found.at(-1);
  const full = some.findIndex(({ account }) => account === last?.account);
  const whole = last ? some.slice(0, full) : some;
  const lines = whole.map(({ toldFrom, ...head }) => ({
    ...head,
    from: fromOf({ ...head, toldFrom }),
    ended: endingsIn(found, head.account),
  }));
  if (last) {
    const { account, number, hash, at, epoch } = last;
    const from = some[full] ? fromOf(some[full]) : '0';
    lines.push({ account, number, hash, at, epoch, from, ended: endingsIn(found, account) });
  }
  return { lines, rest: heads.slice(whole.length) };
}

const chainsAtOnce = 500;

/** Where a chain stands, and from which of its events on the audit says what ended. */
export interface ChainHead extends Checkpoint {
  readonly epoch: string;
  readonly toldFrom: string;
}

/** An event by which something ended. */
interface FoundEnding extends Omit<Checkpoint, 'ended'>, Pick<KeptEnding, 'type' | 'id'> {
  readonly epoch: string;
  readonly ended: string;
}

const endingsIn = (found: readonly FoundEnding[], chain: string): KeptEnding[] =>
  found.flatMap(({ account, number, at, type, id, ended }) =>
    account === chain ? [{ number, at, type, id, ...endingOf(ended) }] : [],
  );

const endedSince = sql(`
  SELECT e.account_id AS account, e.number::text AS number, encode(e.hash, 'hex') AS hash, ${hashedTime('e.at')} AS at,
    e.epoch, e.target_type AS type, e.target_id AS id, e.ended
  FROM unnest(CAST(:accounts AS uuid[]), CAST(:froms AS bigint[]), CAST(:numbers AS bigint[])) AS chain (account, start, number)
  JOIN audit_events e ON e.account_id = chain.account AND e.number > chain.start AND e.number <= chain.number
  WHERE e.ended IS NOT NULL ORDER BY e.account_id, e.number LIMIT CAST(:most AS integer)`);
const heads = (which: string) => `
  SELECT account_id AS account, number::text AS number, encode(hash, 'hex') AS hash, clock_timestamp()::text AS at, epoch,
    told_from::text AS "toldFrom"
  FROM audit_heads WHERE number > 0 AND ${which} ORDER BY account_id`;
export const readHeads = sql(heads('true'));
export const readHeadsOf = sql(heads('account_id = ANY(CAST(:accounts AS uuid[]))'));
