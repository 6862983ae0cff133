import type { Actor } from '../../audit/decision.js';
import { endingOfTerms, type Ending } from '../../audit/ending.js';
import { recordAs } from '../../audit/record.js';
import type { Admission, Minted } from '../../connectors/connector.js';
import { sql, type Tx } from '../../database/database.js';
import { codes, type Code, type FieldFault } from '../../errors.js';
import type { Keyring } from '../../keyring/keyring.js';
import { adoptSecret } from '../../stores/adopt.js';
import { noteAnswer } from '../../stores/health.js';
import type { OpenStore, StoreParts } from '../../stores/open.js';
import { CredentialRole } from '../record/credential-role.js';
import { Credential } from '../record/credential.js';
import { storableTrust } from '../sync/storable.js';
import { termsIn } from '../record/deeds.js';
import { endCredentials, endOrphans, markDeleted } from '../record/end.js';
import { RotationState } from '../record/rotation.js';
import {
  failRotation,
  finishEarlier,
  noteEndedOutside,
  resumeSwitched,
  switchRotation,
} from '../record/rotations.js';
import {
  demoteCurrent,
  doubtVersion,
  failVersion,
  promoteVersion,
  retireCurrent,
  retireOthers,
} from '../record/versions.js';
import type { Intent } from './intent.js';
import { keepOutside } from '../secret/keep-secret.js';
import type { StoreOutcome } from './at-store.js';
import { durationMs } from '../../time.js';
import { LeaseLost, type Lease } from './lease.js';
import { noteAdmission, saidOfSecret, toldOf } from './observed.js';
import { endKeysNow, forgetKeys, leaveKey, leaveLook } from './leftover.js';
import type { Overtaken } from './plan.js';
import { makes } from './verdict.js';
import { wayOf, type Work } from './work.js';

/**
 * Makes Keyway's record the same as what the store has done, in one transaction with the audit.
 * @throws LeaseLost where somebody else acts on the intent by now: then nothing is changed.
 */
export async function settle(
  parts: StoreParts,
  open: OpenStore,
  lease: Lease,
  work: Work,
  outcome: StoreOutcome,
): Promise<void> {
  await parts.db.transaction(async (tx) => {
    const { intent, credential } = await lockIntent(tx, lease, work);
    // Closed first: what follows may put another one on record.
    await close(tx, intent, 'DONE', null);
    switch (outcome.verb) {
      case 'CREATE': {
        const { externalId, scope, minted } = outcome.created;
        await tx.rows(absorb, { id: credential.id, storeId: intent.storeId, externalId });
        const { expiresAt, createdAt, trust } = minted;
        const storeRevision = minted.revision ?? null;
        await setColumns(tx, credential.id, {
          externalId,
          scope,
          storeRevision,
          ...(expiresAt && { expiresAt }),
          ...(createdAt && { createdAt }),
          ...(trust && { trust: storableTrust(trust) }),
        });
        await noteAdmission(tx, credential.id, minted);
        await bringIn(parts.keyring, tx, credential, 1, minted);
        await tx.rows(created, { id: credential.id, partial: minted.partial ?? false });
        break;
      }
      case 'ROTATE':
        await replaceSecret(parts.keyring, tx, open, intent, credential, outcome.minted);
        break;
      case 'UPDATE':
        await change(parts.keyring, tx, open, intent, credential, outcome);
        break;
      case 'REVOKE':
      case 'DELETE':
        await end(tx, intent, outcome.verb);
        break;
    }
    await leaveLookAfter(tx, lease, intent);
    await tell(parts.keyring, tx, intent, credential, null, endingBy(intent, open));
    await noteAnswer(tx, intent.storeId);
  });
}

/** What is told of an intent that failed, or whose outcome is not known. */
export interface Failure {
  code: Code;
  message: string;
  fields?: readonly FieldFault[];
  /** What the store said of whom the credential is of. */
  admission?: Admission;
}

/** Puts on record that the store did nothing: all is as before. @throws LeaseLost */
export async function settleFailed(
  parts: StoreParts,
  lease: Lease,
  work: Work,
  failure: Failure,
): Promise<void> {
  await parts.db.transaction(async (tx) => {
    const { intent, credential } = await lockIntent(tx, lease, work);
    const { id } = credential;
    const { verb, version, rotationId } = intent;
    if (verb === 'CREATE') {
      await tx.rows(unmade, { id, reason: 'Its store did not make it.' });
    }
    await failVersion(tx, id, version);
    if (verb === 'ROTATE') {
      await failRotation(tx, rotationId, RotationState.FAILED, textOf(failure));
    }
    if (failure.admission) await noteAdmission(tx, id, failure.admission);
    await close(tx, intent, 'FAILED', failure);
    // The previous secret works as long as it was to, whatever became of this.
    if (verb === 'ROTATE') await resumeSwitched(tx, id);
    await noteEndedOutside(tx, id);
    await leaveLookAfter(tx, lease, intent);
    await tell(parts.keyring, tx, intent, credential, failure.code);
  });
}

