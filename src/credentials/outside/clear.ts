import { sql, type Tx } from '../../database/database.js';
import { KeywayError } from '../../errors.js';
import { instantMs } from '../../time.js';
import { noteAnswer } from '../../stores/health.js';
import { withStore, type OpenStore, type StoreParts } from '../../stores/open.js';
import type { Credential } from '../record/credential.js';
import { endOrphans } from '../record/end.js';
import { noteEndedOutside, switchRotation } from '../record/rotations.js';
import { replaceListed, retireVersion } from '../record/versions.js';
import { leased, LeaseLost, type Lease } from './lease.js';
import type { Leftover } from './leftover.js';
import { faultOf, waitBefore } from './postpone.js';
import { textOf } from './settle.js';
import { endKeyThere, endNewcomers, endThere, isAnothers, isTakenOver, type There } from './there.js';
import { knownOf, loadCredential, placed, wayOf } from './work.js';

/**
 * Ends in its store what is left there of a credential, and takes it off the list. What the store does not do just now,
 * or refuses, is tried again, until it is done.
 */
export async function clear(parts: StoreParts, lease: Lease): Promise<void> {
  const { db, log } = parts;
  const [leftover] = await db.rows<Leftover>(leftoverNamed, { id: lease.id, fence: lease.fence });
  if (!leftover) return;
  let isOpen = false;
  try {
    const seen = await withStore(parts, leftover.storeId, (open) => {
      isOpen = true;
      return clearAt(parts, open, lease, leftover);
    });
    await takeOff(parts, lease, leftover, seen);
  } catch (error) {
    if (error instanceof LeaseLost) return;
    // A version before this one knows no leftovers, and may have let its store be disconnected.
    const isAway = error instanceof KeywayError && error.code === 'NOT_FOUND';
    if (isAway && (await db.rows(unreachable, { id: lease.id })).length > 0)
      return log.warn(
        { store: leftover.storeId },
        'what is left in a store that was disconnected cannot be ended',
      );
    const fault = faultOf(error, isOpen);
    const told = { store: leftover.storeId, code: fault.code };
    if (error instanceof KeywayError)
      log.warn({ ...told, cause: error.cause }, 'what is left in a store could not be ended yet');
    else log.error({ ...told, error }, 'what is left in a store could not be ended yet');
    const { id, fence } = lease;
    const waitMs = waitBefore(error, leftover.attempts);
    await db.rows(postponed, { id, fence, waitMs, failure: textOf(fault) });
  }
}

/** The one secret that a store has of a credential. */
interface Seen {
  accessKey: string;
  /** Whether the store shows it. */
  shown: boolean;
  /** The credential's, when the store was looked at. */
  revision: number;
}

/** @returns what the store has by now, of a credential whose secrets replace each other there */
async function clearAt(
  { db }: StoreParts,
  open: OpenStore,
  lease: Lease,
  leftover: Leftover,
): Promise<Seen | undefined> {
  const { connector } = open;
  const upstream = leased(db, open.upstream, lease);
  const there: There = { db, connector, upstream, work: await loadCredential(db, leftover.credentialId) };
  const { accessKey, before, untilAt } = leftover;
  if (accessKey !== null) return void (await endKeyThere(there, accessKey));
  const { credential } = there.work;
  const hasEnded = credential.revokedAt !== null || credential.deletedAt !== null;
  // What was made for it is for the next listing to find, and no leftover.
  if (!hasEnded && credential.externalId === null && credential.standing === 'UNKNOWN') return undefined;
  // What has several keys has each of them on a list; of what has one, the whole is ended once more.
  const untilMs = untilAt === null ? 0 : instantMs(untilAt);
  if (before !== null) return void (await endNewcomers(there, { before, untilMs }));
  if (wayOf(connector) === 'overlap') return undefined;
  if (!hasEnded) return wayOf(connector) === 'replaced' ? seenOf(there) : undefined;
  const ended = { ...there, work: placed(connector, there.work) };
  if (connector.revoke && ended.work.credential.externalId !== null && !(await isTakenOver(ended)))
    if (!(await isAnothers(ended, untilMs))) await endThere(ended, 'revoke');
  return undefined;
}

