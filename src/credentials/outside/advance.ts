import { setTimeout as sleep } from 'node:timers/promises';
import type { Connector } from '../../connectors/connector.js';
import { SpoiledSecret, StoreError } from '../../connectors/store-error.js';
import { sql } from '../../database/database.js';
import { codes, KeywayError, type Code } from '../../errors.js';
import { withStore, type OpenStore, type StoreParts } from '../../stores/open.js';
import { CredentialKind } from '../record/credential.js';
import { doAtStore, NotRepeated, SecretLost, type StoreOutcome } from './at-store.js';
import { leased, LeaseLost, type Lease } from './lease.js';
import { settle, settleFailed, settleUnknown, type Failure } from './settle.js';
import { loadWork, wayOf, type Work } from './work.js';

/**
 * Does what an intent says at its store, and settles it: done, failed, or not known. Where the store gave no clear
 * answer, and asking again can tell or does no harm, the intent stays open, to be taken up again.
 * @param again whether the store may have heard of it before
 * @throws what is no answer of a store: then the intent stays open too
 */
export async function advance(parts: StoreParts, lease: Lease, again: boolean): Promise<void> {
  const work = await loadWork(parts.db, lease.id);
  try {
    await withStore(parts, work.intent.storeId, (open) => act(parts, open, lease, work, again));
  } catch (error) {
    if (error instanceof LeaseLost) return;
    throw error;
  }
}

async function act(parts: StoreParts, open: OpenStore, lease: Lease, work: Work, again: boolean) {
  const upstream = leased(parts.db, open.upstream, lease);
  const { db, keyring } = parts;
  let outcome: StoreOutcome;
  try {
    outcome = await doAtStore({ db, keyring, connector: open.connector, upstream, work, again });
  } catch (error) {
    if (error instanceof SecretLost)
      return settleUnknown(parts, lease, work, lostSecret, idFor(open.connector, work));
    if (error instanceof NotRepeated) return settleFailed(parts, lease, work, notRepeated);
    if (!(error instanceof KeywayError)) throw error;
    return deal(parts, open, lease, work, again, error);
  }
  await settleInTime(lease, () => settle(parts, open, lease, work, outcome));
}

/**
 * Settles what the store has done. A database that fails just now is asked again as long as the lease is ours: the
 * answer of the store may hold a secret that it gives once.
 */
async function settleInTime(lease: Lease, settling: () => Promise<void>): Promise<void> {
  for (let waitMs = 100; ; waitMs *= 2) {
    try {
      return await settling();
    } catch (error) {
      const isPassing = error instanceof KeywayError && worthAnotherTry.has(error.code);
      if (!isPassing || performance.now() + waitMs > lease.heldUntilMs) throw error;
      await sleep(waitMs);
    }
  }
}

/** Settling again what is settled already changes nothing: the lease is over then. */
const worthAnotherTry: ReadonlySet<Code> = new Set(['UNAVAILABLE', 'CONFLICT', 'OUTCOME_UNKNOWN']);

/** What becomes of an intent that the store did not take. */
async function deal(
  parts: StoreParts,
  open: OpenStore,
  lease: Lease,
  work: Work,
  again: boolean,
  error: KeywayError,
): Promise<void> {
  const { verb } = work.intent;
  const { connector } = open;
  const { code, message, fields } = error;
  const admission = error instanceof StoreError ? error.admission : undefined;
  const failure: Failure = { code, message, fields, ...(admission && { admission }) };
  const passing = error.code === 'UNAVAILABLE' || error.code === 'RATE_LIMITED';
  const unclear = error instanceof StoreError && error.unclear;
  // What was begun is brought to its end; what has not left Keyway yet is the caller's to try again.
  if (verb === 'RETIRE' || work.intent.details.sweep) return later(parts, lease, work, error);
  if (!again && !unclear) return settleFailed(parts, lease, work, failure);
  const makesSecret = verb === 'ROTATE' || verb === 'CREATE';
  const way = wayOf(connector);
  if (makesSecret && error instanceof SpoiledSecret)
    return settleUnknown(parts, lease, work, { code: 'OUTCOME_UNKNOWN', message }, idFor(connector, work));
  if (makesSecret && way === 'replaced' && !connector.reveal)
    return settleUnknown(parts, lease, work, lostSecret, idFor(connector, work));
  if (unclear || passing) return later(parts, lease, work, error);
  // Refused now, but perhaps done before: only where nothing of that could remain has it failed.
  return way === 'ours' || !makesSecret
    ? settleUnknown(parts, lease, work, unknown, idFor(connector, work))
    : settleFailed(parts, lease, work, failure);
}

async function later({ db, log }: StoreParts, lease: Lease, work: Work, error: KeywayError): Promise<void> {
  const { attempts, storeId, verb } = work.intent;
  const asked = error instanceof StoreError ? (error.retryAfterMs ?? 0) : 0;
  const waitMs = Math.min(asked, mostAskedMs) + Math.random() * Math.min(longestWaitMs, 250 * 2 ** attempts);
  const { code } = error;
  log.warn({ store: storeId, verb, code, cause: error.cause }, 'a write to a store has no clear outcome yet');
  await db.rows(release, { id: lease.id, fence: lease.fence, waitMs, failure: `${code}: ${error.message}` });
}

/**
 * How a credential is found that its store may have made: by its place, by its user name, or by what only it can tell.
 */
function idFor(connector: Connector, { credential: { kind, scope, accessKey } }: Work): string | null {
  if (wayOf(connector) === 'replaced') return scope;
  return kind === CredentialKind.PASSWORD ? accessKey : null;
}

const unknown: Failure = { code: 'OUTCOME_UNKNOWN', message: codes.OUTCOME_UNKNOWN };

const longestWaitMs = 30_000;
const mostAskedMs = 600_000;

const lostSecret: Failure = {
  code: 'OUTCOME_UNKNOWN',
  message: "The store's answer was lost, and the new secret with it. Rotate again.",
};

const notRepeated: Failure = {
  code: 'UNAVAILABLE',
  message:
    'The store did not make the change. It is not repeated by itself, as it would bring along a secret that may be an old one by now: ask for it again.',
};

const release = sql(`
  UPDATE intents SET lease_until = now(), attempts = attempts + 1, failure = :failure,
    next_at = now() + CAST(:waitMs AS double precision) * interval '1 millisecond'
  WHERE id = :id AND fence = :fence AND state = 'OPEN' RETURNING id`);