/**
 * Puts on record that nobody knows what the store did. A secret that was chosen before stays: it may be the one that
 * works.
 * @throws LeaseLost
 */
export async function settleUnknown(
  parts: StoreParts,
  lease: Lease,
  work: Work,
  { failure, externalId, look }: Doubt,
): Promise<void> {
  await parts.db.transaction(async (tx) => {
    const { intent, credential } = await lockIntent(tx, lease, work);
    const { id } = credential;
    if (intent.verb === 'CREATE' && externalId !== null)
      await nameAtStore(tx, { id, storeId: intent.storeId }, externalId);
    await doubtVersion(tx, id, intent.version);
    if (intent.verb === 'CREATE' || intent.verb === 'ROTATE') {
      await failRotation(tx, intent.rotationId, RotationState.OUTCOME_UNKNOWN, textOf(failure));
      await tx.rows(unknownCredential, { id });
    }
    await close(tx, intent, 'UNKNOWN', failure);
    if (look) await leaveLook(tx, intent, intent.details.before ?? null);
    await tell(parts.keyring, tx, intent, credential, failure.code);
  });
}

/** Has a credential go by another name in its store. What a listing has found under that is the same one. */
export async function nameAtStore(
  tx: Tx,
  { id, storeId }: Pick<Credential, 'id' | 'storeId'>,
  externalId: string,
): Promise<void> {
  await tx.rows(absorb, { id, storeId, externalId });
  await setColumns(tx, id, { externalId });
}

interface Doubt {
  failure: Failure;
  /** What it goes by in the store where that may have made it; null where only the store could tell. */
  externalId: string | null;
  /** Whether what may have been made is to be looked for, and ended. */
  look: boolean;
}

/** What an overtaken intent leaves: its secret may be in the store, or never come there. */
export async function leaveOvertaken(
  keyring: Keyring,
  tx: Tx,
  credential: Told,
  overtaken: Overtaken,
): Promise<void> {
  const { verb, version, rotationId } = overtaken;
  await doubtVersion(tx, credential.id, version);
  if (verb === 'ROTATE') {
    const failure = 'CONFLICT: The credential was ended meanwhile.';
    await failRotation(tx, rotationId, RotationState.FAILED, failure);
  }
  await tell(keyring, tx, overtaken, credential, 'CONFLICT');
}

/** As an intent keeps it: the code, and words of ours; then a line for each fault of the input. */
export const textOf = ({ code, message, fields = [] }: Failure): string =>
  [`${code}: ${message}`, ...fields.map((fault) => `${fault.path}: ${fault.message}`)].join('\n');

export function failureOf(text: string | null): Failure {
  const [first, ...faults] = (text ?? '').split('\n').map((line) => /^(\S+): (.*)$/.exec(line) ?? []);
  const [, code, message] = first ?? [];
  if (!code || !(code in codes)) return { code: 'OUTCOME_UNKNOWN', message: codes.OUTCOME_UNKNOWN };
  const fields = faults.map(([, path = '', message = '']) => ({ path, message }));
  return { code: code as Code, message: message ?? codes[code as Code], fields };
}

/** The credential before the intent, as everywhere: in one order, nobody waits for each other. @throws LeaseLost */
export async function lockIntent(tx: Tx, lease: Lease, { credential }: Work): Promise<Work> {
  const [locked] = await tx.rows<Credential>(lockCredential, { id: credential.id });
  const [intent] = await tx.rows<Intent>(lockOpen, { id: lease.id, fence: lease.fence });
  if (!locked || !intent) throw new LeaseLost();
  return { intent, credential: { ...credential, ...locked }, versions: [], roles: [], leftovers: [] };
}

