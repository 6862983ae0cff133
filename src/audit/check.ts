import { sql, type Sql } from '../database/database.js';
import type { Keyring } from '../keyring/keyring.js';
import type { AuditEvent } from './audit-event.js';
import { origin } from './chain.js';
import { belowFloor, floorOf, ofHeads, ofLines, unlikeTheirRows, type Break } from './checkpoints/breaks.js';
import { isSigned, type Checkpoint } from './checkpoints/line.js';
import type { ReadLines } from './checkpoints/place.js';
import { canonicalEvent, hashedColumns } from './columns.js';

export interface Report {
  chains: number;
  events: number;
  breaks: Break[];
  /** Lines among the checkpoints that these keys did not sign. */
  unsigned: number;
}

const batch = 1_000;

/**
 * Reads every chain from its beginning: each row must follow from the one before it, by a key of its epoch, and no
 * epoch may come after a later one; the chain must reach its head; and each line of the checkpoints must be what its row
 * is, whatever came after it. What no line covers may be of no earlier epoch than lines name. What is added meanwhile is
 * not read.
 * @param lines the checkpoints, part by part
 */
export async function checkAudit(
  db: Sql,
  keyring: Keyring,
  lines: AsyncIterable<ReadLines['lines']>,
): Promise<Report> {
  const { highest, wrong, unsigned } = await checkLines(db, keyring, lines);
  // Of after the lines: what they tell was committed by then.
  const ends = new Map((await db.rows<End>(allEnds)).map((end) => [end.account, end]));
  const floor = floorOf(keyring, highest.values());
  const report: Report = { chains: 0, events: 0, breaks: [], unsigned };
  for (const account of new Set([...ends.keys(), ...highest.keys()])) {
    report.chains++;
    const covered = BigInt(highest.get(account)?.number ?? 0);
    const chain = { account, end: ends.get(account), covered, floor };
    const { events, broken } = await checkChain(db, keyring, chain);
    report.events += events;
    const first = earlier(broken, wrong.get(account));
    if (first) report.breaks.push({ account, ...first });
  }
  return report;
}

/** Where a chain ended at one moment. */
interface End {
  account: string;
  /** The number of its last row; 0 where there is none. */
  last: string;
  /** What its head says of that; null where it has no head. */
  number: string | null;
  hash: Buffer | null;
}

type Broken = Omit<Break, 'account'>;

/** Holds each line to its row, so many at once. */
async function checkLines(db: Sql, keyring: Keyring, all: AsyncIterable<ReadLines['lines']>) {
  const highest = new Map<string, Checkpoint>();
  const wrong = new Map<string, Broken>();
  let unsigned = 0;
  for await (const lines of all) {
    const signed = lines.flatMap((line) => (line && isSigned(keyring, line) ? [line.checkpoint] : []));
    unsigned += lines.length - signed.length;
    for (const line of signed)
      if (BigInt(line.number) >= BigInt(highest.get(line.account)?.number ?? 0))
        highest.set(line.account, line);
    for (const { account, ...broken } of await unlikeTheirRows(db, signed))
      wrong.set(account, earlier(wrong.get(account), broken) ?? broken);
  }
  return { highest, wrong, unsigned };
}

/** What is told of two breaks in a chain: the first one; of one event, the first reason. */
const earlier = (one: Broken | undefined, other: Broken | undefined): Broken | undefined =>
  one && other && BigInt(other.number) < BigInt(one.number) ? other : (one ?? other);

interface Chain {
  account: string;
  end: End | undefined;
  /** The number up to which checkpoints cover it, and the earliest epoch, by its place, that may follow. */
  covered: bigint;
  floor: number;
}

async function checkChain(
  db: Sql,
  keyring: Keyring,
  { account, end, covered, floor }: Chain,
): Promise<{ events: number; broken: Broken | undefined }> {
  const epochs = keyring.auditEpochs();
  let number = 0n;
  let previous: Buffer = origin;
  let epoch = 0;
  const last = end?.last ?? '0';
  for (;;) {
    const events = await db.rows<AuditEvent>(chainFrom, { account, after: String(number), last, batch });
    for (const event of events) {
      const at = BigInt(event.number);
      const broken = (reason: string) => ({ events: Number(number), broken: { number: String(at), reason } });
      if (at !== number + 1n)
        return { events: Number(number), broken: { number: String(number + 1n), reason: 'is missing' } };
      const its = epochs.indexOf(event.epoch);
      if (its < 0) return broken('names an epoch that these keys do not know');
      if (its < epoch) return broken('goes back to an earlier epoch');
      if (its < floor && at > covered) return broken(belowFloor);
      const hash = keyring.auditLink(event.epoch, previous, canonicalEvent(event), at);
      if (!hash.equals(event.hash)) return broken('does not follow from the row before it');
      [number, previous, epoch] = [at, hash, its];
    }
    if (events.length < batch) break;
  }
  const next = String(number + 1n);
  const cut = (reason: string) => ({ events: Number(number), broken: { number: next, reason } });
  if (covered > number) return cut(ofLines.missing);
  if (!end?.number)
    return number > 0n
      ? cut('cannot be told: the head of the chain is missing')
      : { events: 0, broken: undefined };
  if (BigInt(end.number) !== number) return cut(ofHeads.missing);
  if (number > 0n && !(end.hash && previous.equals(end.hash))) return cut(ofHeads.another);
  return { events: Number(number), broken: undefined };
}

// One statement, which sees heads and rows as they were at one moment: others add to the chains meanwhile.
const allEnds = sql(`
  SELECT chain.account_id AS account, coalesce(last.number, 0)::text AS last, h.number::text AS number, h.hash
  FROM (SELECT account_id FROM audit_heads UNION SELECT account_id FROM audit_events) chain
  LEFT JOIN audit_heads h USING (account_id)
  LEFT JOIN LATERAL (
    SELECT e.number FROM audit_events e WHERE e.account_id = chain.account_id ORDER BY e.number DESC LIMIT 1) last ON true
  ORDER BY chain.account_id`);
// By `e.number`: a plain `number` would be the text above, by which 10 comes before 2.
const chainFrom = sql(`
  SELECT ${hashedColumns}
  FROM audit_events e
  WHERE account_id = :account AND e.number > CAST(:after AS bigint) AND e.number <= CAST(:last AS bigint)
  ORDER BY e.number LIMIT CAST(:batch AS integer)`);
