import { authorizeActing, authorizeEnd } from '../../access/acting.js';
import { authorize, may, type Place } from '../../access/authorize.js';
import type { RequestContext } from '../../access/context.js';
import type { Permission, Principal } from '../../access/principal.js';
import type { Held } from '../../access/rights.js';
import { accountsHeld, holdAccounts } from '../../accounts/find.js';
import { isWithin } from '../../accounts/tree.js';
import { sql, type ReadRow, type Sql, type Tx } from '../../database/database.js';
import type { Part } from '../../database/joined.js';
import { forbidden, notFound } from '../../errors.js';
import { holdProject, projectHeld } from '../../projects/find.js';
import type { Project } from '../../projects/project.js';
import type { Role } from '../../roles/role.js';
import { builtInStoreId } from '../../stores/store.js';
import { CredentialKind, type Credential } from './credential.js';

/** Where a credential is, and who owns it: itself the account's, where nobody else answers for it. */
export const placeOf = ({ id, accountId, projectId, ownerId }: Credential): Place => ({
  accountId,
  projectId,
  owner: ownerId ?? accountId,
  about: { type: 'Credential', id },
});

/**
 * Whether a credential of this account may be put into this project, or into none: by the permission on its account,
 * or on a project of the organization that the account is part of.
 * @throws FORBIDDEN
 */
export async function authorizePlacing(
  ctx: RequestContext,
  permission: Permission,
  accountId: string,
  project: Project | null,
): Promise<void> {
  const byAccount = may(ctx.principal, permission, { accountId });
  if (!project) {
    if (!byAccount) throw forbidden();
    return;
  }
  authorize(ctx.principal, permission, { accountId: project.accountId, projectId: project.id });
  if (!byAccount && !(await isWithin(ctx.db, accountId, project.accountId))) throw forbidden();
}

/** Whether the caller signed with this very credential. */
export const isHolder = ({ holds }: Principal, { id }: Pick<Credential, 'id'>): boolean => holds === id;

/** What a secret can be used for in Keyway itself, and from where. */
export type Terms = Pick<
  Credential,
  'storeId' | 'kind' | 'accountId' | 'permissions' | 'expiresAt' | 'allowedIps'
>;

/**
 * The terms of a credential where it calls Keyway: a token may do what it is narrowed to, or all that its account may
 * (null); a key what the roles that it carries allow; any other nothing.
 * @param db the transaction at hand, where there is one: it may hold the only connection.
 */
export async function termsOf(db: Sql, credential: Credential): Promise<Terms> {
  const roles =
    credential.kind === CredentialKind.ACCESS_KEY
      ? await db.rows<Pick<Role, 'permissions'>>(permissionsCarried, { id: credential.id })
      : [];
  return termsBy(credential, allowedBy(roles));
}

/** The same where it is known what the roles that it carries allow. */
export function termsBy(credential: Credential, allowed: readonly Permission[]): Terms {
  if (credential.kind === CredentialKind.TOKEN) return credential;
  return { ...credential, permissions: credential.kind === CredentialKind.ACCESS_KEY ? [...allowed] : [] };
}

/** What these roles allow together. */
export const allowedBy = (roles: readonly Pick<Role, 'permissions'>[]): Permission[] => [
  ...new Set(roles.flatMap(({ permissions }) => permissions)),
];

/**
 * A caller with a temporary credential is shown no secret of its own account but that one: any other could go on
 * working after its end, or its parent's.
 * @throws FORBIDDEN
 */
export function authorizeLasting(principal: Principal, accountId: string): void {
  if (principal.parentId !== null && accountId === principal.accountId)
    throw forbidden(
      'A temporary credential cannot reveal secrets of its own account: call with a permanent one.',
    );
}

/**
 * Nobody lets a secret do more in Keyway than they may themselves, as `authorizeActing` says.
 * @param db as for `termsOf`
 * @param held the grants of its account, where they were read already
 * @throws FORBIDDEN
 */
export async function authorizeTerms(
  ctx: RequestContext,
  terms: Terms,
  db: Sql = ctx.db,
  held?: readonly Held[],
): Promise<void> {
  authorizeLasting(ctx.principal, terms.accountId);
  if (acts(terms)) await authorizeActing(ctx.principal, terms, db, held);
}

/**
 * Nobody makes, lengthens or is shown a secret that may do more in Keyway than they may themselves, nor, of their own
 * account, one that could be used there for longer than `authorizeEnd` says.
 * @param db as for `termsOf`
 * @param held as for `authorizeTerms`
 * @throws FORBIDDEN
 */
export async function authorizeShowing(
  ctx: RequestContext,
  terms: Terms,
  db: Sql = ctx.db,
  held?: readonly Held[],
): Promise<void> {
  await authorizeTerms(ctx, terms, db, held);
  // What is in an outside store calls there, and not here.
  if (acts(terms) && terms.storeId === builtInStoreId)
    authorizeEnd(ctx.principal, terms.accountId, terms.expiresAt);
}

/** Whether a secret can be used for anything in Keyway itself. */
const acts = ({ kind, permissions }: Terms) =>
  kind === CredentialKind.TOKEN || permissions === null || permissions.length > 0;

/**
 * Keeps the accounts and the project that a credential is to name from being deleted, to the end of the transaction.
 * @throws NOT_FOUND where one is gone already.
 */
export async function holdPlace(
  tx: Tx,
  accounts: readonly string[],
  projectId: string | null,
): Promise<void> {
  await holdAccounts(tx, accounts);
  if (projectId !== null) await holdProject(tx, projectId);
}

/** The same as parts of a statement, and whether what they brought is all of it. */
export function placeHeld(accounts: readonly string[], projectId: string | null): Hold {
  const ids = [...new Set(accounts)];
  return {
    parts: [accountsHeld(ids), ...(projectId === null ? [] : [projectHeld(projectId)])],
    expect: ([found = [], project]) => {
      if (found.length < ids.length || project?.length === 0) throw notFound();
    },
  };
}

/** Parts of a statement that lock. */
export interface Hold {
  readonly parts: readonly Part[];
  /** @throws NOT_FOUND where something of it is gone already */
  readonly expect: (held: readonly (readonly ReadRow[])[]) => void;
}

const permissionsCarried = sql(`
  SELECT r.permissions FROM credential_roles cr JOIN roles r ON r.id = cr.role_id WHERE cr.credential_id = :id`);
