import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import type { Account } from '../accounts/account.js';
import { isWithin } from '../accounts/tree.js';
import { callerOf } from '../audit/decision.js';
import type { Connector } from '../connectors/connector.js';
import type { RequestContext } from '../access/context.js';
import { violates, type Tx } from '../database/database.js';
import { badInput, conflict, forbidden, unsupported } from '../errors.js';
import { onceReaching } from '../idempotency/once.js';
import { newId } from '../ids.js';
import type { Project } from '../projects/project.js';
import { rolesIn } from '../roles/give.js';
import type { Role } from '../roles/role.js';
import { forChange, withStore } from '../stores/open.js';
import { authorizeScope } from '../stores/scopes/authorize-scope.js';
import type { CredentialStore } from '../stores/store.js';
import { CredentialRole } from './record/credential-role.js';
import { noUseYet } from './record/credential-use.js';
import { Credential, type Unsaid } from './record/credential.js';
import type { CreateCredentialInput } from './credential.input.js';
import { expectNoLimits } from './limits/keep.js';
import type { IssuedSecret } from './secret/issued-secret.js';
import { keepOutside } from './secret/keep-secret.js';
import { factorFor, type Coded } from './secret/factor.js';
import { mayStill, shown } from './secret/shown.js';
import { holdPlace } from './record/allowed.js';
import { checkedExpiry } from './record/expiry.js';
import { expectKeepable, policyColumns } from './record/policy.js';
import { changedCredential } from './record/find.js';
import { beginVersion } from './record/versions.js';
import { carryOut, type Planned } from './outside/carry-out.js';
import { expectRetrievable, outsideWish, type OutsideWish } from './outside/outside-wish.js';
import type { Lease } from './outside/lease.js';
import { plan } from './outside/plan.js';
import { enforced } from './update-outside.js';
import { wayOf, wishOf } from './outside/work.js';

/** Where a credential is to be, and what it is to carry: found and allowed already. */
export interface Placing {
  account: Account;
  owner: Account | null;
  project: Project | null;
  roles: readonly Role[];
}

/**
 * Makes a credential in an outside store. Until the store has answered it is PENDING.
 * @throws FORBIDDEN for a store of another account's, and for a scope that is not the caller's to create in; BAD_USER_INPUT for what the store does not keep, and without what
 * it needs; what the store says; OUTCOME_UNKNOWN where its answer was lost.
 */
export async function createOutside(
  ctx: RequestContext,
  input: Omit<CreateCredentialInput, 'mfaCode'>,
  mfaCode: CreateCredentialInput['mfaCode'],
  store: CredentialStore,
  placing: Placing,
): Promise<{ credential: Credential; issued: IssuedSecret | null }> {
  const connector = ctx.connectors[store.kind];
  if (!connector?.create) throw unsupported();
  await authorizeStore(ctx, store, placing.account);
  await authorizeScope(ctx, store, input.scope);
  const wish = outsideWish(connector, input.secret);
  expectKept(connector, input);
  expectNoLimits(input);
  expectRetrievable(input);
  const columns = { ...columnsOf(ctx, input, store, placing, wish, connector), id: newId() };
  connector.expect?.(columns);
  const factor = await factorFor(ctx, mfaCode);

  let lease: Lease | undefined;
  const reach = () => presentBefore(ctx, connector, columns, wish);
  const keep = async (tx: Tx, before: readonly string[] | undefined): Promise<Planned & Coded> => {
    const { account, owner, project, roles } = placing;
    await authorizeScope(ctx, store, input.scope, tx);
    await holdPlace(tx, owner ? [account.id, owner.id] : [account.id], project?.id ?? null);
    const { id } = columns;
    if (input.rotationPolicy) await expectKeepable(tx, input.rotationPolicy, columns, connector);
    await insert(tx, { ...columns, expiresAt: checkedExpiry(ctx, columns, input.expiresAt) });
    const kept = wish.chosen ? await keepOutside(ctx.keyring, tx, columns, 1, wish.chosen) : {};
    const { accessKey } = wish;
    await beginVersion(tx, { credentialId: id, number: 1, state: 'PENDING', accessKey, ...kept });
    await tx.rows(noUseYet, { id });
    if (roles.length > 0)
      await tx.em
        .getRepository(CredentialRole)
        .insert((await rolesIn(tx, store, roles)).map((role) => ({ credentialId: id, roleId: role.id })));
    const code = await factor.prove(tx);
    lease = await plan(tx, callerOf(ctx), {
      credentialId: id,
      storeId: store.id,
      verb: 'CREATE',
      version: 1,
      details: { ...(before && { before }) },
    });
    return { id, intent: lease.id, version: 1, code };
  };
  const outcome = await factor.during(() => onceReaching(ctx, 'credential:create', input, { reach, keep }));
  await carryOut(ctx, 'credential:create', input, outcome.result.intent, lease);
  const issued = await shown(ctx, outcome, mayStill(ctx, outcome, Permission.CREDENTIAL_CREATE));
  return { credential: await changedCredential(ctx, outcome.result.id), issued };
}