async function replaceSecret(
  keyring: Keyring,
  tx: Tx,
  open: OpenStore,
  intent: Intent,
  credential: Credential,
  minted: Minted,
): Promise<void> {
  const { id } = credential;
  const { graceMs = 0 } = intent.details;
  const overlap = wayOf(open.connector) === 'overlap';
  await retireOthers(tx, id, intent.version);
  if (overlap) await demoteCurrent(tx, id, graceMs);
  else await retireCurrent(tx, id);
  await bringIn(keyring, tx, credential, intent.version ?? 1, minted);
  await noteAdmission(tx, id, minted);
  if (minted.trust) await setColumns(tx, id, { trust: storableTrust(minted.trust) });
  await tx.rows(rotated, {
    id,
    until: overlap ? graceMs : null,
    partial: minted.partial ?? false,
    // A store that gives keys ids of their own knows the credential by the new one.
    externalId:
      credential.externalId !== null && credential.externalId === credential.accessKey
        ? minted.accessKey
        : null,
    expiresAt: minted.expiresAt ?? null,
    revision: minted.revision ?? null,
    everyMs: credential.rotateEvery === null ? null : durationMs(credential.rotateEvery),
  });
  await finishEarlier(tx, id, intent.rotationId);
  await switchRotation(tx, intent.rotationId, { finished: !overlap });
  if (overlap) {
    const [previous] = await tx.rows<{ number: number; accessKey: string }>(previousOf, { id });
    await endKeysNow(tx, id);
    if (previous) {
      const { number: version, accessKey } = previous;
      await leaveKey(tx, intent, { accessKey, version, rotationId: intent.rotationId }, graceMs);
    }
  }
  if (credential.reachesStore) await adoptSecret(keyring, tx, open, credential.accessKey, minted);
  await endOrphans(tx, [id]);
}

/** Brings a secret in as the current one. */
async function bringIn(keyring: Keyring, tx: Tx, credential: Credential, number: number, minted: Minted) {
  const { id, reachesStore } = credential;
  // What Keyway reaches the store with is kept with the store, and shown to nobody.
  const { sealed, kekId } = reachesStore
    ? { sealed: null, kekId: null }
    : await keepOutside(keyring, tx, credential, number, minted);
  await promoteVersion(tx, id, number, { accessKey: minted.accessKey, sealed, kekId });
  await tx.rows(knownAs, { id, accessKey: minted.accessKey, said: JSON.stringify(saidOfSecret(minted)) });
}

async function change(
  keyring: Keyring,
  tx: Tx,
  { connector }: OpenStore,
  intent: Intent,
  credential: Credential,
  { changed: { partial = false, revision, trust }, secret }: StoreOutcome & { verb: 'UPDATE' },
): Promise<void> {
  const { id } = credential;
  const { columns = {}, described, roles } = intent.details;
  const told = Object.keys(described ?? {});
  await tx.rows(knownSince, { id, told });
  if (described) await tx.rows(saidSince, { id, said: JSON.stringify(toldOf(described, connector.keeps)) });
  await setColumns(tx, id, {
    ...columns,
    partial,
    ...(revision !== undefined && { storeRevision: revision }),
    ...(trust && { trust: storableTrust(trust) }),
  });
  if (secret) {
    await retireOthers(tx, id, intent.version);
    await retireCurrent(tx, id);
    await bringIn(keyring, tx, credential, intent.version ?? 1, secret);
  }
  await tx.rows(changedNow, { id });
  if (!roles) return;
  const repository = tx.em.getRepository(CredentialRole);
  await repository.delete({ credentialId: id });
  // One may have been deleted since it was asked for.
  const left = await tx.rows<{ roleId: string }>(rolesLeft, { roles });
  if (left.length > 0) await repository.insert(left.map(({ roleId }) => ({ credentialId: id, roleId })));
}

async function end(tx: Tx, intent: Intent, verb: 'REVOKE' | 'DELETE'): Promise<void> {
  const { credentialId: id, details } = intent;
  await endCredentials(tx, [id], details.reason ?? null);
  if (verb === 'DELETE') await markDeleted(tx, [id]);
  await forgetKeys(tx, id);
}

/** What an earlier call may have made, and no process heard of, is looked for: also what the store makes yet. */
async function leaveLookAfter(tx: Tx, { fence }: Lease, intent: Intent): Promise<void> {
  const { verb, details } = intent;
  if (fence > 1 && makes(verb)) await leaveLook(tx, intent, details.before ?? null, details.lostMs);
}

async function setColumns(tx: Tx, id: string, columns: Partial<Credential>): Promise<void> {
  await tx.em.getRepository(Credential).update({ id }, columns);
}

const close = (tx: Tx, { id }: Intent, state: string, failure: Failure | null) =>
  tx.rows(finish, { id, state, failure: failure && textOf(failure) });

type Told = Pick<Credential, 'id' | 'accountId' | 'projectId'>;

/** Puts on record what became of an intent: done, where there is no code. */
export const tell = (
  keyring: Keyring,
  tx: Tx,
  intent: Actor & Pick<Intent, 'verb' | 'details'>,
  { id, accountId, projectId }: Told,
  code: Code | null,
  ends?: Ending,
) =>
  recordAs(
    keyring,
    tx,
    intent,
    {
      action: `credential:${intent.verb.toLowerCase()}`,
      target: { type: 'Credential', id },
      accountId,
      projectId,
      changed: code === null ? changedBy(intent) : [],
      ends,
    },
    code,
  );

