import type { Condition } from '../database/database.js';
import { ownerMay } from './authorize.js';
import { endedBelow, type EndedPlaces } from './ended.js';
import { Permission, type Principal, type Reach } from './principal.js';

// Who may see what, all of it on this page. Each function gives the condition that goes into the WHERE of every
// statement that reads such rows. What a row that one may see must name, one may see too: the account and project of a
// credential, the account of a project. Whoever signed with a key sees that key and what its roles allow: what else its
// account holds is not the key's.

/**
 * Credentials `c`: by CREDENTIAL_READ on their account or project, one's own, and the key that one signed with.
 * @param also a permission that shows them too, for the verb that needs it.
 */
export function credentialScope(principal: Principal, also?: Permission): Condition {
  const reach = reachOf(principal, Permission.CREDENTIAL_READ, also);
  if (reach.everywhere) return everything;
  const own =
    ownerMay(principal, Permission.CREDENTIAL_READ) || (also !== undefined && ownerMay(principal, also));
  const { holds } = principal;
  return {
    sql: `(c.account_id = ANY(:credentialAccounts) OR c.project_id = ANY(:credentialProjects)${
      own ? ' OR c.owner_id = :me OR (c.owner_id IS NULL AND c.account_id = :me)' : ''
    }${holds === null ? '' : ' OR c.id = :holds'})`,
    parameters: {
      credentialAccounts: [...reach.accounts],
      credentialProjects: [...reach.projects],
      ...(own && { me: principal.accountId }),
      ...(holds !== null && { holds }),
    },
    shape: `${own ? 'own' : 'some'}${holds === null ? '' : '+key'}`,
  };
}

/** The condition on all that stands in a place of which the caller sees everything. */
export const everything: Condition = { sql: 'true', parameters: {}, shape: 'all' };

/**
 * Whether the caller sees each credential of an account, or of a project: there `credentialScope` is true of every row, and
 * to ask for it would have PostgreSQL read and sort the whole place for one page.
 */
export function seesAllOf(principal: Principal, places: 'accounts' | 'projects'): (id: string) => boolean {
  const reach = reachOf(principal, Permission.CREDENTIAL_READ);
  return (id) => reach.everywhere || reach[places].has(id);
}

/** Credentials `c` that the principal may verify: by CREDENTIAL_VERIFY on their account or project. */
export function verifyScope(principal: Principal): Condition {
  const reach = reachOf(principal, Permission.CREDENTIAL_VERIFY);
  if (reach.everywhere) return everything;
  return {
    sql: '(c.account_id = ANY(CAST(:verifyAccounts AS uuid[])) OR c.project_id = ANY(CAST(:verifyProjects AS uuid[])))',
    parameters: { verifyAccounts: [...reach.accounts], verifyProjects: [...reach.projects] },
    shape: 'some',
  };
}

/** Projects `p`: by PROJECT_READ or PROJECT_MANAGE, those one holds a role on, and those of credentials one sees. */
export function projectScope(principal: Principal, also?: Permission): Condition {
  const reach = reachOf(principal, Permission.PROJECT_READ, Permission.PROJECT_MANAGE, also);
  if (reach.everywhere) return everything;
  const credentials = credentialScope(principal);
  return {
    sql: `(p.id = ANY(:projectIds) ${orHeld(principal, 'g.on_project_id = p.id')}
      OR EXISTS (SELECT 1 FROM credentials c WHERE c.project_id = p.id AND ${credentials.sql}))`,
    parameters: { ...credentials.parameters, projectIds: [...reach.projects], me: principal.accountId },
    shape: `some:${credentials.shape}${byKey(principal)}`,
  };
}

/** Accounts `a`: oneself, by ACCOUNT_READ or ACCOUNT_MANAGE, and those of credentials and projects one sees. */
export function accountScope(principal: Principal, also?: Permission): Condition {
  const reach = reachOf(principal, Permission.ACCOUNT_READ, Permission.ACCOUNT_MANAGE, also);
  if (reach.everywhere) return everything;
  const credentials = credentialScope(principal);
  const projects = projectScope(principal);
  return {
    sql: `(a.id = :me OR a.id = ANY(:accountIds) ${orHeld(principal, 'g.on_account_id = a.id')}
      OR EXISTS (SELECT 1 FROM credentials c WHERE c.account_id = a.id AND ${credentials.sql})
      OR EXISTS (SELECT 1 FROM credentials c WHERE c.owner_id = a.id AND ${credentials.sql})
      OR EXISTS (SELECT 1 FROM projects p WHERE p.account_id = a.id AND ${projects.sql}))`,
    parameters: {
      ...credentials.parameters,
      ...projects.parameters,
      accountIds: [...reach.accounts],
      me: principal.accountId,
    },
    shape: `some:${credentials.shape}:${projects.shape}${byKey(principal)}`,
  };
}

