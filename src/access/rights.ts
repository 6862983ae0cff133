import type { ClaimedRole } from '../config/jwt-issuers.js';
import { idsGiven } from '../database/among.js';
import { sql, type Sql } from '../database/database.js';
import { parseId } from '../ids.js';
import { nowhere, Permission, type Reach, type Rights } from './principal.js';

/** What is left to do where an account or project was deleted: to read its log, and to see who may. */
export const leftOfEnded: ReadonlySet<Permission> = new Set([Permission.AUDIT_READ, Permission.ROLE_READ]);

/**
 * All that the grants of an account allow, as of now: of a role held on an account, also in its sub-accounts and their
 * projects; of a role held on the admin project, everywhere. Of a role held on what was deleted, what is left to do there.
 * @param limits the permissions to narrow to, or null for all.
 */
export async function rightsOf(
  db: Sql,
  accountId: string,
  limits: readonly Permission[] | null,
): Promise<Rights> {
  return rightsBy(await grantsOf(db, accountId), limits);
}

/** The grants of an account, as of now. */
export const grantsOf = (db: Sql, accountId: string): Promise<Held[]> =>
  db.rows<Held>(heldByAccount, { account: accountId });

/** What these grants allow, narrowed to `limits`. */
export function rightsBy(grants: readonly Held[], limits: readonly Permission[] | null): Rights {
  const rights = new Map<Permission, { everywhere: boolean; accounts: Set<string>; projects: Set<string> }>();
  for (const grant of grants) {
    for (const permission of grant.permissions) {
      if (limits && !limits.includes(permission)) continue;
      const reach = rights.get(permission) ?? { everywhere: false, accounts: new Set(), projects: new Set() };
      reach.everywhere ||= grant.everywhere;
      for (const account of grant.accounts ?? []) reach.accounts.add(account);
      for (const project of grant.projects ?? []) reach.projects.add(project);
      if (grant.onProjectId) reach.projects.add(grant.onProjectId);
      if (leftOfEnded.has(permission)) {
        if (grant.endedAccountId) reach.accounts.add(grant.endedAccountId);
        if (grant.endedProjectId) reach.projects.add(grant.endedProjectId);
      }
      if (reach.everywhere || reach.accounts.size > 0 || reach.projects.size > 0)
        rights.set(permission, reach);
    }
  }
  return rights;
}

/**
 * Which roles these grants are of, and where each is held.
 * @param ids of those that are asked for; null for all
 */
export function rolesBy(
  grants: readonly Held[],
  ids: readonly string[] | null = null,
): ReadonlyMap<string, Reach> {
  const roles = new Map<string, Reach>();
  for (const { roleId, everywhere, accounts, projects, onProjectId } of grants) {
    if (ids && !ids.includes(roleId)) continue;
    const before = roles.get(roleId) ?? nowhere;
    roles.set(roleId, {
      everywhere: before.everywhere || everywhere,
      accounts: new Set([...before.accounts, ...(accounts ?? [])]),
      projects: new Set([...before.projects, ...(projects ?? []), ...(onProjectId ? [onProjectId] : [])]),
    });
  }
  return roles;
}

/** Whether everything that `inner` reaches, by a permission or a role, is also reached by `outer`. */
export function covers<Key>(outer: ReadonlyMap<Key, Reach>, inner: ReadonlyMap<Key, Reach>): boolean {
  for (const [key, reach] of inner) {
    const wider = outer.get(key) ?? nowhere;
    if (!isNoWider(reach, wider)) return false;
  }
  return true;
}

/** Whether one reach is no wider than the other. */
export function isNoWider(inner: Reach, outer: Reach): boolean {
  if (outer.everywhere) return true;
  if (inner.everywhere) return false;
  return (
    [...inner.accounts].every((id) => outer.accounts.has(id)) &&
    [...inner.projects].every((id) => outer.projects.has(id))
  );
}

/** A grant, with all that it reaches. */
export interface Held {
  roleId: string;
  permissions: Permission[];
  everywhere: boolean;
  onProjectId: string | null;
  accounts: string[] | null;
  projects: string[] | null;
  /** What it was on, where that was deleted. */
  endedAccountId: string | null;
  endedProjectId: string | null;
  /** Whether it is no grant, and a token brings it. */
  claimed: boolean;
}

