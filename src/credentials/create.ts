import { expectOwn } from '../access/acting.js';
import { may } from '../access/authorize.js';
import { Permission, whoseOf } from '../access/principal.js';
import { accountKept, findAccount, grantsHeld } from '../accounts/find.js';
import { atOnce, type AtOnce, type DoneAtOnce } from '../audit/at-once.js';
import { mint } from '../connectors/built-in.js';
import type { Wish } from '../connectors/connector.js';
import type { RequestContext } from '../access/context.js';
import { violates, type ReadRow } from '../database/database.js';
import { inserting } from '../database/insert.js';
import { badInput, conflict } from '../errors.js';
import { newId } from '../ids.js';
import { isGeneratedKey } from '../keyring/token.js';
import { findProject } from '../projects/find.js';
import { inOrder } from '../lists/loading.js';
import { findRoles, rolesHeld } from '../roles/find.js';
import { authorizeGiving } from '../roles/give.js';
import type { Role } from '../roles/role.js';
import { findStore } from '../stores/find.js';
import { StoreKind, type CredentialStore } from '../stores/store.js';
import { supporting } from '../stores/supporting.js';
import { CredentialRole } from './record/credential-role.js';
import { noUseYet } from './record/credential-use.js';
import { Credential, CredentialKind } from './record/credential.js';
import type { CreateCredentialInput } from './credential.input.js';
import { changedCredential, columnsOfChanged, tellOf } from './record/find.js';
import { expectKeepable, policyColumns } from './record/policy.js';
import { partsOf, type IssuedSecret } from './secret/issued-secret.js';
import { keepSecret, prepare } from './secret/keep-secret.js';
import {
  authorizeLasting,
  authorizePlacing,
  allowedBy,
  authorizeShowing,
  placeHeld,
  placeOf,
} from './record/allowed.js';
import { checkedExpiry, expiryFor } from './record/expiry.js';
import { expectNoLimits, limitsBegun } from './limits/keep.js';
import { createOutside, noSuchSetting, type Placing } from './create-outside.js';
import { versionBegun } from './record/versions.js';
import { factorFor, type Coded } from './secret/factor.js';
import { mayStill, shown, type Made } from './secret/shown.js';
import { wishFor } from './secret/wish.js';

type Given = Omit<CreateCredentialInput, 'mfaCode'>;
interface Created {
  credential: Credential;
  issued: IssuedSecret | null;
}

/**
 * Makes a credential, and its first secret, which is shown in the answer.
 * @throws NOT_FOUND for an account, owner, project, role or store that the caller may not see; FORBIDDEN without
 * CREDENTIAL_CREATE there, for roles that are not the caller's to give, for tokens and keys that may do more than the
 * caller, or for longer, and without the second factor that the caller's account requires; CONFLICT for a user name in
 * use; BAD_USER_INPUT for one that reads like an access key, and for roles that cannot be used there.
 */
export async function createCredential(
  ctx: RequestContext,
  { mfaCode, ...input }: CreateCredentialInput,
): Promise<Created> {
  const { principal } = ctx;
  const by = Permission.CREDENTIAL_CREATE;
  const { account: accountId, owner: ownerId, project: projectId } = input;
  const nothing = Promise.resolve(null);
  const [store, account, owner, project, roles, grants] = await inOrder([
    findStore(ctx, input.store),
    findAccount(ctx, accountId, 'input.account', by),
    ownerId ? findAccount(ctx, ownerId, 'input.owner', by) : nothing,
    projectId ? findProject(ctx, projectId, 'input.project', by) : nothing,
    findRoles(ctx, input.roles ?? [], 'input.roles'),
    grantsHeld(ctx, accountId, 'input.account'),
  ]);
  const placing = { account, owner, project, roles };
  await authorizePlacing(ctx, by, account.id, project);
  await authorizeGiving(ctx, roles, {
    accountId: account.id,
    projectId: project?.id,
    receiver: owner?.id,
    store,
  });
  authorizeLasting(principal, account.id);

  supporting(ctx.connectors, store, 'create');
  return store.kind === StoreKind.BUILT_IN
    ? createHere(ctx, input, mfaCode, store, placing, grants)
    : createOutside(ctx, input, mfaCode, store, placing);
}

