import { setTimeout as sleep } from 'node:timers/promises';
import type { Connector } from '../../connectors/connector.js';
import { SpoiledSecret, StoreError } from '../../connectors/store-error.js';
import { codes, KeywayError, type Code } from '../../errors.js';
import { withStore, type OpenStore, type StoreParts } from '../../stores/open.js';
import { CredentialKind } from '../record/credential.js';
import { doAtStore, NotRepeated, SecretLost, type Evidence, type StoreOutcome } from './at-store.js';
import { inherit } from './leftover.js';
import { leased, LeaseLost, type Lease } from './lease.js';
import { postpone, postponeFaulty } from './postpone.js';
import { settle, settleFailed, settleUnknown, type Failure } from './settle.js';
import { makes, verdictOn, type Facts, type Mishap } from './verdict.js';
import { loadWork, wayOf, type Work } from './work.js';

/**
 * Does what an intent says at its store, and settles it: done, failed, or not known. Where the store gave no clear
 * answer, and asking again can tell or does no harm, the intent stays open, to be taken up again.
 * @param again whether the store may have heard of it before
 * @throws what is no answer of a store: then the intent stays open too, and waits as after a refusal
 */
export async function advance(parts: StoreParts, lease: Lease, again: boolean): Promise<void> {
  const work = await loadOpen(parts, lease);
  if (!work) return;
  let isOpen = false;
  try {
    await withStore(parts, work.intent.storeId, (open) => {
      isOpen = true;
      return act(parts, open, lease, work, again);
    });
  } catch (error) {
    if (error instanceof LeaseLost) return;
    await postponeFaulty(parts, lease, work, error, isOpen);
    throw error;
  }
}

/** Undefined where nothing is left of an intent but what a version before this one kept with it. */
async function loadOpen({ db }: StoreParts, { id }: Lease): Promise<Work | undefined> {
  const work = await loadWork(db, id);
  if (!keptBefore.some((name) => name in work.intent.details)) return work;
  await inherit(db, work.intent.credentialId);
  const left = await loadWork(db, id);
  return left.intent.state === 'OPEN' ? left : undefined;
}

const keptBefore = ['keys', 'sweep', 'overtookUntilMs'];

async function act(parts: StoreParts, open: OpenStore, lease: Lease, work: Work, again: boolean) {
  const upstream = leased(parts.db, open.upstream, lease);
  const { db, keyring } = parts;
  const evidence: Evidence = { open: again };
  let outcome: StoreOutcome;
  try {
    outcome = await doAtStore({
      db,
      keyring,
      connector: open.connector,
      upstream,
      work,
      again,
      evidence,
      fence: lease.fence,
    });
  } catch (error) {
    const mishap = mishapOf(error);
    if (!mishap) throw error;
    return deal(parts, open, lease, work, evidence, mishap, error as Error);
  }
  await settleInTime(lease, () => settle(parts, open, lease, work, outcome));
}

/** Undefined for what is no answer of a store. */
function mishapOf(error: unknown): Mishap | undefined {
  if (error instanceof SecretLost) return 'LOST';
  if (error instanceof NotRepeated) return 'NOT_REPEATED';
  if (error instanceof SpoiledSecret) return 'SPOILED';
  if (!(error instanceof KeywayError)) return undefined;
  if (error instanceof StoreError && error.unclear) return 'UNCLEAR';
  return error.code === 'UNAVAILABLE' || error.code === 'RATE_LIMITED' ? 'NOT_NOW' : 'REFUSED';
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
  { connector }: OpenStore,
  lease: Lease,
  work: Work,
  { open }: Evidence,
  mishap: Mishap,
  error: Error,
): Promise<void> {
  const known = {
    verb: work.intent.verb,
    way: wayOf(connector),
    shows: connector.reveal !== undefined,
    open,
  };
  switch (verdictOn(mishap, known)) {
    case 'LATER':
      return postpone(parts, lease, work, {
        failure: failureBy(error),
        error,
        refused: mishap === 'REFUSED',
      });
    case 'FAILED':
      return settleFailed(parts, lease, work, failureBy(error));
    case 'UNKNOWN':
      return settleUnknown(parts, lease, work, {
        failure: doubtBy(mishap, known, error),
        externalId: idFor(connector, work),
        look: makes(known.verb),
      });
  }
}

function failureBy(error: Error): Failure {
  if (!(error instanceof KeywayError)) return notRepeated;
  const { code, message, fields } = error;
  const admission = error instanceof StoreError ? error.admission : undefined;
  return { code, message, fields, ...(admission && { admission }) };
}

function doubtBy(mishap: Mishap, { verb, way }: Facts, { message }: Error): Failure {
  const { code } = unknown;
  if (mishap === 'SPOILED') return { code, message };
  return makes(verb) && way === 'replaced' ? lostSecret : unknown;
}

/**
 * How a credential is found that its store may have made: by its place, by its user name, or by what only it can tell.
 */
function idFor(connector: Connector, { credential: { kind, scope, accessKey } }: Work): string | null {
  if (wayOf(connector) === 'replaced') return scope;
  return kind === CredentialKind.PASSWORD ? accessKey : null;
}

const unknown: Failure = { code: 'OUTCOME_UNKNOWN', message: codes.OUTCOME_UNKNOWN };

const lostSecret: Failure = {
  code: 'OUTCOME_UNKNOWN',
  message: "The store's answer was lost, and the new secret with it. Rotate again.",
};

const notRepeated: Failure = {
  code: 'UNAVAILABLE',
  message:
    'The store did not make the change. It is not repeated by itself, as it would bring along a secret that may be an old one by now: ask for it again.',
};
