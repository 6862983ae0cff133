import { nobody } from '../audit/decision.js';
import { recordAllAs, type Deed } from '../audit/record.js';
import type { ScimDirectory } from '../config/scim-directories.js';
import { sql, type Database, type Tx } from '../database/database.js';
import { parseId } from '../ids.js';
import type { Keyring } from '../keyring/keyring.js';
import { deedsAt, givenFrom, withdrawing, type GivenGrant } from '../roles/places.js';
import { keyOfName, type Directory } from './directory.js';

/** Whoever changes the groups of a directory waits here for others who do: what a group brings hangs on all groups. */
export const takeTurn = (tx: Tx, { id }: Pick<Directory, 'id'>): Promise<object[]> => tx.rows(turn, { id });

/**
 * Lets people hold the roles that their groups bring by the setting, and no others of those that groups brought: what was
 * granted by hand stays as it is. By three statements, however many they are.
 * @param accounts whose roles are looked at, by UUID; those of all people of the directory, where null
 * @returns what was given and withdrawn, for the audit
 */
export async function alignGrants(
  tx: Tx,
  { id, roles }: Pick<Directory, 'id' | 'roles'>,
  accounts: readonly string[] | null,
): Promise<Deed[]> {
  const uuidOf = (publicId: string | null) => (publicId === null ? null : (parseId(publicId)?.uuid ?? null));
  const parameters = {
    directory: id,
    accounts,
    names: roles.map(({ group }) => keyOfName(group)),
    roles: roles.map(({ role }) => uuidOf(role)),
    onAccounts: roles.map(({ onAccount }) => uuidOf(onAccount)),
    onProjects: roles.map(({ onProject }) => uuidOf(onProject)),
  };
  await tx.rows(holdMissing, parameters);
  const withdrawn = await tx.rows<GivenGrant>(withdrawOthers, parameters);
  const given = await tx.rows<GivenGrant>(giveMissing, parameters);
  return [
    ...withdrawn.flatMap((grant) => deedsAt('role:withdraw', grant)),
    ...given.flatMap((grant) => deedsAt('role:grant', grant)),
  ];
}

/**
 * Brings what groups bring to what the setting says by now, with an event for each grant: also for directories that the
 * setting has no more. Call it while no other Keyway starts on this database.
 */
export async function alignDirectories(
  db: Database,
  keyring: Keyring,
  directories: readonly ScimDirectory[],
): Promise<void> {
  const set = directories.flatMap(({ parent, roles }) => {
    const id = parseId(parent)?.uuid;
    return id === undefined ? [] : { id, roles };
  });
  const before = await db.rows<{ id: string }>(directoriesWithGrants);
  const gone = before
    .filter(({ id }) => !set.some((one) => one.id === id))
    .map(({ id }) => ({ id, roles: [] }));
  for (const directory of [...set, ...gone])
    await db.transaction(async (tx) => {
      await takeTurn(tx, directory);
      await recordAllAs(keyring, tx, nobody(), await alignGrants(tx, directory, null));
    });
}

const directoriesWithGrants = sql('SELECT DISTINCT directory_id AS id FROM scim_grants');

const turn = sql(
  `SELECT pg_advisory_xact_lock(hashtextextended('keyway scim groups of ' || CAST(:id AS text), 0))`,
);

/**
 * SQL for the grants that the groups bring: roles for all accounts alone, since others could be changed by whoever runs an
 * account, and at places that are there.
 */
const wanted = `
  SELECT DISTINCT u.account_id, r.id AS role_id, w.on_account_id, w.on_project_id
  FROM unnest(CAST(:names AS text[]), CAST(:roles AS uuid[]), CAST(:onAccounts AS uuid[]), CAST(:onProjects AS uuid[]))
    AS w (name_key, role_id, on_account_id, on_project_id)
  JOIN roles r ON r.id = w.role_id AND r.account_id IS NULL AND r.store_id IS NULL
  JOIN scim_groups s ON s.directory_id = :directory AND s.name_key = w.name_key
  JOIN scim_members m ON m.group_id = s.id
  JOIN scim_users u ON u.account_id = m.account_id AND u.directory_id = :directory
  JOIN accounts a ON a.id = u.account_id AND a.parent_id = :directory AND a.deleted_at IS NULL
  LEFT JOIN accounts p ON p.id = w.on_account_id AND p.deleted_at IS NULL
  LEFT JOIN projects q ON q.id = w.on_project_id AND q.deleted_at IS NULL
  WHERE (CAST(:accounts AS uuid[]) IS NULL OR u.account_id = ANY(CAST(:accounts AS uuid[])))
    AND (w.on_account_id IS NULL OR p.id IS NOT NULL) AND (w.on_project_id IS NULL OR q.id IS NOT NULL)`;

const withdrawOthers = sql(
  withdrawing(`g.id IN (SELECT o.grant_id FROM scim_grants o WHERE o.directory_id = :directory)
    AND (CAST(:accounts AS uuid[]) IS NULL OR g.account_id = ANY(CAST(:accounts AS uuid[])))
    AND NOT EXISTS (SELECT FROM (${wanted}) kept WHERE kept.account_id = g.account_id AND kept.role_id = g.role_id
      AND kept.on_account_id IS NOT DISTINCT FROM g.on_account_id
      AND kept.on_project_id IS NOT DISTINCT FROM g.on_project_id)`),
);

// What a new grant will name is kept from being deleted, in the order in which others lock it; what is gone by then is
// looked for again, and found no more.
const holdMissing = sql(`
  WITH missing AS MATERIALIZED (SELECT * FROM (${wanted}) kept WHERE NOT EXISTS (
    SELECT FROM grants g WHERE g.account_id = kept.account_id AND g.role_id = kept.role_id
      AND g.on_account_id IS NOT DISTINCT FROM kept.on_account_id
      AND g.on_project_id IS NOT DISTINCT FROM kept.on_project_id)),
  people AS MATERIALIZED (SELECT a.id FROM accounts a
    WHERE a.id IN (SELECT account_id FROM missing UNION SELECT on_account_id FROM missing) ORDER BY a.id FOR SHARE),
  places AS MATERIALIZED (SELECT p.id FROM projects p
    WHERE p.id IN (SELECT on_project_id FROM missing) ORDER BY p.id FOR SHARE),
  held AS MATERIALIZED (SELECT r.id FROM roles r WHERE r.id IN (SELECT role_id FROM missing) ORDER BY r.id FOR SHARE)
  SELECT (SELECT count(*) FROM people) AS accounts, (SELECT count(*) FROM places) AS projects,
    (SELECT count(*) FROM held) AS roles`);

const giveMissing = sql(`
  WITH made AS (
    INSERT INTO grants (id, account_id, role_id, on_account_id, on_project_id)
    SELECT gen_random_uuid(), account_id, role_id, on_account_id, on_project_id FROM (${wanted}) kept
    ORDER BY account_id, role_id ON CONFLICT DO NOTHING
    RETURNING *),
  noted AS (INSERT INTO scim_grants (grant_id, directory_id) SELECT id, CAST(:directory AS uuid) FROM made)
  ${givenFrom('made')}`);