/** Makes one in Keyway's own store, as `createCredential` does. */
async function createHere(
  ctx: RequestContext,
  input: Given,
  mfaCode: CreateCredentialInput['mfaCode'],
  store: CredentialStore,
  placing: Placing,
  grants: Awaited<ReturnType<typeof grantsHeld>>,
): Promise<Created> {
  const { principal } = ctx;
  const { account, owner, project, roles } = placing;
  if (input.scope) throw badInput('input.scope', "must be left out: Keyway's own store has no such places");
  if (input.baseUrl) throw badInput('input.baseUrl', noSuchSetting);
  const id = newId();
  const { wish, provider } = wishFor(input.secret, account);
  if (wish.kind === 'PASSWORD' && [wish.accessKey, wish.accessKey.toUpperCase()].some(isGeneratedKey))
    throw badInput('input.secret.password.username', "must not read like an access key of Keyway's");
  const kind = CredentialKind[wish.kind];
  if (kind === CredentialKind.PROVIDER_KEYS) expectNoLimits(input);
  const limits = limitsBegun(id, input);
  const permissions = input.secret.token?.permissions ?? null;
  const allowedIps = [...new Set(input.allowedIps ?? [])];
  const terms = {
    storeId: store.id,
    kind,
    accountId: account.id,
    permissions:
      kind === CredentialKind.TOKEN
        ? permissions
        : kind === CredentialKind.ACCESS_KEY
          ? allowedBy(roles)
          : [],
    expiresAt: expiryFor(ctx, { kind, accountId: account.id }, input.expiresAt),
    allowedIps,
  };
  await authorizeShowing(ctx, terms, ctx.db, grants);

  const prepared = await prepare(ctx.keyring, whoseOf(ctx.principal), kind, mint(wish));
  const { accessKey } = prepared.minted;
  const retrievable = kind === CredentialKind.PROVIDER_KEYS || input.retrievable === true;
  const policy = input.rotationPolicy;
  const held = placeHeld(owner ? [account.id, owner.id] : [account.id], project?.id ?? null);
  const columns = {
    ...columnsOf(ctx, input, store, placing, wish),
    id,
    kind,
    provider,
    accessKey,
    allowedIps,
    retrievable,
    permissions,
  };

  const roleIds = roles.map((role) => role.id);
  // Sealed before the factor is asked for, so that a seal that fails costs no try of it.
  const kept = await keepSecret(ctx, columns, 1, kind, retrievable, prepared);
  const factor = await factorFor(ctx, mfaCode);
  let code: string | null = null;
  const last = { accounts: [account.id] };
  const create: AtOnce<Made & Coded> = {
    holds: [accountKept(principal.accountId), ...held.parts, rolesHeld(ctx.db, roleIds)],
    last: factor.isProved
      ? async (tx, [, ...locked]) => {
          held.expect(locked.slice(0, -1));
          code = await factor.prove(tx);
          return last;
        }
      : last,
    decide: async (tx, [, ...locked]) => {
      held.expect(locked.slice(0, -1));
      const expiresAt = checkedExpiry(ctx, { kind, accountId: account.id }, input.expiresAt);
      // A role may have gained permissions since it was found.
      const rolePermissions = allowedBy(rolesOf(locked));
      if (roles.length > 0 && account.id === principal.accountId && callsBy(kind))
        expectOwn(principal, [{ kind, permissions, rolePermissions, allowedIps, expiresAt }]);
      if (
        kind === CredentialKind.ACCESS_KEY &&
        !rolePermissions.every((one) => terms.permissions?.includes(one))
      )
        await authorizeShowing(ctx, { ...terms, permissions: rolePermissions }, tx);
      if (policy) await expectKeepable(tx, policy, columns);
      return {
        writes: [
          inserting(ctx.db, Credential, [{ ...columns, expiresAt }], { changed: columnsOfChanged }),
          versionBegun(ctx.db, { credentialId: id, number: 1, state: 'CURRENT', accessKey, ...kept }),
          { statement: noUseYet, parameters: { id } },
          ...limits,
          ...(roles.length > 0
            ? [
                inserting(
                  ctx.db,
                  CredentialRole,
                  roleIds.map((roleId) => ({ credentialId: id, roleId })),
                ),
              ]
            : []),
        ],
        deeds: [
          {
            action: 'credential:create',
            target: { type: 'Credential', id },
            accountId: account.id,
            projectId: project?.id ?? null,
          },
        ],
        result: { id, version: 1, issued: partsOf(prepared.minted, { expiresAt, provider }), code },
      };
    },
  };
  const outcome = await factor
    .during(() => atOnce(ctx, 'credential:create', input, create))
    .catch((error: unknown) => {
      if (violates(error, 'credentials_username')) throw conflict('The account has this user name already.');
      throw error;
    });
  const issued = await shown(ctx, outcome, mayStill(ctx, outcome, Permission.CREDENTIAL_CREATE));
  // The row, as it was written, knows nothing of what was written beside it.
  const credential =
    limits.length > 0
      ? await changedCredential(ctx, outcome.result.id)
      : await answered(ctx, outcome, store, placing);
  return { credential, issued };
}

/** What is made with the row, and what is said of it. */
function columnsOf(
  ctx: RequestContext,
  input: Given,
  store: CredentialStore,
  { account, owner, project }: Placing,
  wish: Wish,
) {
  return {
    storeId: store.id,
    accountId: account.id,
    createdById: ctx.principal.accountId,
    ownerId: owner?.id ?? null,
    projectId: project?.id ?? null,
    name: input.name,
    description: input.description ?? null,
    category: input.category ?? null,
    fullName: input.fullName ?? null,
    email: input.email ?? null,
    enabled: input.enabled ?? true,
    secretPrefix: 'prefix' in wish ? wish.prefix : null,
    secretFormat: wish.kind === 'ACCESS_KEY' ? wish.format : null,
    signatureScheme: input.secret.accessKey?.scheme ?? null,
    ...policyColumns(input.rotationPolicy, ctx.at),
  };
}

/** The credential as it was written, with what was found and locked for it already known. */
async function answered(
  ctx: RequestContext,
  outcome: DoneAtOnce<Made>,
  store: CredentialStore,
  { account, owner, project }: Placing,
): Promise<Credential> {
  const [credential] = (outcome.brought[0] ?? []) as unknown as Credential[];
  if (!credential) return changedCredential(ctx, outcome.result.id);
  const place = placeOf(credential);
  const sees = [Permission.CREDENTIAL_READ, Permission.CREDENTIAL_VERIFY].some((one) =>
    may(ctx.principal, one, place),
  );
  const carried = sees ? rolesOf(outcome.held) : undefined;
  tellOf(ctx, credential, { store, accounts: owner ? [account, owner] : [account], project, roles: carried });
  return credential;
}

/** The roles, which are locked last. */
const rolesOf = (locked: readonly (readonly ReadRow[])[]) => (locked.at(-1) ?? []) as unknown as Role[];

/** Whether a credential of that kind can call Keyway. */
const callsBy = (kind: CredentialKind) => kind === CredentialKind.TOKEN || kind === CredentialKind.ACCESS_KEY;
