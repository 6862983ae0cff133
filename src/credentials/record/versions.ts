import type { RequestContext } from '../../access/context.js';
import { sql, type Database, type ReadRow, type Tx } from '../../database/database.js';
import { inserting } from '../../database/insert.js';
import { afterEarlier, type Part } from '../../database/joined.js';
import { conflict } from '../../errors.js';
import { CredentialSecret } from './credential-version.js';

// The life of a secret. Nobody else writes this table, but for what its test names. Whoever calls holds the row of the
// credential, where nothing else is said.

/**
 * SQL for the number of the newest secret of a credential `c`, whatever became of it: each rotation makes a higher one.
 */
export const newestOf = '(SELECT max(n.number) FROM credential_versions n WHERE n.credential_id = c.id)';

/** The newest secret that a credential had when it was read. */
export interface Newest {
  id: string;
  newest: number;
}

/**
 * A rotation that was asked for before another one began does not go on: its caller did not know of the other. Where the
 * clock cannot tell which was first, it goes on from what it has read.
 * @throws CONFLICT where the credential has a newer secret than it had when it was read, and where another rotation began
 * after the request came, though it had ended when the credential was read.
 */
export async function expectNewest(ctx: RequestContext, tx: Tx, found: Newest): Promise<void> {
  const { statement, parameters } = newerAsked(ctx, found);
  expectNoNewer(await tx.rows(statement, parameters));
}

/** What `expectNewest` asks, as part of a statement after that which waits for the row. */
export const newerAsked = ({ at, change, db }: RequestContext, { id, newest }: Newest): Part => ({
  statement: newerOrLater,
  // What another verb of the request has done was known to its caller.
  parameters: { id, newest, askedAtMs: (change.earlier ? db.now() : at) + db.nowIsOffMs },
});

/** @throws as `expectNewest` does, by what that brought */
export function expectNoNewer(rows: readonly object[]): void {
  if (rows.length > 0)
    throw conflict('Another rotation of this credential was under way: read it again before you rotate.');
}

/** Whether it is the newest by now. */
export async function isNewest(tx: Tx, { id, newest }: Newest): Promise<boolean> {
  return (await tx.rows(newer, { id, newest })).length === 0;
}

/** The secret that a rotation goes on from, and the number of the next one. */
export interface Turn {
  from: number;
  to: number;
}

/**
 * The secret that a rotation goes on from, which may be one of which nobody knows whether it works, and the number of
 * the next one. One whose first secret was lost has none that is current: a rotation is the only way on.
 */
export async function nextVersion(tx: Tx, id: string): Promise<Turn> {
  const { statement, parameters } = turnAsked(id);
  return turnOf(await tx.rows<ReadRow>(statement, parameters));
}

/** The same as part of a statement after that which waits for the row. */
export const turnAsked = (id: string): Part => ({ statement: numbersOf, parameters: { id } });

/** What that brought. */
export function turnOf([row]: readonly ReadRow[]): Turn {
  if (!row) throw new Error('the credential has no secret to go on from');
  return row as unknown as Turn;
}

/** The secrets of a credential that a rotation changes, locked by part of a statement: jobs write them without its row. */
export const versionsHeld = (id: string): Part => ({ statement: versionsToChange, parameters: { id } });

/** A secret as it is put on record: CURRENT works from the commit on, PENDING is still to come to its store. */
export type Begun = Pick<CredentialSecret, 'credentialId' | 'number' | 'accessKey'> & {
  state: 'PENDING' | 'CURRENT';
} & Partial<
    Pick<CredentialSecret, 'verifier' | 'verifierKeyId' | 'passwordHash' | 'pepperId' | 'sealed' | 'kekId'>
  >;

export async function beginVersion(tx: Tx, begun: Begun): Promise<void> {
  await tx.em.getRepository(CredentialSecret).insert(begun);
}

/** The same as part of a statement. */
export const versionBegun = (db: Database, begun: Begun): Part => inserting(db, CredentialSecret, [begun]);

/**
 * The first secret of each of these credentials, which are just listed by their store: it has it, and Keyway has not.
 */
export async function beginListed(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.rows(listed, { ids });
}

/**
 * Where its store shows another access key by now, the secret that was current is retired, and an unknown one of that
 * key takes its place. What is being changed, and what Keyway reaches the store with, stays as it is.
 */
export async function replaceListed(tx: Tx, ids: readonly string[], keys: readonly string[]): Promise<void> {
  const outdated = await tx.rows<{ id: string }>(retireOutdated, { ids, keys });
  if (outdated.length > 0) await tx.rows(insertReplaced, { ids: outdated.map(({ id }) => id) });
}

