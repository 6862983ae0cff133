import type { Decision } from '../context.js';
import { sql, type Tx } from '../database/database.js';
import { newId } from '../ids.js';
import type { Keyring } from '../keyring/keyring.js';
import type { AuditEvent } from './audit-event.js';
import { canonicalEvent, columnNames, givenColumns, givenTypes, hashedTime } from './columns.js';

/** What an event tells; its place in the chain and its time are given to it by `linkAll`. */
export type Told = Decision & Pick<AuditEvent, 'changed' | 'times'>;

/** The chain's first link hangs on this. */
export const origin = Buffer.alloc(32);

/**
 * Adds events to the chains of their accounts, in this order, by two statements however many there are. The heads are
 * locked in the order of the accounts' ids, so that two such transactions never wait for each other; and to the
 * transaction's end, so this comes last in it.
 * @throws UNAVAILABLE where nothing may be added, because the log is not what its checkpoints say.
 */
export async function linkAll(tx: Tx, keyring: Keyring, told: readonly Told[]): Promise<void> {
  const epoch = keyring.currentAuditEpoch();
  const accounts = [...new Set(told.map(({ accountId }) => accountId))];
  const locked = await tx.rows<Locked>(lockHeads, { accounts, epoch, origin });
  const heads = new Map<string, Head>(
    locked.map(({ account, number, ...head }) => [account, { ...head, number: BigInt(number) }]),
  );
  // They have one time: what is read in the order of time and id is in the order in which it was told.
  const ids = told.map(newId).sort();
  const events = told.map((one, index) => {
    const head = heads.get(one.accountId);
    if (!head) throw new Error('the audit chain has no head');
    head.number++;
    const event = { ...one, id: ids[index], epoch, at: head.at, number: String(head.number) };
    head.hash = keyring.auditLink(epoch, Buffer.from(head.hash), canonicalEvent(event), head.number);
    return { ...event, hash: `\\x${head.hash.toString('hex')}` };
  });
  await tx.rows(append, { events: JSON.stringify(events) });
}

/** Where a chain ends, and when its lock was had. */
interface Head {
  number: bigint;
  hash: Buffer;
  at: string;
}

type Locked = Omit<Head, 'number'> & { account: string; number: string };

const lockHeads = {
  ...sql(`
  INSERT INTO audit_heads AS h (account_id, number, epoch, hash)
  SELECT account.id, 0, :epoch, :origin FROM unnest(CAST(:accounts AS uuid[])) AS account (id) ORDER BY account.id
  ON CONFLICT (account_id) DO UPDATE SET epoch = h.epoch
  RETURNING h.account_id AS account, h.number::text AS number, h.hash, ${hashedTime('clock_timestamp()')} AS at`),
  name: 'audit-lock',
};

// One text for all events, because arrays of each column have no place for arrays of names in them.
const append = {
  ...sql(`
  WITH told AS MATERIALIZED (
    SELECT * FROM json_to_recordset(CAST(:events AS json)) AS event (${givenTypes})
  ), heads AS (
    UPDATE audit_heads h SET number = last.number, epoch = last.epoch, hash = last.hash
    FROM (SELECT DISTINCT ON ("accountId") * FROM told ORDER BY "accountId", number DESC) last
    WHERE h.account_id = last."accountId"
  )
  INSERT INTO audit_events (${columnNames}) SELECT ${givenColumns}
  FROM told`),
  name: 'audit-append',
};
