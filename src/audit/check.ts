import { sql, type Sql } from '../database/database.js';
import type { Keyring } from '../keyring/keyring.js';
import type { AuditEvent } from './audit-event.js';
import { origin } from './chain.js';
import type { Checkpoint, Checkpoints } from './checkpoints.js';
import { canonicalEvent, hashedColumns } from './columns.js';

/** The first row at which a chain is not what it was. */
export interface Break {
  account: string;
  number: string;
  reason: string;
}

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
 * epoch may come after a later one; the chain must reach its head and its last checkpoint.
 */
export async function checkAudit(db: Sql, keyring: Keyring, checkpoints: Checkpoints): Promise<Report> {
  const { last, faults } = checkpoints.read();
  const heads = new Map((await db.rows<Head>(allHeads)).map((head) => [head.account, head]));
  const chains = (await db.rows<{ account: string }>(allChains)).map(({ account }) => account);
  const report: Report = { chains: 0, events: 0, breaks: [], unsigned: faults };
  for (const account of new Set([...chains, ...heads.keys(), ...last.keys()])) {
    report.chains++;
    const { events, broken } = await checkChain(db, keyring, account, heads.get(account), last.get(account));
    report.events += events;
    if (broken) report.breaks.push({ account, ...broken });
  }
  return report;
}

interface Head {
  account: string;
  number: string;
  hash: Buffer;
}

type Broken = Omit<Break, 'account'>;

async function checkChain(
  db: Sql,
  keyring: Keyring,
  account: string,
  head: Head | undefined,
  checkpoint: Checkpoint | undefined,
): Promise<{ events: number; broken: Broken | undefined }> {
  const epochs = keyring.auditEpochs();
  let number = 0n;
  let previous: Buffer = origin;
  let epoch = 0;
  for (;;) {
    const events = await db.rows<AuditEvent>(chainFrom, { account, after: String(number), batch });
    for (const event of events) {
      const at = BigInt(event.number);
      const broken = (reason: string) => ({ events: Number(number), broken: { number: String(at), reason } });
      if (at !== number + 1n)
        return { events: Number(number), broken: { number: String(number + 1n), reason: 'is missing' } };
      const its = epochs.indexOf(event.epoch);
      if (its < 0) return broken('names an epoch that these keys do not know');
      if (its < epoch) return broken('goes back to an earlier epoch');
      const hash = keyring.auditLink(event.epoch, previous, canonicalEvent(event), at);
      if (!hash.equals(event.hash)) return broken('does not follow from the row before it');
      if (checkpoint?.number === String(at) && checkpoint.hash !== hash.toString('hex'))
        return broken('is not what its checkpoint says');
      [number, previous, epoch] = [at, hash, its];
    }
    if (events.length < batch) break;
  }
  const next = String(number + 1n);
  const cut = (reason: string) => ({ events: Number(number), broken: { number: next, reason } });
  if (checkpoint && BigInt(checkpoint.number) > number)
    return cut('is missing, and a checkpoint knows of it');
  if (!head)
    return number > 0n
      ? cut('cannot be told: the head of the chain is missing')
      : { events: 0, broken: undefined };
  if (BigInt(head.number) !== number) return cut('is missing, and the head of the chain knows of it');
  if (number > 0n && !previous.equals(head.hash))
    return cut('cannot be told: the head of the chain is another');
  return { events: Number(number), broken: undefined };
}

const allHeads = sql(
  'SELECT account_id AS account, number::text AS number, hash FROM audit_heads ORDER BY account_id',
);
const allChains = sql('SELECT DISTINCT account_id AS account FROM audit_events ORDER BY account_id');
// By `e.number`: a plain `number` would be the text above, by which 10 comes before 2.
const chainFrom = sql(`
  SELECT ${hashedColumns}
  FROM audit_events e WHERE account_id = :account AND e.number > CAST(:after AS bigint)
  ORDER BY e.number LIMIT CAST(:batch AS integer)`);
