import type { Decision } from '../access/context.js';
import { uuidsGiven } from '../database/among.js';
import { sql, type ReadRow, type Tx } from '../database/database.js';
import type { Part } from '../database/joined.js';
import { newId } from '../ids.js';
import type { Keyring, Link } from '../keyring/keyring.js';
import type { AuditEvent } from './audit-event.js';
import { canonicalEvent, columnNames, givenColumns, givenTypes, hashedTime } from './columns.js';

/** What an event tells; its place in the chain and its time are given to it by `linkAll`. */
export type Told = Decision & Pick<AuditEvent, 'changed' | 'times' | 'ended'>;

/** The chain's first link hangs on this. */
export const origin = Buffer.alloc(32);

/**
 * Adds events to the chains of their accounts, in this order, by two statements however many there are, and one more where
 * a chain begins. The heads are locked in the order of the accounts' ids, so that two such transactions do not wait for
 * each other, unless another chain begins between; and to the transaction's end, so this comes last in it.
 * @throws UNAVAILABLE where nothing may be added, because the log is not what its checkpoints say.
 */
export async function linkAll(tx: Tx, keyring: Keyring, told: readonly Told[]): Promise<void> {
  const accounts = accountsOf(told);
  const locked = await tx.rows<Locked>(lockHeads, { accounts });
  const events = await linked(tx, keyring, told, locked);
  await tx.rows(append, { events });
}

/** The accounts whose chains these events go into. */
export const accountsOf = (told: readonly Pick<Told, 'accountId'>[]): string[] => [
  ...new Set(told.map(({ accountId }) => accountId)),
];

/** Locks where the chains of these accounts end, as `linkAll` does. */
export const headsOf = (accounts: readonly string[]): Part => ({
  statement: lockHeads,
  parameters: { accounts },
});

/** Adds events where `headsOf` has locked the heads of their chains. @throws as `linkAll` does */
export async function linksTo(
  tx: Tx,
  keyring: Keyring,
  told: readonly Told[],
  locked: readonly ReadRow[],
): Promise<Part[]> {
  const events = await linked(tx, keyring, told, locked as unknown as Locked[]);
  return [moveHeads, addEvents].map((statement) => ({ statement, parameters: { events } }));
}

/** The events with their places in the chains, as JSON. */
async function linked(
  tx: Tx,
  keyring: Keyring,
  told: readonly Told[],
  locked: readonly Locked[],
): Promise<string> {
  const epoch = keyring.currentAuditEpoch();
  const begun = accountsOf(told).filter((id) => !locked.some(({ account }) => account === id));
  // The first event of an account has nothing to hang on yet.
  const first = begun.length > 0 ? await tx.rows<Locked>(beginHeads, { accounts: begun, epoch, origin }) : [];
  const heads = new Map<string, Head>(
    [...locked, ...first].map(({ account, number, hash, at }) => [
      account,
      { number: BigInt(number), hash: Buffer.from(hash, 'hex'), at },
    ]),
  );
  // They have one time: what is read in the order of time and id is in the order in which it was told.
  const ids = told.map(newId).sort();
  const events = told.map((one, index) => {
    const head = heads.get(one.accountId);
    if (!head) throw new Error('the audit chain has no head');
    head.number++;
    const event = { ...one, id: ids[index], epoch, at: head.at, number: String(head.number) };
    head.hash = keyring.auditLink(epoch, head.hash, canonicalEvent(event), head.number);
    return { ...event, hash: head.hash.toString('hex') };
  });
  tx.afterCommit(() => keyring.linked(events.map(linkOf)));
  return JSON.stringify(events.map((event) => ({ ...event, hash: `\\x${event.hash}` })));
}

const linkOf = (event: Told & Pick<Link, 'number' | 'hash' | 'at' | 'epoch'>): Link => {
  const { accountId: account, number, hash, at, epoch, targetType: type, targetId: id, ended } = event;
  const isTold = ended !== null && type !== null && id !== null;
  return { account, number, hash, at, epoch, ended: isTold ? { type, id, text: ended } : null };
};

/** Where a chain ends, and when its lock was had. */
interface Head {
  number: bigint;
  hash: Buffer;
  at: string;
}

/** The hash in hexadecimal digits. */
interface Locked {
  account: string;
  number: string;
  hash: string;
  at: string;
}

const head = (h: string) =>
  `${h}.account_id AS account, ${h}.number::text AS number, encode(${h}.hash, 'hex') AS hash`;
const lockedAt = `${hashedTime('clock_timestamp()')} AS at`;

// The time is told outside, where all locks are had.
const lockHeads = {
  ...sql(`
  SELECT locked.*, ${lockedAt} FROM (
    SELECT ${head('h')} FROM audit_heads h WHERE h.account_id = ANY(${uuidsGiven('accounts')})
    ORDER BY h.account_id FOR UPDATE) locked`),
  name: 'audit-lock',
};

const beginHeads = {
  ...sql(`
  INSERT INTO audit_heads AS h (account_id, number, epoch, hash)
  SELECT account.id, 0, :epoch, :origin FROM unnest(CAST(:accounts AS uuid[])) AS account (id) ORDER BY account.id
  ON CONFLICT (account_id) DO UPDATE SET epoch = h.epoch
  RETURNING ${head('h')}, ${lockedAt}`),
  name: 'audit-begin',
};

// One text for all events, because arrays of each column have no place for arrays of names in them.
const told = `json_to_recordset(CAST(:events AS json)) AS told (${givenTypes})`;
// Named twice, as PostgreSQL takes what was told for a hundred events, and would read all heads for them.
const moving = `
  UPDATE audit_heads h SET number = last.number, epoch = last.epoch, hash = last.hash
  FROM (SELECT DISTINCT ON ("accountId") * FROM ${told} ORDER BY "accountId", number DESC) last
  WHERE h.account_id = last."accountId" AND h.account_id = ANY(ARRAY(SELECT "accountId" FROM ${told}))`;
const adding = `INSERT INTO audit_events (${columnNames}) SELECT ${givenColumns} FROM ${told}`;
const moveHeads = sql(moving);
const addEvents = sql(adding);
const append = { ...sql(`WITH heads AS (${moving}) ${adding}`), name: 'audit-append' };