/**
 * SQL for roles that a token brings, as grants are read. They are for all accounts: one that is an account's could be
 * given permissions by whoever runs that. A role, and a place, that is no longer there brings nothing.
 */
const claimedRoles = `
    UNION ALL
    SELECT m.id, m.role_id, r.permissions, m.on_account_id, m.on_project_id, coalesce(p.admin, m.everywhere),
      coalesce(p.deleted_at, place.deleted_at) IS NOT NULL, true
    FROM jsonb_to_recordset(CAST(:claimed AS jsonb))
      AS m (id uuid, role_id uuid, on_account_id uuid, on_project_id uuid, everywhere boolean)
    JOIN roles r ON r.id = m.role_id AND r.account_id IS NULL AND r.store_id IS NULL
    LEFT JOIN projects p ON p.id = m.on_project_id LEFT JOIN accounts place ON place.id = m.on_account_id
    WHERE m.everywhere OR p.id IS NOT NULL OR place.id IS NOT NULL`;

/**
 * What `grantsHeldBy` takes as `:claimed`. An id that is none brings nothing.
 */
export const claimedBy = (roles: readonly ClaimedRole[]): string =>
  JSON.stringify(
    roles.map(({ role, onAccount, onProject, everywhere }, index) => ({
      // Only to tell them apart: ids of grants are of another version.
      id: `00000000-0000-4000-8000-${index.toString().padStart(12, '0')}`,
      role_id: parseId(role)?.uuid ?? null,
      on_account_id: (onAccount && parseId(onAccount)?.uuid) ?? null,
      on_project_id: (onProject && parseId(onProject)?.uuid) ?? null,
      everywhere,
    })),
  );

/**
 * SQL for what an account holds, one row a grant. What was deleted below an account is not enumerated: every request pays
 * for this, and the few that read of it find it by themselves (`ended.ts`).
 * @param account SQL, in which `a` and `c` are names of what is around it
 * @param claimed whether there are roles too that a token brings, as `:claimed`
 * @param which SQL for which grants `g` count
 */
export const grantsHeldBy = (account: string, claimed = false, which = 'true'): string => `
  WITH RECURSIVE held AS (
    SELECT g.id, g.role_id, r.permissions, g.on_account_id, g.on_project_id,
      coalesce(p.admin, g.on_account_id IS NULL AND g.on_project_id IS NULL) AS everywhere,
      coalesce(p.deleted_at, place.deleted_at) IS NOT NULL AS ended, false AS claimed
    FROM grants g JOIN roles r ON r.id = g.role_id LEFT JOIN projects p ON p.id = g.on_project_id
    LEFT JOIN accounts place ON place.id = g.on_account_id
    WHERE g.account_id = ${account} AND ${which}${claimed ? claimedRoles : ''}
  ), reached (grant_id, account_id) AS (
    SELECT id, on_account_id FROM held WHERE on_account_id IS NOT NULL AND NOT ended
    UNION
    SELECT r.grant_id, a.id FROM reached r JOIN accounts a ON a.parent_id = r.account_id WHERE a.deleted_at IS NULL
  )
  SELECT h.role_id AS "roleId", h.permissions, h.everywhere, h.claimed,
    CASE WHEN NOT h.ended THEN h.on_project_id END AS "onProjectId",
    CASE WHEN h.ended THEN h.on_account_id END AS "endedAccountId",
    CASE WHEN h.ended THEN h.on_project_id END AS "endedProjectId",
    (SELECT array_agg(r.account_id::text) FROM reached r WHERE r.grant_id = h.id) AS accounts,
    (SELECT array_agg(p.id::text) FROM reached r JOIN projects p ON p.account_id = r.account_id
      WHERE r.grant_id = h.id AND p.deleted_at IS NULL) AS projects
  FROM held h`;

/** The same for each account of `:ids`. */
export const heldByEach = sql(`
  SELECT asked.id AS of, held.* FROM unnest(${idsGiven}) AS asked (id)
  CROSS JOIN LATERAL (${grantsHeldBy('asked.id')}) held`);

const heldByAccount = { ...sql(grantsHeldBy(':account')), name: 'held-by-account' };
