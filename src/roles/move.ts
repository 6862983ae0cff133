import type { Deed } from '../audit/record.js';
import { sql, violates, type Tx } from '../database/database.js';
import { conflict } from '../errors.js';
import { holdNames } from './names.js';
import { deedsAt, givenFrom, type GivenGrant } from './places.js';

/**
 * Has the roles of an account that is handed over become those of its heir. What was handed over with it keeps no role of
 * an organization that it has left: it is not carried any more, and what was granted there is withdrawn. Call it when all
 * else is where it is to be.
 * @returns the deeds to record
 * @throws CONFLICT where a name would then mean two roles at one place.
 */
export async function moveRoles(tx: Tx, from: string, to: string): Promise<Deed[]> {
  await holdNames(tx);
  try {
    await tx.rows(move, { from, to });
  } catch (error) {
    if (violates(error, 'roles_name_in_account')) throw named();
    throw error;
  }
  if ((await tx.rows(twice, { to })).length > 0) throw named();
  const dropped = await tx.rows<{
    id: string;
    accountId: string;
    projectId: string | null;
    lostRoles: string[];
  }>(drop, { to });
  const withdrawn = await tx.rows<GivenGrant>(withdrawForeign, { to });
  return [
    ...dropped.map(({ id, lostRoles, ...place }): Deed => ({
      action: 'credential:update',
      target: { type: 'Credential', id },
      changed: ['roles'],
      ends: { lostRoles },
      ...place,
    })),
    ...withdrawn.flatMap((grant) => deedsAt('role:withdraw', grant)),
  ];
}

const named = () =>
  conflict('The account that takes over, or one above or below it, has a role of the same name already.');

// In the order in which others lock them.
const move = sql(`
  WITH moving AS MATERIALIZED (SELECT id FROM roles WHERE account_id = :from ORDER BY id FOR UPDATE)
  UPDATE roles r SET account_id = :to, updated_at = now() FROM moving WHERE r.id = moving.id`);

/** All that is part of `:to`, and what each of these is part of, itself included. */
const places = `
  WITH RECURSIVE part (id) AS (
    SELECT CAST(:to AS uuid)
    UNION
    SELECT a.id FROM part p JOIN accounts a ON a.parent_id = p.id
  ), above (id, home) AS (
    SELECT id, id FROM part
    UNION
    SELECT b.id, a.parent_id FROM above b JOIN accounts a ON a.id = b.home WHERE a.parent_id IS NOT NULL
  )`;

const twice = sql(`${places}
  SELECT b.id FROM above b JOIN accounts a ON a.id = b.id AND a.deleted_at IS NULL
  JOIN roles r ON r.account_id = b.home GROUP BY b.id, r.name HAVING count(*) > 1 LIMIT 1`);

const drop = sql(`${places}, dropped AS (
    DELETE FROM credential_roles cr USING credentials c, roles r
    WHERE c.id = cr.credential_id AND r.id = cr.role_id AND c.account_id IN (SELECT id FROM part)
      AND c.deleted_at IS NULL AND r.account_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM above b WHERE b.id = c.account_id AND b.home = r.account_id)
    RETURNING c.id, c.account_id, c.project_id, cr.role_id
  )
  SELECT id, account_id AS "accountId", project_id AS "projectId", array_agg(role_id::text) AS "lostRoles"
  FROM dropped GROUP BY id, account_id, project_id`);

const withdrawForeign = sql(`${places}, gone AS (
    DELETE FROM grants g USING roles r
    WHERE r.id = g.role_id AND r.account_id IS NOT NULL AND EXISTS (
      SELECT FROM part p LEFT JOIN projects j ON j.account_id = p.id AND j.id = g.on_project_id
      WHERE (g.on_account_id = p.id OR j.id IS NOT NULL)
        AND NOT EXISTS (SELECT FROM above b WHERE b.id = p.id AND b.home = r.account_id))
    RETURNING g.*
  ) ${givenFrom('gone')}`);