/** How the secret that is in use makes way for the next one: parts of one statement, in this order. */
export const currentMakesWay = (id: string, from: number, graceMs: number): Part[] => [
  { statement: othersToRetired, parameters: { id, except: from } },
  // Without grace the old secret is not kept at all.
  graceMs === 0
    ? { statement: currentToRetired, parameters: { id } }
    : { statement: currentToPrevious, parameters: { id, graceMs } },
];

/** Makes a secret current that its store has taken. */
export async function promoteVersion(
  tx: Tx,
  id: string,
  number: number,
  kept: Pick<CredentialSecret, 'accessKey' | 'sealed' | 'kekId'>,
): Promise<void> {
  await tx.em
    .getRepository(CredentialSecret)
    .update({ credentialId: id, number }, { state: 'CURRENT', ...kept });
}

/** Sends the current secret into its grace period, of so many milliseconds. */
export async function demoteCurrent(tx: Tx, id: string, graceMs: number): Promise<void> {
  await tx.rows(currentToPrevious, { id, graceMs });
}

/** Ends the current secret now, and wipes it. */
export async function retireCurrent(tx: Tx, id: string): Promise<void> {
  await tx.rows(currentToRetired, { id });
}

/** Ends what is left of earlier secrets, but of this one, and wipes it. */
export async function retireOthers(tx: Tx, id: string, except: number | null): Promise<void> {
  await tx.rows(othersToRetired, { id, except });
}

/** Ends a previous or unknown secret, and wipes it; nothing where the number is null. */
export async function retireVersion(tx: Tx, id: string, number: number | null): Promise<void> {
  await tx.rows(oneToRetired, { id, number });
}

/** A previous secret whose grace period has ended: the credential's id, its own number, and when that was. */
export interface Outlived {
  id: string;
  number: number;
  until: string;
}

/**
 * Wipes previous secrets of Keyway's own store whose grace period has ended, no more than so many. Waits for no row
 * that another holds.
 */
export const wipeOutlived = (tx: Tx, most: number): Promise<Outlived[]> =>
  tx.rows<Outlived>(outlivedToRetired, { most });

/** A secret that did not come to its store is of no use: it is wiped. */
export async function failVersion(tx: Tx, id: string, number: number | null): Promise<void> {
  await tx.rows(pendingToFailed, { id, number });
}

/** Nobody knows whether the store has it. It is kept: it may be the one that works. */
export async function doubtVersion(tx: Tx, id: string, number: number | null): Promise<void> {
  await tx.rows(pendingToUnknown, { id, number });
}

/**
 * Ends all secrets of these credentials and wipes what could show one. What only tells the last one again stays, so
 * that a client that presents it can be told that it was revoked.
 */
export async function endVersions(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.rows(allToRetired, { ids });
}

/** Wipes also what tells the secrets of these credentials again, and of what was derived from them. */
export async function forgetVersions(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.rows(forget, { ids });
}

/**
 * Ends the secrets of these credentials with a lower number than this one, which is one that Keyway does not have: it is on
 * record as one of which nobody knows whether it works, until a rotation makes another.
 * @returns the ids of those that have no newer secret
 */
export async function loseVersions(
  tx: Tx,
  ids: readonly string[],
  numbers: readonly number[],
): Promise<string[]> {
  await tx.rows(earlierToRetired, { ids, numbers });
  return (await tx.rows<{ id: string }>(insertLost, { ids, numbers })).map(({ id }) => id);
}

// What could show a secret, and what only tells it again.
const showing = ['sealed', 'kek_id'];
const telling = ['verifier', 'verifier_key_id', 'password_hash', 'pepper_id'];
const wiping = (columns: readonly string[]) => columns.map((column) => `${column} = NULL`).join(', ');
const retired = `state = 'RETIRED', valid_until = least(valid_until, now()), ${wiping([...showing, ...telling])}`;

// A statement of its own, after the one that waits for the row: that one sees what there was when its wait began.
const newerThan =
  'SELECT number FROM credential_versions WHERE credential_id = :id AND number > CAST(:newest AS integer)';
const newer = sql(`${newerThan} LIMIT 1`);
const newerOrLater = sql(`
  ${newerThan} UNION ALL
  SELECT from_number FROM rotations
  WHERE credential_id = :id AND started_at > to_timestamp(CAST(:askedAtMs AS double precision) / 1000) LIMIT 1`);
const versionsToChange = sql(`
  SELECT number FROM credential_versions
  WHERE credential_id = :id AND state IN ('CURRENT', 'PREVIOUS', 'UNKNOWN') ORDER BY number FOR NO KEY UPDATE`);
const numbersOf = sql(`
  SELECT number AS "from", (SELECT max(number) + 1 FROM credential_versions WHERE credential_id = :id) AS "to"
  FROM credential_versions WHERE credential_id = :id AND state IN ('CURRENT', 'UNKNOWN')
  ORDER BY state = 'CURRENT' DESC, number DESC LIMIT 1`);

