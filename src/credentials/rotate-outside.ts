import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { callerOf, type Actor } from '../audit/decision.js';
import type { Connector } from '../connectors/connector.js';
import type { RequestContext } from '../access/context.js';
import { sql, type Tx } from '../database/database.js';
import { badInput, conflict, unsupported } from '../errors.js';
import { onceReaching } from '../idempotency/once.js';
import type { Keyring } from '../keyring/keyring.js';
import { durationMs } from '../time.js';
import { forChange, withStore, type StoreParts } from '../stores/open.js';
import type { CredentialStore } from '../stores/store.js';
import type { Credential } from './record/credential.js';
import type { RotateCredentialInput } from './credential.input.js';
import type { IssuedSecret } from './secret/issued-secret.js';
import { keepOutside } from './secret/keep-secret.js';
import { factorFor, type Coded } from './secret/factor.js';
import { mayStill, named, shown } from './secret/shown.js';
import { expectLiving, expectRevision, lockCredential } from './record/lock.js';
import { changedCredential, type FoundCredential } from './record/find.js';
import { endsAtOnce } from './record/policy.js';
import { beginRotation, finishEarlier, noteRotatingOutside } from './record/rotations.js';
import { beginVersion, expectNewest, nextVersion } from './record/versions.js';
import { carryOut, type Planned } from './outside/carry-out.js';
import type { Lease } from './outside/lease.js';
import { inherit } from './outside/leftover.js';
import { expectIdle, plan } from './outside/plan.js';
import { nextOutsideWish, type OutsideWish } from './outside/outside-wish.js';
import { wayOf, wishOf } from './outside/work.js';

/**
 * Replaces the secret of a credential in an outside store, where the store can: two transactions and the store's calls.
 * @throws CONFLICT, UNSUPPORTED, BAD_USER_INPUT; what the store says; OUTCOME_UNKNOWN where its answer was lost.
 */
export async function rotateOutside(
  ctx: RequestContext,
  input: Omit<RotateCredentialInput, 'mfaCode'>,
  mfaCode: RotateCredentialInput['mfaCode'],
  found: FoundCredential,
  storeKind: string,
): Promise<{ credential: Credential; issued: IssuedSecret }> {
  const connector = ctx.connectors[storeKind];
  if (!connector) throw unsupported();
  authorizeOwnKey(ctx, found);
  expectRotatable(connector, found);
  const wish = nextOutsideWish(connector, found, input.secret);
  const graceMs = durationMs(input.gracePeriod ?? 'PT0S');
  if (graceMs > 0 && connector.rotation?.previous !== 'lives')
    throw badInput('input.gracePeriod', endsAtOnce);
  const factor = await factorFor(ctx, mfaCode);

  let lease: Lease | undefined;
  const reach = async () => {
    await expectNoLockOut(ctx, connector, found);
    return presentAt(ctx, connector, found, ctx.left);
  };
  const keep = async (tx: Tx, before: readonly string[] | undefined): Promise<Planned & Coded> => {
    const credential = await lockCredential(ctx, tx, found.id, Permission.CREDENTIAL_ROTATE);
    expectLiving(credential);
    if (credential.goneAt !== null) throw conflict('The store no longer has this credential.');
    expectRevision(credential, input.expectedRevision);
    await expectNewest(ctx, tx, found);
    const code = await factor.prove(tx);
    const planned = await planRotation(ctx, tx, callerOf(ctx), credential, wish, { graceMs, before });
    lease = planned.lease;
    return { id: credential.id, intent: planned.lease.id, version: planned.version, code };
  };
  const outcome = await factor.during(() => onceReaching(ctx, 'credential:rotate', input, { reach, keep }));
  await carryOut(ctx, 'credential:rotate', input, outcome.result.intent, lease);
  const credential = await changedCredential(ctx, outcome.result.id);
  const issued = await shown(ctx, outcome, mayStill(ctx, outcome, Permission.CREDENTIAL_ROTATE));
  return { credential, issued: issued ?? named(outcome.result, credential) };
}

/** @throws UNSUPPORTED, or CONFLICT where there is nothing to turn. */
export function expectRotatable(connector: Connector, { externalId, reachesStore }: Credential): void {
  if (!connector.rotate) throw unsupported();
  if (externalId === null && reachesStore)
    throw conflict(
      'Keyway itself uses this credential to reach the store, which does not list it: make another one there, and give it to updateStore.',
    );
  if (externalId === null)
    throw conflict('The store has not told its id for this credential yet: sync the store, then try again.');
}

/** @throws CONFLICT for what Keyway reaches its store with, where a rotation could lock it out. */
async function expectNoLockOut(
  { db }: RequestContext,
  connector: Connector,
  found: Credential,
): Promise<void> {
  const { reachesStore, storeId, accessKey } = found;
  if (!reachesStore) return;
  const [store] = await db.rows<Pick<CredentialStore, 'settings'>>(settingsOf, { storeId });
  if (!connector.adoption?.(store?.settings ?? {}, accessKey))
    throw conflict(
      'Keyway itself uses this credential to reach the store, and has no other: give it a second one first, by updateStore.',
    );
}

/** What Keyway reaches its store with is the business of those who manage the store. @throws FORBIDDEN */
export function authorizeOwnKey(
  { principal }: RequestContext,
  { reachesStore, accountId, id }: Credential,
): void {
  if (reachesStore)
    authorize(principal, Permission.STORE_MANAGE, { accountId, about: { type: 'Credential', id } });
}

/** The ids that are there already where the store makes another key; none where a lost one does no harm. */
export async function presentAt(
  parts: StoreParts,
  connector: Connector,
  credential: Credential,
  left?: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (!connector.present || wayOf(connector) !== 'overlap') return undefined;
  const at = { scope: credential.scope ?? '', wish: wishOf(credential, null), name: credential.name };
  return withStore(
    parts,
    credential.storeId,
    async ({ upstream }) => connector.present?.(forChange(upstream), at),
    left,
  );
}

/** Puts a rotation on record, with the new secret where it is chosen here. @throws CONFLICT where one is under way. */
export async function planRotation(
  { keyring }: { keyring: Keyring },
  tx: Tx,
  wanting: Actor,
  credential: Credential,
  { chosen }: OutsideWish,
  { graceMs, before }: { graceMs: number; before: readonly string[] | undefined },
): Promise<{ lease: Lease; version: number }> {
  const { id, storeId } = credential;
  await expectIdle(tx, id);
  const { from, to: version } = await nextVersion(tx, id);
  const kept = chosen ? await keepOutside(keyring, tx, credential, version, chosen) : {};
  await beginVersion(tx, {
    credentialId: id,
    number: version,
    state: 'PENDING',
    accessKey: chosen?.accessKey ?? null,
    ...kept,
  });
  await finishEarlier(tx, id, null);
  await inherit(tx, id);
  const rotationId = await beginRotation(tx, {
    credentialId: id,
    startedById: wanting.actorId,
    from,
    to: version,
  });
  await noteRotatingOutside(tx, id);
  const lease = await plan(tx, wanting, {
    credentialId: id,
    storeId,
    verb: 'ROTATE',
    rotationId,
    version,
    details: {
      graceMs,
      ...(before && { before }),
    },
  });
  return { lease, version };
}

const settingsOf = sql('SELECT settings FROM stores WHERE id = :storeId');