async function seenOf({ connector, upstream, work }: There): Promise<Seen | undefined> {
  const found = await connector.find?.(upstream, knownOf(work));
  const shown = connector.reveal !== undefined;
  return found?.accessKey
    ? { accessKey: found.accessKey, shown, revision: work.credential.revision }
    : undefined;
}

/**
 * A call that came to its end late has replaced the secret that Keyway knows: only its store may show the new one. A
 * rotation that was settled since the store was looked at knows better.
 */
async function noteReplaced(tx: Tx, id: string, { accessKey, shown, revision }: Seen): Promise<void> {
  const changed = await tx.rows(replacedBy, { id, accessKey, shown, revision });
  if (changed.length > 0) await replaceListed(tx, [id], [accessKey]);
}

/** One that was looked for is looked for once more, when no store can take longer. */
async function takeOff(
  { db }: StoreParts,
  { id, fence }: Lease,
  leftover: Leftover,
  seen: Seen | undefined,
): Promise<void> {
  const { credentialId, storeId, accessKey, version, rotationId } = leftover;
  await db.transaction(async (tx) => {
    await tx.rows<Pick<Credential, 'id'>>(lockOwner, { credentialId });
    const settled = await tx.rows(accessKey === null ? lookedFor : removed, { id, fence });
    if (settled.length === 0) throw new LeaseLost();
    if (accessKey === null) {
      if (seen) await noteReplaced(tx, credentialId, seen);
      return void (await tx.rows(forgetLooked, { id }));
    }
    await retireVersion(tx, credentialId, version);
    await switchRotation(tx, rotationId, { finished: true });
    await noteEndedOutside(tx, credentialId);
    await endOrphans(tx, [credentialId]);
    await noteAnswer(tx, storeId);
  });
}

const leftoverNamed = sql(`
  SELECT id, credential_id AS "credentialId", store_id AS "storeId", access_key AS "accessKey", version,
    rotation_id AS "rotationId", before, until_at AS "untilAt", attempts
  FROM leftovers WHERE id = :id AND fence = :fence`);
const unreachable = sql(`
  DELETE FROM leftovers l USING stores s
  WHERE l.id = :id AND s.id = l.store_id AND s.deleted_at IS NOT NULL RETURNING l.id`);
const replacedBy = sql(`
  UPDATE credentials c SET access_key = :accessKey, standing = CASE WHEN :shown THEN c.standing ELSE 'UNKNOWN' END,
    revision = revision + 1, updated_at = now()
  WHERE c.id = :id AND c.revision = CAST(:revision AS integer) AND c.access_key IS DISTINCT FROM :accessKey
    AND c.revoked_at IS NULL AND NOT c.reaches_store
    AND NOT EXISTS (SELECT 1 FROM intents i WHERE i.credential_id = c.id AND i.state = 'OPEN') RETURNING c.id`);
const lockOwner = sql('SELECT id FROM credentials WHERE id = :credentialId FOR UPDATE');
const removed = sql('DELETE FROM leftovers WHERE id = :id AND fence = :fence RETURNING id');
const lookedFor = sql(`
  UPDATE leftovers SET due_at = until_at, lease_until = now(), attempts = 0, failure = NULL
  WHERE id = :id AND fence = :fence RETURNING id`);
const forgetLooked = sql('DELETE FROM leftovers WHERE id = :id AND until_at <= now()');
const postponed = sql(`
  UPDATE leftovers SET lease_until = now(), attempts = attempts + 1, failure = :failure,
    due_at = now() + CAST(:waitMs AS double precision) * interval '1 millisecond'
  WHERE id = :id AND fence = :fence RETURNING id`);
