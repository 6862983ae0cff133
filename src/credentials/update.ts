import { authorizeOwn, ownById } from '../access/acting.js';
import { withinRanges } from '../access/addresses.js';
import { authorize } from '../access/authorize.js';
import { authorizeGains } from '../access/gains.js';
import { Permission } from '../access/principal.js';
import { findAccount } from '../accounts/find.js';
import { attemptWhere } from '../accounts/second-factor.js';
import { recordAll } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { sql, type Tx } from '../database/database.js';
import { badInput, notFound, unsupported } from '../errors.js';
import type { Answer } from '../idempotency/answer.js';
import { once } from '../idempotency/once.js';
import { findProject } from '../projects/find.js';
import { findRoles } from '../roles/find.js';
import { authorizeGiving, rolesIn } from '../roles/give.js';
import type { Role } from '../roles/role.js';
import { storeNamed } from '../stores/find.js';
import { heldDestinations } from '../stores/sealed/destination.js';
import { reseal } from '../stores/sealed/reseal.js';
import { StoreKind } from '../stores/store.js';
import { instantMs, durationMs } from '../time.js';
import { CredentialRole } from './record/credential-role.js';
import { Credential, CredentialKind, CredentialStatus } from './record/credential.js';
import type { RotationPolicyInput, UpdateCredentialInput } from './credential.input.js';
import { endOrphans } from './record/end.js';
import { changedCredential, findCredential } from './record/find.js';
import { expectLiving, expectRevision, lockCredential } from './record/lock.js';
import { expectKeepable, expectTimeOfOwner, policyColumns, secretMadeMs } from './record/policy.js';
import { deedsOfChange } from './record/deeds.js';
import { carryOut } from './outside/carry-out.js';
import type { Lease } from './outside/lease.js';
import { expectIdle } from './outside/plan.js';
import { changeLimits, expectNoLimits } from './limits/keep.js';
import { noSuchSetting } from './create-outside.js';
import { authorizeSending, givenSecret, planUpdate, reaching, sendsUnseen } from './update-outside.js';
import {
  authorizePlacing,
  authorizeShowing,
  authorizeTerms,
  holdPlace,
  placeOf,
  termsOf,
} from './record/allowed.js';
import { checkedExpiry } from './record/expiry.js';

/**
 * Changes what is recorded of a credential. A field left out keeps its value; null clears it.
 * @throws NOT_FOUND; FORBIDDEN, also for an owner, roles or terms of a token that give more than the caller holds, for
 * what would act as the caller again and for longer, or as another account with more than the caller has, where anybody could do more to it at its new place than the caller
 * may, where its secret would be used at another server and the caller may not be shown it, and for any of that without
 * the second factor that the caller's account requires; CONFLICT where it has ended or has another revision than expected; BAD_USER_INPUT for an empty address list where there was a
 * restriction, for limits of what Keyway does not verify, and without what its store needs.
 */
