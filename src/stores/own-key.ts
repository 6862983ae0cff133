import type { OwnKey } from '../connectors/connection.js';
import { sql, type Tx } from '../database/database.js';
import { conflict } from '../errors.js';
import { newId } from '../ids.js';
import type { CredentialStore } from './store.js';

// What Keyway reaches a store with is a credential among the others, without a secret that could be shown. It is kept
// by plain SQL: credentials know of stores, and not the other way.

/** Puts what Keyway reaches a new store with into the inventory. */
export async function addOwnKey(
  tx: Tx,
  { id: storeId, accountId, name }: Pick<CredentialStore, 'id' | 'accountId' | 'name'>,
  { kind, accessKey }: OwnKey,
): Promise<void> {
  await tx.rows(add, { id: newId(), storeId, accountId, name: `${name}: Keyway's own`, kind, accessKey });
}

/**
 * Notes that Keyway reaches a store with other secrets now: of the same credentials, of some that are known there by
 * their access keys already, or of new ones. One that it no longer reaches the store with is a credential like any
 * other; one that the store never listed is gone.
 * @throws CONFLICT while a change of one of them is under way.
 */
export async function replaceOwnKeys(
  tx: Tx,
  store: Pick<CredentialStore, 'id' | 'accountId' | 'name'>,
  own: readonly OwnKey[],
): Promise<void> {
  const accessKeys = own.flatMap(({ accessKey }) => accessKey ?? []);
  const found = await tx.rows<Found>(candidates, { storeId: store.id, accessKeys });
  if (found.some(({ busy }) => busy)) throw conflict("Keyway's own credential there is being changed.");
  const knownAs = ({ accessKey }: OwnKey) =>
    found.find((one) => accessKey !== null && one.accessKey === accessKey);
  const spare = new Set(found.filter((one) => one.reaches && !own.some((key) => knownAs(key) === one)));
  for (const key of own) {
    const known = knownAs(key) ?? [...spare].find(({ kind }) => kind === key.kind);
    if (known) spare.delete(known);
    if (known && !known.reaches) await tx.rows(mark, { id: known.id });
    else await renew(tx, store, key, known);
  }
  if (spare.size > 0) await tx.rows(release, { ids: [...spare].map(({ id }) => id) });
}

async function renew(
  tx: Tx,
  store: Pick<CredentialStore, 'id' | 'accountId' | 'name'>,
  key: OwnKey,
  found: Found | undefined,
): Promise<void> {
  if (!found) return addOwnKey(tx, store, key);
  const { accessKey } = key;
  await tx.rows(change, { id: found.id, accessKey });
  await tx.rows(retire, { id: found.id });
  await tx.rows(addVersion, { id: found.id, accessKey });
}

interface Found {
  id: string;
  kind: string;
  accessKey: string | null;
  /** Whether Keyway has reached the store with it so far. */
  reaches: boolean;
  busy: boolean;
}

const add = sql(`
  WITH made AS (
    INSERT INTO credentials (id, store_id, account_id, name, kind, access_key, unsaid, reaches_store)
    VALUES (:id, :storeId, :accountId, :name, :kind, :accessKey, '{enabled,allowedIps}', true) RETURNING id, access_key, created_at
  ), version AS (
    INSERT INTO credential_versions (credential_id, number, state, access_key)
    SELECT id, 1, 'CURRENT', access_key FROM made
  )
  INSERT INTO credential_uses (credential_id, unused_since) SELECT id, created_at FROM made`);

const candidates = sql(`
  SELECT c.id, c.kind, c.reaches_store AS reaches, c.access_key AS "accessKey",
    EXISTS (SELECT 1 FROM intents i WHERE i.credential_id = c.id AND i.state = 'OPEN')
      OR EXISTS (SELECT 1 FROM leftovers l WHERE l.credential_id = c.id AND l.access_key IS NOT NULL) AS busy
  FROM credentials c
  WHERE c.store_id = :storeId AND c.deleted_at IS NULL
    AND (c.reaches_store OR c.access_key = ANY(CAST(:accessKeys AS text[])))
  ORDER BY c.id FOR UPDATE OF c`);

const mark = sql(`
  UPDATE credentials SET reaches_store = true, retrievable = false, revision = revision + 1, updated_at = now()
  WHERE id = :id`);

const release = sql(`
  UPDATE credentials c SET reaches_store = false, revision = revision + 1, updated_at = now(),
    retrievable = coalesce(CAST(observed ->> 'readable' AS boolean), false) OR EXISTS (
      SELECT 1 FROM credential_versions v
      WHERE v.credential_id = c.id AND v.state = 'CURRENT' AND v.sealed IS NOT NULL),
    deleted_at = CASE WHEN external_id IS NULL THEN now() END,
    revoked_at = CASE WHEN external_id IS NULL THEN coalesce(revoked_at, now()) ELSE revoked_at END
  WHERE id = ANY(CAST(:ids AS uuid[]))`);

// What the store said of the one before is not said of another.
const change = sql(`
  UPDATE credentials SET access_key = :accessKey, revision = revision + 1, updated_at = now(),
    external_id = CASE WHEN access_key IS NOT DISTINCT FROM CAST(:accessKey AS text) THEN external_id END,
    scope = CASE WHEN access_key IS NOT DISTINCT FROM CAST(:accessKey AS text) THEN scope END,
    observed = NULL, gone_at = NULL, partial = false, standing = 'KNOWN'
  WHERE id = :id`);

const retire = sql(`
  UPDATE credential_versions SET state = 'RETIRED', valid_until = least(valid_until, now())
  WHERE credential_id = :id AND state IN ('PENDING', 'CURRENT', 'PREVIOUS', 'UNKNOWN')`);

const addVersion = sql(`
  INSERT INTO credential_versions (credential_id, number, state, access_key)
  SELECT CAST(:id AS uuid), coalesce(max(number), 0) + 1, 'CURRENT', CAST(:accessKey AS text)
  FROM credential_versions WHERE credential_id = :id`);
