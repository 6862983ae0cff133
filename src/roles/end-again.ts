import type { Ending } from '../audit/ending.js';
import { sql, type Tx } from '../database/database.js';
import { abandonAgain } from '../stores/abandon.js';
import { letGo } from './delete-store.js';

/**
 * Withdraws once more the grants that were withdrawn when an older state of the database was put back.
 * @param ids of the grants
 * @returns the ids of those that are in the database
 */
export async function withdrawAgain(tx: Tx, ids: readonly string[]): Promise<string[]> {
  return (await tx.rows<{ id: string }>(withdraw, { ids })).map(({ id }) => id);
}

/**
 * Narrows roles to what they allowed then, if they still allow that. One that was deleted allows nothing.
 * @param endings by the ids of the roles
 * @returns the ids of those that are in the database and are not built in, which have what this version says
 */
export async function narrowRolesAgain(tx: Tx, endings: ReadonlyMap<string, Ending>): Promise<string[]> {
  const roles = [...endings].map(([id, { gone, permissions }]) => ({
    id,
    permissions: gone === undefined ? (permissions ?? null) : [],
  }));
  return (await tx.rows<{ id: string }>(narrow, { roles: JSON.stringify(roles) })).map(({ id }) => id);
}

/**
 * Disconnects once more the stores that were disconnected when an older state of the database was put back.
 * @param endings by the ids of the stores
 */
export async function disconnectAgain(tx: Tx, endings: ReadonlyMap<string, Ending>): Promise<void> {
  const ids = [...endings].flatMap(([id, { gone }]) => (gone === undefined ? [] : [id]));
  for (const { id } of await tx.rows<{ id: string }>(connectedStill, { ids })) {
    await abandonAgain(tx, id);
    await letGo(tx, id);
  }
}

const connectedStill = sql(`
  SELECT id FROM stores WHERE id = ANY(CAST(:ids AS uuid[])) AND deleted_at IS NULL ORDER BY id FOR UPDATE`);
const withdraw = sql('DELETE FROM grants WHERE id = ANY(CAST(:ids AS uuid[])) RETURNING id');
const narrow = sql(`
  UPDATE roles r SET updated_at = now(),
    permissions = ARRAY(SELECT permission FROM unnest(r.permissions) AS permission WHERE permission = ANY(e.permissions))
  FROM json_to_recordset(CAST(:roles AS json)) AS e (id uuid, permissions text[])
  WHERE r.id = e.id AND NOT r.built_in AND e.permissions IS NOT NULL RETURNING r.id`);