export async function updateCredential(
  ctx: RequestContext,
  { mfaCode, ...input }: UpdateCredentialInput,
): Promise<{ credential: Credential; secretResent: boolean }> {
  const { principal } = ctx;
  const found = await findCredential(ctx, input.id, 'input.id', Permission.CREDENTIAL_UPDATE);
  authorize(principal, Permission.CREDENTIAL_UPDATE, placeOf(found));
  const store = await storeNamed(ctx).load(found.storeId);
  if (!store) throw notFound();
  const connector = ctx.connectors[store.kind];
  const owner = input.owner
    ? await findAccount(ctx, input.owner, 'input.owner', Permission.CREDENTIAL_UPDATE)
    : null;
  const project = input.project
    ? await findProject(ctx, input.project, 'input.project', Permission.CREDENTIAL_UPDATE)
    : null;
  if (input.project !== undefined) {
    await authorizePlacing(ctx, Permission.CREDENTIAL_UPDATE, found.accountId, project);
  }
  const asked =
    input.roles === undefined ? undefined : await findRoles(ctx, input.roles ?? [], 'input.roles');

  // A repeated request has the code of its own moment.
  const isSending = input.baseUrl !== undefined && !input.secret;
  const isNeeded = input.owner !== undefined || Boolean(input.project) || isSending;
  const factor = await attemptWhere(ctx, isNeeded, mfaCode);

  let lease: Lease | undefined;
  const change = async (tx: Tx): Promise<Updated> => {
    const credential = await lockCredential(ctx, tx, found.id, Permission.CREDENTIAL_UPDATE);
    expectLiving(credential);
    expectRevision(credential, input.expectedRevision);
    if (credential.parentId !== null) expectTermsKept(input);
    const isVerified = store.kind === StoreKind.BUILT_IN && credential.kind !== CredentialKind.PROVIDER_KEYS;
    if (!isVerified) expectNoLimits(input);
    const wanted = {
      ...wantedColumns(ctx, credential, input, owner?.id ?? null, project?.id ?? null),
      ...(input.rotationPolicy !== undefined && (await policyOf(tx, credential, input.rotationPolicy))),
    };
    const names = (Object.keys(wanted) as (keyof Credential)[]).filter(
      (name) => !same(name, wanted[name], credential[name]),
    );
    if (input.rotationPolicy && (names.includes('rotateEvery') || names.includes('rotateGrace')))
      await expectKeepable(tx, input.rotationPolicy, { ...credential, ...wanted }, connector);
    else if (names.includes('ownerId')) await expectTimeOfOwner(tx, { ...credential, ...wanted });
    if (names.includes('projectId') || names.includes('ownerId')) {
      const move = { from: placeOf(credential), to: placeOf({ ...credential, ...wanted }) };
      await authorizeGains(ctx, [move], tx);
      const ownerId = wanted.ownerId ?? credential.ownerId;
      await holdPlace(
        tx,
        ownerId ? [credential.accountId, ownerId] : [credential.accountId],
        wanted.projectId ?? null,
      );
    }
    const roles = asked && (await rolesIn(tx, store, asked));
    const change = roles && (await roleChange(tx, credential.id, roles));
    if (change) {
      // A store is told the whole list, which it may have shortened by now: each role on it is given anew.
      const kept = store.kind === StoreKind.BUILT_IN ? change.kept : [];
      const place = { ...placeOf({ ...credential, ...wanted }), accountId: credential.accountId, store };
      await authorizeGiving(ctx, asked ?? [], place, kept, tx);
    }
    await factor.prove(tx);
    if (connector && store.kind !== StoreKind.BUILT_IN) {
      if (typeof input.expectedRevision === 'number') await expectIdle(tx, credential.id);
      if (names.includes('baseUrl') && !connector.keeps?.includes('baseUrl'))
        throw badInput('input.baseUrl', noSuchSetting);
      if (names.includes('baseUrl') && isSending) authorizeSending(ctx, credential);
      const reaches = reaching(connector, [...names, ...(change ? ['roles'] : [])]);
      const given = givenSecret(connector, credential, input, reaches);
      if (reaches) {
        const columns = Object.fromEntries(names.map((name) => [name, wanted[name]])) as Partial<Credential>;
        connector.expect?.({ ...columns, provider: credential.provider });
        const carry = { names: await roleNames(tx, credential.id, roles), changed: change && roles };
        const changed = [...publicNames(names), ...(change ? ['roles'] : [])];
        const secret = { given, overwriteSecret: input.overwriteSecret === true };
        lease = await planUpdate(ctx, tx, credential, columns, carry, changed, secret);
        const secretResent = sendsUnseen(connector, given);
        return { id: credential.id, intent: lease.id, secretResent };
      }
    } else {
      if (input.baseUrl) throw badInput('input.baseUrl', noSuchSetting);
      givenSecret(undefined, credential, input, false);
    }
    if (change) await changeRoles(tx, credential.id, change);
    const rolesChanged = change !== undefined;
    if (rolesChanged || names.includes('expiresAt') || names.includes('allowedIps')) {
      await tx.rows(holdRoles, { id: credential.id });
      const terms = await termsOf(tx, { ...credential, ...wanted });
      const isMore =
        names.includes('expiresAt') ||
        (change?.added ?? []).length > 0 ||
        !withinRanges(terms.allowedIps, credential.allowedIps);
      await (isMore ? authorizeShowing(ctx, terms, tx) : authorizeTerms(ctx, terms, tx));
    }
    if (names.includes('projectId')) await sealAnew(ctx, tx, credential, wanted.projectId ?? null);
    const { changed: limitsChanged, limits } = await changeLimits(tx, credential.id, input);
    if (names.length > 0 || rolesChanged || limitsChanged.length > 0) {
      await tx.em.getRepository(Credential).update(
        { id: credential.id },
        {
          ...Object.fromEntries(names.map((name) => [name, wanted[name]])),
          revision: () => 'revision + 1',
          updatedAt: () => 'now()',
        },
      );
    }
    const slept = credential.status === CredentialStatus.DISABLED && (wanted.enabled ?? credential.enabled);
    if (slept && (names.includes('enabled') || names.includes('ownerId'))) {
      await authorizeOwn(principal, ownById, { id: credential.id }, tx);
      if (isVerified && credential.accountId !== principal.accountId)
        await authorizeTerms(ctx, await termsOf(tx, { ...credential, ...wanted }), tx);
    }
    if (names.includes('projectId')) await endOrphans(tx, [credential.id]);
    if (names.includes('ownerId'))
      await tx.rows(handOver, { id: credential.id, owner: wanted.ownerId ?? null });
    const changed = [...publicNames(names), ...(rolesChanged ? ['roles'] : []), ...limitsChanged];
    const kept = Object.fromEntries(names.map((name) => [name, wanted[name]])) as Partial<Credential>;
    await recordAll(ctx, tx, deedsOfChange(credential, kept, changed, change?.dropped, limits));
    return { id: credential.id, intent: null, secretResent: false };
  };
  const { result } = await factor.during(() => once(ctx, 'credential:update', input, change));
  if (result.intent !== null) await carryOut(ctx, 'credential:update', input, result.intent, lease);
  return { credential: await changedCredential(ctx, result.id), secretResent: result.secretResent ?? false };
}

