import { sql, type Sql } from '../database/database.js';
import { KeywayError } from '../errors.js';
import { may, owners, reaches, type Place } from './authorize.js';
import { everyPermission, giverTo, type Identified, type Permission, type Principal } from './principal.js';
import { claimedBy } from './rights.js';

/** Something that gets another place, another owner, or both. An account moves with all that is in it. */
export interface Move {
  from: Place;
  to: Place;
}

/**
 * By moving something, or giving it to an owner, a caller lets nobody do more to it, oneself included, than they may
 * themselves: by a right, not by owning it. What the caller's own account gains, it is to have already without its token's
 * claims. Whoever a token could bring a role at the new place counts as somebody who has it. One statement, however much
 * is moved.
 * @param moved with an account in each place
 * @param db the transaction at hand, which has its locks
 * @throws FORBIDDEN
 */
export async function authorizeGains(
  { principal, claimedRoles }: Gainer,
  moved: readonly Move[],
  db: Sql,
): Promise<void> {
  for (const { from, to } of moved) {
    if (
      everyPermission.some(
        (permission) => reaches(principal.rights.get(permission), to) && !mayAt(principal, permission, from),
      )
    )
      throw gainedBy(from);
  }
  for (const { move, permission, holder } of await gainsOf(moved, claimedRoles, db)) {
    const from = moved[move]?.from ?? {};
    if (!mayAt(giverTo(principal, holder), permission, from)) throw gainedBy(from);
  }
}

/** Who makes such a change, and the roles that tokens can bring. */
interface Gainer {
  principal: Principal;
  claimedRoles: Identified['roles'];
}

const mayAt = (principal: Principal, permission: Permission, { accountId, projectId }: Place): boolean =>
  may(principal, permission, { accountId, projectId });

const gainedBy = ({ about }: Place) => new KeywayError('FORBIDDEN', gainedByOthers, { about });

const gainedByOthers =
  'By this change somebody could do more with it than you may yourself: only those who may do as much can make it.';

interface Gain {
  /** Its index. */
  move: number;
  permission: Permission;
  /** The account that gains it, or what stands for whoever has a claim. */
  holder: string;
}

/** Each permission that anybody gains over what moves: by a role where it comes to be, or as its new owner. */
async function gainsOf(moved: readonly Move[], claimedRoles: Identified['roles'], db: Sql): Promise<Gain[]> {
  if (moved.length === 0) return [];
  const places = moved.flatMap(({ from, to }, move) => [
    { ...from, move, after: false },
    { ...to, move, after: true },
  ]);
  return db.rows<Gain>(gained, {
    moves: places.map(({ move }) => move),
    after: places.map(({ after }) => after),
    accounts: places.map(({ accountId }) => accountId ?? null),
    projects: places.map(({ projectId }) => projectId ?? null),
    owners: places.map(({ owner }) => owner ?? null),
    ownersMay: [...owners],
    claimed: claimedBy(claimedRoles.filter(({ everywhere }) => !everywhere)),
  });
}

// Who holds a role everywhere gains nothing by a move.
const gained = sql(`
  WITH RECURSIVE place (move, after, account_id, project_id, owner_id) AS (
    SELECT * FROM unnest(CAST(:moves AS integer[]), CAST(:after AS boolean[]), CAST(:accounts AS uuid[]),
      CAST(:projects AS uuid[]), CAST(:owners AS uuid[]))
  ), above (move, after, id) AS (
    SELECT move, after, account_id FROM (
      SELECT move, after, account_id FROM place
      UNION ALL SELECT l.move, l.after, p.account_id FROM place l JOIN projects p ON p.id = l.project_id
    ) at
    UNION
    SELECT b.move, b.after, a.parent_id FROM above b JOIN accounts a ON a.id = b.id WHERE a.parent_id IS NOT NULL
  ), claimed (holder, on_account_id, on_project_id, permissions) AS (
    SELECT m.id, m.on_account_id, m.on_project_id, r.permissions
    FROM jsonb_to_recordset(CAST(:claimed AS jsonb)) AS m (id uuid, role_id uuid, on_account_id uuid, on_project_id uuid)
    JOIN roles r ON r.id = m.role_id AND r.account_id IS NULL AND r.store_id IS NULL
    WHERE NOT EXISTS (SELECT FROM projects p WHERE p.id = m.on_project_id AND p.admin)
  ), allowed (move, after, holder, permission) AS (
    SELECT b.move, b.after, g.account_id, unnest(r.permissions)
    FROM above b JOIN grants g ON g.on_account_id = b.id JOIN roles r ON r.id = g.role_id
    UNION
    SELECT l.move, l.after, g.account_id, unnest(r.permissions)
    FROM place l JOIN grants g ON g.on_project_id = l.project_id JOIN roles r ON r.id = g.role_id
    UNION
    SELECT b.move, b.after, m.holder, unnest(m.permissions) FROM above b JOIN claimed m ON m.on_account_id = b.id
    UNION
    SELECT l.move, l.after, m.holder, unnest(m.permissions) FROM place l JOIN claimed m ON m.on_project_id = l.project_id
    UNION
    SELECT move, after, owner_id, unnest(CAST(:ownersMay AS text[])) FROM place WHERE owner_id IS NOT NULL
  )
  SELECT DISTINCT n.move, n.permission, n.holder FROM allowed n
  WHERE n.after
    AND NOT EXISTS (SELECT FROM allowed b
      WHERE NOT b.after AND b.move = n.move AND b.holder = n.holder AND b.permission = n.permission)
    AND NOT EXISTS (SELECT FROM grants g JOIN roles r ON r.id = g.role_id LEFT JOIN projects p ON p.id = g.on_project_id
      WHERE g.account_id = n.holder AND n.permission = ANY (r.permissions)
        AND coalesce(p.admin, g.on_account_id IS NULL AND g.on_project_id IS NULL))`);