/** What an intent that is done leaves of its credential. */
function endingBy({ verb, version, details }: Intent, { connector }: OpenStore): Ending | undefined {
  if (verb === 'REVOKE') return { gone: 'REVOKED' };
  if (verb === 'DELETE') return { gone: 'DELETED' };
  if (verb !== 'ROTATE' && verb !== 'UPDATE') return undefined;
  return endingOfTerms({
    ...termsIn(details.columns ?? {}),
    ...(version !== null && { secretsBefore: version }),
    ...(verb === 'ROTATE' && wayOf(connector) === 'overlap' && { keysEnd: true }),
  });
}

const changedBy = ({ verb, details }: Pick<Intent, 'verb' | 'details'>): string[] =>
  verb === 'ROTATE'
    ? ['secret']
    : verb === 'UPDATE'
      ? [...(details.changed ?? [])]
      : verb === 'CREATE'
        ? []
        : ['status'];

const lockCredential = sql(`
  SELECT id, account_id AS "accountId", project_id AS "projectId", external_id AS "externalId",
    access_key AS "accessKey", reaches_store AS "reachesStore", rotate_every AS "rotateEvery"
  FROM credentials WHERE id = :id FOR UPDATE`);
const lockOpen = sql(`
  SELECT id, credential_id AS "credentialId", store_id AS "storeId", verb, version, rotation_id AS "rotationId", details,
    actor_id AS "actorId", actor_credential_id AS "actorCredentialId", ip, request_id AS "requestId"
  FROM intents WHERE id = :id AND fence = :fence AND state = 'OPEN' FOR UPDATE`);
const finish = sql(`
  UPDATE intents SET state = :state, failure = :failure, finished_at = now(), lease_until = now() WHERE id = :id`);
// A listing may have found it before the store's answer came.
const absorb = sql(`
  UPDATE credentials SET deleted_at = now(), revoked_at = coalesce(revoked_at, now()), updated_at = now()
  WHERE store_id = :storeId AND external_id = :externalId AND id <> :id AND deleted_at IS NULL RETURNING id`);
const created = sql(`
  UPDATE credentials SET standing = 'KNOWN', partial = :partial, observed_at = now(), revision = revision + 1,
    updated_at = now() WHERE id = :id`);
const knownAs = sql(`
  UPDATE credentials SET access_key = coalesce(CAST(:accessKey AS text), access_key), retrievable = NOT reaches_store,
    standing = 'KNOWN', problem = NULL, gone_at = NULL, observed_at = now(), observed = observed || CAST(:said AS jsonb)
  WHERE id = :id`);
const knownSince = sql(`
  UPDATE credentials SET unsaid = ARRAY(SELECT name FROM unnest(unsaid) AS name WHERE name <> ALL(CAST(:told AS text[])))
  WHERE id = :id AND unsaid && CAST(:told AS text[])`);
// What it says next is held against what it was told.
const saidSince = sql(`
  UPDATE credentials SET observed = observed || CAST(:said AS jsonb) WHERE id = :id`);
const changedNow = sql(`
  UPDATE credentials SET revision = revision + 1, updated_at = now(), observed_at = now() WHERE id = :id`);
const unmade = sql(`
  UPDATE credentials SET standing = 'KNOWN', revoked_at = now(), revoke_reason = :reason, deleted_at = now(),
    revision = revision + 1, updated_at = now() WHERE id = :id`);
const unknownCredential = sql(`
  UPDATE credentials SET standing = 'UNKNOWN', rotating_until = NULL, revision = revision + 1, updated_at = now() WHERE id = :id`);
const rolesLeft = sql(`
  SELECT id AS "roleId" FROM roles WHERE id = ANY(CAST(:roles AS uuid[])) ORDER BY id FOR KEY SHARE`);
const previousOf = sql(`
  SELECT number, access_key AS "accessKey" FROM credential_versions
  WHERE credential_id = :id AND state = 'PREVIOUS' AND access_key IS NOT NULL`);
const rotated = sql(`
  UPDATE credentials SET partial = :partial,
    rotating_until = CASE WHEN CAST(:until AS double precision) IS NULL THEN NULL
      ELSE 'infinity'::timestamptz END,
    external_id = coalesce(CAST(:externalId AS text), external_id),
    expires_at = coalesce(CAST(:expiresAt AS timestamptz), expires_at), store_revision = :revision,
    rotation_due_at = now() + CAST(:everyMs AS double precision) * interval '1 millisecond',
    revision = revision + 1, updated_at = now()
  WHERE id = :id`);