interface Updated extends Answer {
  id: string;
  intent: string | null;
  /** Left out in answers that were kept by earlier versions. */
  secretResent?: boolean;
}

/** @throws UNSUPPORTED for what a temporary credential was issued with: it is never more than its parent. */
function expectTermsKept(input: UpdateCredentialInput): void {
  const terms = [
    'roles',
    'allowedIps',
    'expiresAt',
    'owner',
    'project',
    'rotationPolicy',
    'rateLimit',
    'remainingUses',
  ] as const;
  if (terms.some((name) => input[name] !== undefined))
    throw unsupported('A temporary credential keeps the terms that it was issued with: issue another one.');
}

/** The columns that the input names, with their new values: a fixed list, whatever else an input may come to hold. */
function wantedColumns(
  ctx: RequestContext,
  credential: Credential,
  input: UpdateCredentialInput,
  ownerId: string | null,
  projectId: string | null,
): Partial<Credential> {
  const { name, description, category, fullName, email, enabled, allowedIps, expiresAt, baseUrl } = input;
  if (allowedIps?.length === 0 && credential.allowedIps.length > 0) {
    throw badInput('input.allowedIps', 'must not be empty: null lets it be used from anywhere');
  }
  return {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(category !== undefined && { category }),
    ...(fullName !== undefined && { fullName }),
    ...(email !== undefined && { email }),
    ...(enabled !== undefined && { enabled }),
    ...(allowedIps !== undefined && { allowedIps: [...new Set(allowedIps ?? [])] }),
    ...(expiresAt !== undefined && { expiresAt: checkedExpiry(ctx, credential, expiresAt) }),
    ...(baseUrl !== undefined && { baseUrl }),
    ...(input.owner !== undefined && { ownerId }),
    ...(input.project !== undefined && { projectId }),
  };
}

