import type { Connector, Upstream } from '../../connectors/connector.js';
import { latestLookMs } from '../../config/limits.js';
import { StoreError } from '../../connectors/store-error.js';
import { sql, type Sql } from '../../database/database.js';
import { unsupported } from '../../errors.js';
import { instantMs } from '../../time.js';
import { knownOf, wayOf, wishOf, type Work } from './work.js';

// What is in a store of a credential, and how it is ended there.

export interface There {
  db: Sql;
  connector: Connector;
  upstream: Upstream;
  work: Omit<Work, 'intent'> & Partial<Pick<Work, 'intent'>>;
}

/** @throws UNSUPPORTED where the store lacks the verb. */
export function having<
  Verb extends 'create' | 'rotate' | 'update' | 'revoke' | 'delete' | 'retire' | 'present',
>(connector: Connector, verb: Verb): NonNullable<Connector[Verb]> {
  const found = connector[verb];
  if (!found) throw unsupported();
  return found;
}

/** Ends the credential, with all keys that are known. */
export async function endThere(there: There, verb: 'revoke' | 'delete'): Promise<void> {
  const { connector, upstream, work } = there;
  await unlessGone(
    () => having(connector, verb)(upstream, knownOf(work)),
    () => isThere(there),
  );
}

/** Ends one key of several. */
export async function endKeyThere(there: There, key: string): Promise<void> {
  const { connector, upstream, work } = there;
  await unlessGone(
    () => having(connector, 'retire')(upstream, work.credential.scope ?? '', key),
    async () => (await presentIn(there)).includes(key),
  );
}

/** A call that nobody has the answer of. */
export interface LostCall {
  /** What was there before it. */
  before: readonly string[];
  /** When its store has carried it out at the latest, if at all: in milliseconds since 1970. */
  untilMs: number;
}

/**
 * Ends what came in since a call that nobody has the answer of, and that Keyway does not know.
 * @returns what came in as well, and is somebody else's
 */
export async function endNewcomers(there: There, { before, untilMs }: LostCall): Promise<string[]> {
  const { connector, upstream, work } = there;
  const others: string[] = [];
  for (const externalId of await newcomers(there, before)) {
    if (!(await mayBeOf(there, externalId, untilMs))) others.push(externalId);
    else if (connector.retire) await endKeyThere(there, externalId);
    else
      await having(connector, 'revoke')(upstream, { ...knownOf(work), externalId, revision: null, keys: [] });
  }
  return others;
}

/** How far the clock of a store may be from that of the database. */
const clocksApartMs = 60_000;

/**
 * Whether a lost call may have made this. Once its time is over, the store tells when it was made; of one that does not,
 * what came in is soon more likely what somebody made by hand, and for the next listing to find.
 */
async function mayBeOf({ connector, upstream, work }: There, key: string, untilMs: number): Promise<boolean> {
  if (upstream.now() <= untilMs + clocksApartMs) return true;
  const found = await connector.find?.(upstream, { ...knownOf(work), externalId: key, accessKey: key });
  if (found?.createdAt) return instantMs(found.createdAt) <= untilMs + clocksApartMs;
  return upstream.now() <= untilMs + latestLookMs;
}

/**
 * The ids that are there and were not before, but for those that Keyway knows of by now.
 * @throws StoreError UPSTREAM_UNAVAILABLE while they may be of another change, whose answer is yet to come
 */
export async function newcomers(there: There, before: readonly string[]): Promise<string[]> {
  const { storeId, id, scope } = there.work.credential;
  const now = await presentIn(there);
  const fresh = now.filter((one) => !before.includes(one));
  if (fresh.length === 0) return [];
  const { db } = there;
  // First this: what is settled in between is known by then.
  const intentId = there.work.intent?.id ?? null;
  const isBusy = (await db.rows(othersUnderWay, { storeId, intentId, scope })).length > 0;
  const known = await db.rows<{ key: string }>(keysOfStore, { storeId, id, keys: fresh });
  const unknown = fresh.filter((one) => !known.some(({ key }) => key === one));
  if (unknown.length > 0 && isBusy)
    throw new StoreError('UPSTREAM_UNAVAILABLE', { cause: 'another change is under way in this place' });
  return unknown;
}