/**
 * Roles `r`: by ROLE_READ, ROLE_MANAGE or ROLE_GIVE those of an account and of its stores, by STORE_MANAGE those of its
 * stores, those held, those of credentials one sees. One that is for all accounts is seen by who reads roles anywhere.
 */
export function roleScope(principal: Principal): Condition {
  const { ROLE_READ, ROLE_MANAGE, ROLE_GIVE, STORE_MANAGE } = Permission;
  const reach = reachOf(principal, ROLE_READ, ROLE_MANAGE, ROLE_GIVE);
  if (reach.everywhere) return everything;
  const stores = reachOf(principal, ROLE_READ, ROLE_MANAGE, ROLE_GIVE, STORE_MANAGE);
  const credentials = credentialScope(principal);
  const somewhere = isSomewhere(reach);
  const ofStores = `SELECT s.id FROM stores s WHERE ${
    stores.everywhere ? 's.account_id IS NOT NULL' : 's.account_id = ANY(CAST(:roleStoreAccounts AS uuid[]))'
  }`;
  return {
    sql: `(${somewhere ? '(r.account_id IS NULL AND r.store_id IS NULL) OR ' : ''}r.account_id = ANY(CAST(:roleAccounts AS uuid[]))
      OR r.store_id IN (${ofStores})
      OR EXISTS (SELECT 1 FROM credential_roles cr JOIN credentials c ON c.id = cr.credential_id
        WHERE cr.role_id = r.id AND ${credentials.sql}) ${orHeld(principal, 'g.role_id = r.id')})`,
    parameters: {
      ...credentials.parameters,
      roleAccounts: [...reach.accounts],
      ...(!stores.everywhere && { roleStoreAccounts: [...stores.accounts] }),
      me: principal.accountId,
    },
    shape: `${somewhere ? 'some' : 'seen'}${stores.everywhere ? '+stores' : ''}:${credentials.shape}${byKey(principal)}`,
  };
}

/**
 * Grants `g`: one's own, and by ROLE_READ or ROLE_MANAGE those on an account or project, deleted ones too, whosever they
 * are: who runs a place sees each who has power over it.
 */
export function roleGrantScope(principal: Principal): Condition {
  const reach = reachOf(principal, Permission.ROLE_READ, Permission.ROLE_MANAGE);
  if (reach.everywhere) return everything;
  const own = principal.holds === null;
  const ended = endedBelow(':grantAccounts');
  return {
    sql: `(${own ? 'g.account_id = :me OR ' : ''}g.on_account_id = ANY(:grantAccounts) OR g.on_project_id = ANY(:grantProjects)
      OR g.on_account_id = ANY(${ended.accounts}) OR g.on_project_id = ANY(${ended.projects}))`,
    parameters: {
      grantAccounts: [...reach.accounts],
      grantProjects: [...reach.projects],
      ...(own && { me: principal.accountId }),
    },
    shape: `some${byKey(principal)}`,
  };
}

/**
 * Identities `i`: one's own, and by ACCOUNT_MANAGE those of accounts. Who else may act as an account is the business of
 * no key of its own, and of no token that was narrowed.
 */
export function identityScope(principal: Principal): Condition {
  const reach = reachOf(principal, Permission.ACCOUNT_MANAGE);
  if (reach.everywhere) return everything;
  const own = principal.holds === null && principal.limits === null;
  return {
    sql: `(${own ? 'i.account_id = :me OR ' : ''}i.account_id = ANY(CAST(:managedAccounts AS uuid[])))`,
    parameters: { ...(own && { me: principal.accountId }), managedAccounts: [...reach.accounts] },
    shape: own ? 'own' : 'some',
  };
}