/** The columns of a policy. An interval that stays as long as it was keeps the time at which the next one is due. */
async function policyOf(tx: Tx, credential: Credential, policy: RotationPolicyInput | null) {
  if (policy && same('rotateEvery', policy.every, credential.rotateEvery))
    return { rotateEvery: policy.every, rotateGrace: policy.gracePeriod };
  return policyColumns(policy, policy ? await secretMadeMs(tx, credential.id) : 0);
}

/** Which roles come and which go; undefined where they stay as they are. */
async function roleChange(tx: Tx, id: string, roles: readonly Role[]) {
  const had = (await tx.rows<{ id: string }>(roleIdsCarried, { id })).map((role) => role.id);
  const added = roles.filter((role) => !had.includes(role.id));
  const dropped = had.filter((one) => !roles.some((role) => role.id === one));
  const kept = had.filter((one) => !dropped.includes(one));
  return added.length > 0 || dropped.length > 0 ? { added, dropped, kept } : undefined;
}

/** The names of the roles that a credential is to carry: those given, or those that it has. */
const roleNames = async (tx: Tx, id: string, roles: readonly Role[] | undefined): Promise<string[]> =>
  (roles ?? (await tx.rows<Pick<Role, 'name'>>(carriedNames, { id }))).map(({ name }) => name);

type RoleChange = NonNullable<Awaited<ReturnType<typeof roleChange>>>;

async function changeRoles(tx: Tx, id: string, { added, dropped }: RoleChange): Promise<void> {
  const repository = tx.em.getRepository(CredentialRole);
  if (added.length > 0) await repository.insert(added.map((role) => ({ credentialId: id, roleId: role.id })));
  for (const roleId of dropped) await repository.delete({ credentialId: id, roleId });
}

/** What is sealed is bound to its project, so it is sealed again for the next one. */
async function sealAnew(
  ctx: RequestContext,
  tx: Tx,
  { id, accountId, storeId, ...from }: Credential,
  projectId: string | null,
): Promise<void> {
  const place = { id, accountId, destination: (await heldDestinations(tx, [storeId])).get(storeId) };
  const secrets = await tx.rows<{ number: number; sealed: Buffer }>(sealedVersions, { id });
  const moving = secrets.map((secret) => ({
    ...secret,
    id,
    from: { ...place, projectId: from.projectId },
    to: { ...place, projectId },
  }));
  await reseal(ctx.keyring, tx, moving);
}

function same(name: keyof Credential, one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) return one.join() === other.join();
  if (typeof one !== 'string' || typeof other !== 'string') return one === other;
  if (name === 'expiresAt' || name === 'rotationDueAt') return instantMs(one) === instantMs(other);
  // Of before there was one spelling of each length.
  if (name === 'rotateEvery' || name === 'rotateGrace') return durationMs(one) === durationMs(other);
  return one === other;
}

const columnsOfPolicy = new Set(['rotateEvery', 'rotateGrace', 'rotationDueAt']);

/** The names that the graph has for columns. */
const publicNames = (names: readonly string[]): string[] => [
  ...new Set(names.map((name) => (columnsOfPolicy.has(name) ? 'rotationPolicy' : name.replace(/Id$/, '')))),
];

// Who widens one of them waits, and then sees what has become of the credential.
const holdRoles = sql(`
  SELECT FROM roles r JOIN credential_roles cr ON cr.role_id = r.id
  WHERE cr.credential_id = :id ORDER BY r.id FOR KEY SHARE OF r`);
const roleIdsCarried = sql('SELECT role_id AS id FROM credential_roles WHERE credential_id = :id');
const carriedNames = sql(`
  SELECT r.name FROM credential_roles cr JOIN roles r ON r.id = cr.role_id WHERE cr.credential_id = :id ORDER BY 1`);
const sealedVersions = sql(`
  SELECT number, sealed FROM credential_versions WHERE credential_id = :id AND sealed IS NOT NULL`);
// Who answers for it answers for what was derived from it, and nobody else.
const handOver = sql(`
  UPDATE credentials SET owner_id = :owner, revision = revision + 1, updated_at = now()
  WHERE parent_id = :id AND revoked_at IS NULL AND owner_id IS DISTINCT FROM CAST(:owner AS uuid)`);
