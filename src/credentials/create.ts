import { authorizeOwn, ownById } from '../access/acting.js';
import { Permission, whoseOf } from '../access/principal.js';
import { findAccount } from '../accounts/find.js';
import { record } from '../audit/record.js';
import { mint } from '../connectors/built-in.js';
import type { RequestContext } from '../context.js';
import { violates, type Tx } from '../database/database.js';
import { badInput, conflict } from '../errors.js';
import { once } from '../idempotency/once.js';
import { newId } from '../ids.js';
import { isGeneratedKey } from '../keyring/token.js';
import { findProject } from '../projects/find.js';
import { findRoles } from '../roles/find.js';
import { authorizeGiving } from '../roles/give.js';
import { findStore } from '../stores/find.js';
import { StoreKind } from '../stores/store.js';
import { supporting } from '../stores/supporting.js';
import { CredentialRole } from './record/credential-role.js';
import { noUseYet } from './record/credential-use.js';
import { Credential, CredentialKind } from './record/credential.js';
import type { CreateCredentialInput } from './credential.input.js';
import { changedCredential } from './record/find.js';
import { expectKeepable, policyColumns } from './record/policy.js';
import { partsOf, type IssuedSecret } from './secret/issued-secret.js';
import { keepSecret, prepare } from './secret/keep-secret.js';
import {
  authorizeLasting,
  authorizePlacing,
  allowedBy,
  authorizeShowing,
  holdPlace,
} from './record/allowed.js';
import { checkedExpiry, expiryFor } from './record/expiry.js';
import { createOutside, noSuchSetting } from './create-outside.js';
import { beginVersion } from './record/versions.js';
import { factorFor, type Coded } from './secret/factor.js';
import { mayStill, shown, type Made } from './secret/shown.js';
import { wishFor } from './secret/wish.js';

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
): Promise<{ credential: Credential; issued: IssuedSecret | null }> {
  const { principal } = ctx;
  const store = await findStore(ctx, input.store);
  const account = await findAccount(ctx, input.account, 'input.account', Permission.CREDENTIAL_CREATE);
  const owner = input.owner
    ? await findAccount(ctx, input.owner, 'input.owner', Permission.CREDENTIAL_CREATE)
    : null;
  const project = input.project
    ? await findProject(ctx, input.project, 'input.project', Permission.CREDENTIAL_CREATE)
    : null;
  await authorizePlacing(ctx, Permission.CREDENTIAL_CREATE, account.id, project);
  const roles = await findRoles(ctx, input.roles ?? [], 'input.roles');
  await authorizeGiving(ctx, roles, { accountId: account.id, projectId: project?.id, store });
  authorizeLasting(principal, account.id);

  supporting(ctx.connectors, store, 'create');
  if (store.kind !== StoreKind.BUILT_IN)
    return createOutside(ctx, input, mfaCode, store, { account, owner, project, roles });
  if (input.scope) throw badInput('input.scope', "must be left out: Keyway's own store has no such places");
  if (input.baseUrl) throw badInput('input.baseUrl', noSuchSetting);
  const { wish, provider } = wishFor(input.secret, account);
  if (wish.kind === 'PASSWORD' && [wish.accessKey, wish.accessKey.toUpperCase()].some(isGeneratedKey))
    throw badInput('input.secret.password.username', "must not read like an access key of Keyway's");
  const kind = CredentialKind[wish.kind];
  const permissions = input.secret.token?.permissions ?? null;
  const allowedIps = [...new Set(input.allowedIps ?? [])];
  await authorizeShowing(ctx, {
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
  });

  const prepared = await prepare(ctx.keyring, whoseOf(ctx.principal), kind, mint(wish));
  const retrievable = kind === CredentialKind.PROVIDER_KEYS || input.retrievable === true;
  const policy = input.rotationPolicy;
  const factor = await factorFor(ctx, mfaCode);

  const create = async (tx: Tx): Promise<Made & Coded> => {
    await holdPlace(tx, owner ? [account.id, owner.id] : [account.id], project?.id ?? null);
    const id = newId();
    const expiresAt = checkedExpiry(ctx, { kind, accountId: account.id }, input.expiresAt);
    const columns = {
      id,
      storeId: store.id,
      accountId: account.id,
      ownerId: owner?.id ?? null,
      projectId: project?.id ?? null,
      kind,
      name: input.name,
      description: input.description ?? null,
      accessKey: prepared.minted.accessKey,
      provider,
      category: input.category ?? null,
      fullName: input.fullName ?? null,
      email: input.email ?? null,
      enabled: input.enabled ?? true,
      allowedIps,
      retrievable,
      permissions,
      secretPrefix: 'prefix' in wish ? wish.prefix : null,
      secretFormat: wish.kind === 'ACCESS_KEY' ? wish.format : null,
      signatureScheme: input.secret.accessKey?.scheme ?? null,
      ...policyColumns(policy, ctx.at),
      expiresAt,
    };
    if (policy) await expectKeepable(tx, policy, columns);
    await insert(tx, columns);
    const kept = await keepSecret(ctx, columns, 1, kind, retrievable, prepared);
    await beginVersion(tx, {
      credentialId: id,
      number: 1,
      state: 'CURRENT',
      accessKey: prepared.minted.accessKey,
      ...kept,
    });
    await tx.rows(noUseYet, { id });
    if (roles.length > 0) {
      await tx.em
        .getRepository(CredentialRole)
        .insert(roles.map((role) => ({ credentialId: id, roleId: role.id })));
      // A role may have gained permissions since it was found.
      await authorizeOwn(principal, ownById, { id }, tx);
    }
    const code = await factor.prove(tx);
    await record(ctx, tx, {
      action: 'credential:create',
      target: { type: 'Credential', id },
      accountId: account.id,
      projectId: project?.id ?? null,
    });
    return { id, version: 1, issued: partsOf(prepared.minted, { expiresAt, provider }), code };
  };
  const outcome = await factor.during(() => once(ctx, 'credential:create', input, create));
  const issued = await shown(ctx, outcome, mayStill(ctx, outcome, Permission.CREDENTIAL_CREATE));
  return { credential: await changedCredential(ctx, outcome.result.id), issued };
}

async function insert(tx: Tx, columns: Partial<Credential>): Promise<void> {
  try {
    await tx.em.getRepository(Credential).insert(columns);
  } catch (error) {
    if (violates(error, 'credentials_username')) throw conflict('The account has this user name already.');
    throw error;
  }
}