/** A store is for the account that has it, and for what is part of that. @throws FORBIDDEN */
async function authorizeStore({ principal, db }: RequestContext, store: CredentialStore, account: Account) {
  const { accountId, id } = store;
  if (accountId === null) throw unsupported();
  authorize(principal, Permission.CREDENTIAL_CREATE, { accountId, about: { type: 'CredentialStore', id } });
  if (!(await isWithin(db, account.id, accountId)))
    throw forbidden(
      'The store is for credentials of the account that it belongs to, and of its sub-accounts.',
    );
}

function expectKept({ keeps = [] }: Connector, input: Omit<CreateCredentialInput, 'mfaCode'>): void {
  const asked = {
    enabled: input.enabled === false,
    allowedIps: (input.allowedIps ?? []).length > 0,
    expiresAt: typeof input.expiresAt === 'string',
  };
  if (input.baseUrl && !keeps.includes('baseUrl')) throw badInput('input.baseUrl', noSuchSetting);
  for (const name of enforced) {
    if (asked[name] && !keeps.includes(name)) throw badInput(`input.${name}`, noSuchSetting);
  }
}

/** What a store does not keep by itself it will not say either, before it was asked. */
const unsaidOf = (keeps: Connector['keeps'] = []): Unsaid[] =>
  (['enabled', 'allowedIps'] as const).filter((name) => !keeps.includes(name));

/** Why something is refused that a store does not keep. */
export const noSuchSetting = 'must be left out: this store has no such setting';

function columnsOf(
  { at }: RequestContext,
  input: Omit<CreateCredentialInput, 'mfaCode'>,
  store: CredentialStore,
  { account, owner, project }: Placing,
  { kind, provider, accessKey }: OutsideWish,
  { keeps }: Connector,
) {
  return {
    storeId: store.id,
    scope: input.scope ?? null,
    accountId: account.id,
    ownerId: owner?.id ?? null,
    projectId: project?.id ?? null,
    kind,
    provider,
    accessKey,
    name: input.name,
    description: input.description ?? null,
    category: input.category ?? null,
    fullName: input.fullName ?? null,
    email: input.email ?? null,
    enabled: input.enabled ?? true,
    allowedIps: [...new Set(input.allowedIps ?? [])],
    baseUrl: input.baseUrl ?? null,
    unsaid: unsaidOf(keeps),
    retrievable: true,
    permissions: null,
    standing: 'PENDING' as const,
    ...policyColumns(input.rotationPolicy, at),
  };
}

/**
 * What is there already, where it tells what a lost answer made. Where no place is named, it is also asked whether there
 * is only one. @throws BAD_USER_INPUT
 */
async function presentBefore(
  ctx: RequestContext,
  connector: Connector,
  columns: Pick<Credential, 'storeId' | 'scope' | 'name'>,
  { kind, provider, accessKey, chosen }: OutsideWish,
): Promise<readonly string[] | undefined> {
  const replaces = wayOf(connector) === 'replaced';
  if (!connector.present || (replaces && columns.scope !== null)) return undefined;
  const wish = wishOf({ kind, provider, accessKey } as Credential, chosen);
  const at = { scope: columns.scope ?? '', wish, name: columns.name };
  const there = await withStore(ctx, columns.storeId, async ({ upstream }) =>
    connector.present?.(forChange(upstream), at),
  );
  return replaces ? undefined : there;
}

async function insert(tx: Tx, columns: Partial<Credential>): Promise<void> {
  try {
    await tx.em.getRepository(Credential).insert(columns);
  } catch (error) {
    if (violates(error, 'credentials_access_key')) throw conflict('The user name is in use in this store.');
    throw error;
  }
}