/**
 * Stores `s`: by STORE_MANAGE, CREDENTIAL_READ or CREDENTIAL_CREATE on their account, and those of credentials one
 * sees. Keyway's own is nobody's: for it, one of these anywhere is enough.
 */
export function storeScope(principal: Principal): Condition {
  const { STORE_MANAGE, CREDENTIAL_READ, CREDENTIAL_CREATE } = Permission;
  const reach = reachOf(principal, STORE_MANAGE, CREDENTIAL_READ, CREDENTIAL_CREATE);
  if (reach.everywhere) return everything;
  const credentials = credentialScope(principal);
  const somewhere = isSomewhere(reach);
  return {
    sql: `(s.account_id = ANY(CAST(:storeAccounts AS uuid[]))${somewhere ? ' OR s.account_id IS NULL' : ''}
      OR EXISTS (SELECT 1 FROM credentials c WHERE c.store_id = s.id AND ${credentials.sql}))`,
    parameters: { ...credentials.parameters, storeAccounts: [...reach.accounts] },
    shape: `${somewhere ? 'some' : 'seen'}:${credentials.shape}`,
  };
}

/**
 * Grants of scopes `g`: one's own, and those of the stores of an account by STORE_MANAGE, ROLE_READ or ROLE_MANAGE: who
 * sees who has power over a place sees that too.
 */
export function scopeGrantScope(principal: Principal): Condition {
  const { STORE_MANAGE, ROLE_READ, ROLE_MANAGE } = Permission;
  const reach = reachOf(principal, STORE_MANAGE, ROLE_READ, ROLE_MANAGE);
  if (reach.everywhere) return everything;
  const own = principal.holds === null;
  return {
    sql: `(${own ? 'g.account_id = :me OR ' : ''}g.store_id IN (
      SELECT s.id FROM stores s WHERE s.account_id = ANY(CAST(:managedStoreAccounts AS uuid[]))))`,
    parameters: { ...(own && { me: principal.accountId }), managedStoreAccounts: [...reach.accounts] },
    shape: own ? 'own' : 'some',
  };
}

/**
 * Audit events `e`: by AUDIT_READ on the account or project that they tell of, whether it was deleted since or not, and on
 * the account that theirs was part of by then.
 */
export function auditScope(principal: Principal, ended: EndedPlaces): Condition {
  const reach = reachOf(principal, Permission.AUDIT_READ);
  if (reach.everywhere) return everything;
  const auditAccounts = [...reach.accounts, ...ended.accounts];
  const hasFormer = ended.former.length > 0;
  const former = `OR e.account_id = ANY(:formerParts) AND e.number <= (SELECT max(f.number) FROM audit_former_parts f
    WHERE f.account_id = e.account_id AND f.of_account_id = ANY(:auditAccounts))`;
  return {
    sql: `(e.account_id = ANY(:auditAccounts) OR e.project_id = ANY(:auditProjects) ${hasFormer ? former : ''})`,
    parameters: {
      auditAccounts,
      auditProjects: [...reach.projects, ...ended.projects],
      ...(hasFormer && { formerParts: ended.former }),
    },
    shape: hasFormer ? 'some+former' : 'some',
  };
}

/** Where an account sees what it has a role on: the condition on a grant `g`, behind others. */
const orHeld = ({ holds }: Principal, where: string) =>
  holds === null ? `OR EXISTS (SELECT 1 FROM grants g WHERE ${where} AND g.account_id = :me)` : '';

/** Distinguishes the conditions of a caller who signed with a key from those of a token. */
const byKey = ({ holds }: Principal) => (holds === null ? '' : '+signed');

const isSomewhere = (reach: Reach) => reach.everywhere || reach.accounts.size > 0 || reach.projects.size > 0;

function reachOf(principal: Principal, ...permissions: (Permission | undefined)[]): Reach {
  const accounts = new Set<string>();
  const projects = new Set<string>();
  let everywhere = false;
  for (const permission of permissions) {
    const reach = permission && principal.rights.get(permission);
    if (!reach) continue;
    everywhere ||= reach.everywhere;
    reach.accounts.forEach((id) => accounts.add(id));
    reach.projects.forEach((id) => projects.add(id));
  }
  return { everywhere, accounts, projects };
}
