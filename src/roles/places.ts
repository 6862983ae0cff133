import { Permission } from '../access/principal.js';
import { adminAccountId } from '../accounts/account.js';
import { inEach, type Deed } from '../audit/record.js';
import { sql, type Tx } from '../database/database.js';

/** A grant, as far as its events tell: whose it is, and where. */
export interface GivenGrant {
  id: string;
  accountId: string;
  /** The account of the place that it gives power over: the administrator's, where that is everywhere. */
  at: string;
  projectId: string | null;
}

/** SQL that reads grants as `GivenGrant`, out of the table or of what was just deleted from it; `which` names them `g`. */
export const givenFrom = (grants: string, which = 'true'): string => `
  SELECT g.id, g.account_id AS "accountId", coalesce(g.on_account_id, p.account_id, '${adminAccountId}') AS at,
    g.on_project_id AS "projectId"
  FROM ${grants} g LEFT JOIN projects p ON p.id = g.on_project_id WHERE ${which}`;

/** SQL that withdraws grants `g` of roles `r` and returns them as `GivenGrant`; `which` says which. */
export const withdrawing = (which: string): string => `
  WITH gone AS (DELETE FROM grants g USING roles r WHERE r.id = g.role_id AND (${which}) RETURNING g.*)
  ${givenFrom('gone')}`;

/** SQL: whether a role `r` lets read the audit log. Where it is held on what is deleted, its holder goes on reading. */
export const readsAudit = `'${Permission.AUDIT_READ}' = ANY (r.permissions)`;

/** What is done to a grant is on record at its place, whosever it is, and with the account that has it. */
export const deedsAt = (
  action: 'role:grant' | 'role:withdraw',
  { id, accountId, at, projectId }: GivenGrant,
): Deed[] =>
  inEach([at, accountId], {
    action,
    target: { type: 'Grant', id },
    projectId,
    recipientId: accountId,
    ends: action === 'role:withdraw' ? { gone: 'DELETED' } : undefined,
  });

/**
 * A change of what a role allows is on record at each place where it is held, with each account that holds it, and where
 * the credentials are that carry it.
 * @param also the account of the caller
 * @param permissions what it allows since, where that was changed
 */
export async function deedsOfHeld(
  tx: Tx,
  id: string,
  changed: string[],
  also: string,
  permissions: readonly string[],
): Promise<Deed[]> {
  const held = changed.includes('permissions')
    ? await tx.rows<{ accountId: string; projectId: string | null }>(placesHeld, { id })
    : [];
  const places = [{ accountId: also, projectId: null }, ...held];
  const each = new Map(places.map((place) => [`${place.accountId} ${place.projectId}`, place]));
  return [...each.values()].map((place) => ({
    action: 'role:update',
    target: { type: 'Role', id },
    changed,
    ...(changed.includes('permissions') && { ends: { permissions } }),
    ...place,
  }));
}

const placesHeld = sql(`
  SELECT account_id AS "accountId", NULL AS "projectId" FROM grants WHERE role_id = :id
  UNION
  SELECT at, "projectId" FROM (${givenFrom('grants', 'g.role_id = :id')}) given
  UNION
  SELECT c.account_id, c.project_id FROM credential_roles cr JOIN credentials c ON c.id = cr.credential_id
  WHERE cr.role_id = :id AND c.deleted_at IS NULL AND c.revoked_at IS NULL`);