const listed = sql(`
  INSERT INTO credential_versions (credential_id, number, state, access_key, created_at)
  SELECT id, 1, 'CURRENT', access_key, created_at FROM credentials WHERE id = ANY(CAST(:ids AS uuid[]))`);
const retireOutdated = sql(`
  UPDATE credential_versions v SET ${retired}
  FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[])) AS e (id, key)
  WHERE v.credential_id = e.id AND v.state = 'CURRENT' AND v.access_key IS DISTINCT FROM e.key
    AND NOT EXISTS (SELECT 1 FROM intents i WHERE i.credential_id = e.id AND i.state = 'OPEN')
    AND NOT EXISTS (SELECT 1 FROM leftovers l WHERE l.credential_id = e.id AND l.access_key IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM credentials c WHERE c.id = e.id AND c.reaches_store)
  RETURNING e.id`);
const insertReplaced = sql(`
  INSERT INTO credential_versions (credential_id, number, state, access_key)
  SELECT c.id, (SELECT max(v.number) + 1 FROM credential_versions v WHERE v.credential_id = c.id), 'CURRENT', c.access_key
  FROM credentials c WHERE c.id = ANY(CAST(:ids AS uuid[]))`);

const currentToPrevious = sql(`
  UPDATE credential_versions SET state = 'PREVIOUS',
    valid_until = now() + CAST(:graceMs AS double precision) * interval '1 millisecond'
  WHERE credential_id = :id AND state = 'CURRENT' AND ${afterEarlier}`);
const currentToRetired = sql(`
  UPDATE credential_versions SET ${retired} WHERE credential_id = :id AND state = 'CURRENT' AND ${afterEarlier}`);
const othersToRetired = sql(`
  UPDATE credential_versions SET ${retired}
  WHERE credential_id = :id AND number <> CAST(:except AS integer) AND state IN ('PREVIOUS', 'UNKNOWN')`);
const oneToRetired = sql(`
  UPDATE credential_versions SET ${retired}
  WHERE credential_id = :id AND number = CAST(:number AS integer) AND state IN ('PREVIOUS', 'UNKNOWN')`);
const lost = 'unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[])) AS l (id, number)';
const earlierToRetired = sql(`
  UPDATE credential_versions v SET ${retired} FROM ${lost}
  WHERE v.credential_id = l.id AND v.number < l.number AND v.state IN ('PENDING', 'CURRENT', 'PREVIOUS', 'UNKNOWN')`);
const insertLost = sql(`
  INSERT INTO credential_versions (credential_id, number, state)
  SELECT c.id, l.number, 'UNKNOWN' FROM ${lost} JOIN credentials c ON c.id = l.id
  WHERE c.revoked_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM credential_versions v WHERE v.credential_id = c.id AND v.number >= l.number)
  RETURNING credential_id AS id`);
const outlivedToRetired = sql(`
  WITH outlived AS MATERIALIZED (
    SELECT v.credential_id, v.number FROM credential_versions v
    JOIN credentials c ON c.id = v.credential_id AND c.external_id IS NULL
    WHERE v.state = 'PREVIOUS' AND v.valid_until <= now() ORDER BY v.valid_until LIMIT CAST(:most AS integer)
    FOR UPDATE OF v SKIP LOCKED
  )
  UPDATE credential_versions v SET ${retired}
  FROM outlived o WHERE v.credential_id = o.credential_id AND v.number = o.number
  RETURNING v.credential_id AS id, v.number, v.valid_until AS until`);
const pendingToFailed = sql(`
  UPDATE credential_versions SET state = 'FAILED', ${wiping([...showing, ...telling])}
  WHERE credential_id = :id AND number = CAST(:number AS integer) AND state = 'PENDING'`);
const pendingToUnknown = sql(`
  UPDATE credential_versions SET state = 'UNKNOWN'
  WHERE credential_id = :id AND number = CAST(:number AS integer) AND state = 'PENDING'`);
const allToRetired = sql(`
  UPDATE credential_versions SET state = CASE WHEN state = 'FAILED' THEN state ELSE 'RETIRED' END,
    valid_until = least(valid_until, now()), ${wiping(showing)},
    ${telling.map((column) => `${column} = CASE WHEN state = 'CURRENT' THEN ${column} END`).join(', ')}
  WHERE credential_id = ANY(CAST(:ids AS uuid[]))`);
const forget = sql(`
  UPDATE credential_versions SET ${wiping(telling)}
  WHERE credential_id IN (
    SELECT id FROM credentials WHERE id = ANY(CAST(:ids AS uuid[])) OR parent_id = ANY(CAST(:ids AS uuid[])))`);