/**
 * Whether the one secret that its store has by now is somebody else's: long after the last call that could have made it, it
 * is none that Keyway knows.
 */
export async function isAnothers({ connector, upstream, work }: There, untilMs: number): Promise<boolean> {
  if (wayOf(connector) !== 'replaced' || upstream.now() <= untilMs + latestLookMs) return false;
  const known = knownOf(work);
  const found = await connector.find?.(upstream, known);
  return Boolean(found?.accessKey) && !found?.revoked && !known.keys.includes(found?.accessKey ?? '');
}

/** What its store refuses to end is ended all the same where the store is seen without it. */
async function unlessGone(ending: () => Promise<void>, isThere: () => Promise<boolean>): Promise<void> {
  try {
    await ending();
  } catch (error) {
    if (!isRefusal(error) || (await isSeen(isThere))) throw error;
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof StoreError &&
  !error.unclear &&
  error.code !== 'UNAVAILABLE' &&
  error.code !== 'RATE_LIMITED';

/** A store that cannot be looked at is not seen without it. */
async function isSeen(isThere: () => Promise<boolean>): Promise<boolean> {
  try {
    return await isThere();
  } catch (error) {
    if (error instanceof StoreError) return true;
    throw error;
  }
}

/** Whether the store has the credential, or any of its keys. */
async function isThere(there: There): Promise<boolean> {
  const { connector, upstream, work } = there;
  const known = knownOf(work);
  if (wayOf(connector) === 'overlap') {
    const now = await presentIn(there);
    return [known.externalId, ...known.keys].some((key) => now.includes(key));
  }
  if (!connector.find) return true;
  const found = await connector.find(upstream, known);
  return found !== undefined && found.revoked !== true;
}

function presentIn({ connector, upstream, work }: There): Promise<readonly string[]> {
  const { name, scope } = work.credential;
  const wish = wishOf(work.credential, null);
  return having(connector, 'present')(upstream, { scope: scope ?? '', wish, name });
}

/** Whether another credential has its name by now. */
export async function isTakenOver({ db, work }: Pick<There, 'db' | 'work'>): Promise<boolean> {
  const { id, storeId, externalId } = work.credential;
  return (await db.rows(sameName, { id, storeId, externalId })).length > 0;
}

const sameName = sql(`
  SELECT id FROM credentials
  WHERE store_id = :storeId AND id <> :id AND deleted_at IS NULL AND revoked_at IS NULL
    AND coalesce(external_id, access_key) = :externalId LIMIT 1`);
// Another store may reach the same place of the vendor: what was made by way of it is no leftover of this one.
const storesThere = `(
    SELECT s.id FROM stores s JOIN stores o ON o.kind = s.kind AND o.addresses = s.addresses WHERE o.id = :storeId)`;
const othersUnderWay = sql(`
  SELECT i.id FROM intents i JOIN credentials c ON c.id = i.credential_id
  WHERE i.store_id IN ${storesThere} AND i.id IS DISTINCT FROM CAST(:intentId AS uuid) AND i.state = 'OPEN' AND i.verb IN ('CREATE', 'ROTATE')
    AND i.lease_until > now() AND c.scope IS NOT DISTINCT FROM CAST(:scope AS text) LIMIT 1`);
// Its own keys too, those that live and those that are to end by themselves.
const keysOfStore = sql(`
  SELECT v.access_key AS key FROM credential_versions v JOIN credentials c ON c.id = v.credential_id
  WHERE c.store_id IN ${storesThere} AND c.deleted_at IS NULL AND v.access_key = ANY(CAST(:keys AS text[]))
    AND (c.id <> :id OR c.revoked_at IS NULL AND v.state IN ('CURRENT', 'PREVIOUS'))
  UNION
  SELECT external_id FROM credentials
  WHERE store_id IN ${storesThere} AND deleted_at IS NULL AND external_id = ANY(CAST(:keys AS text[]))
    AND (id <> :id OR revoked_at IS NULL)
  UNION
  SELECT access_key FROM leftovers WHERE store_id IN ${storesThere} AND access_key = ANY(CAST(:keys AS text[]))`);
