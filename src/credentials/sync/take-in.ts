import type { KeptByStore, Observed } from '../../connectors/connector.js';
import { sql, type Tx } from '../../database/database.js';
import { mostListed, mostRolesOfStore } from '../../config/limits.js';
import { newId } from '../../ids.js';
import { endCredentials } from '../record/end.js';
import { storable } from './storable.js';
import { beginListed, replaceListed } from '../record/versions.js';
import { saidAnew, saidOf, unsaidIn, type Said } from '../outside/observed.js';

/** What a batch of a listing did to the inventory. */
export interface Taken {
  added: number;
  changed: number;
  /** Entries that cannot be kept. */
  left: number;
  /** Roles of entries that are not kept: more than one credential, or one store, has in Keyway. */
  rolesLeft: number;
}

interface Seen {
  id: string;
  externalId: string;
  scope: string | null;
  observed: Said | null;
  gone: boolean;
  /** Whether it has ended. */
  ended: boolean;
  /** Whether a write to it was under way when the store was asked, or since. */
  written: boolean;
}

/**
 * Takes what a store lists into the inventory, in this transaction, by a constant number of statements: what is new is
 * added, what the store says otherwise than before is changed, and all of it was seen now. What is recorded here alone
 * stays as it is. What a write may just have made or changed is left for the next time: the listing may be older.
 * @param askedAt no later than the store was asked for it, by the clock of the database
 * @param followed whether the entries only tell what became of those that are known
 */
export async function takeIn(
  tx: Tx,
  store: { id: string; accountId: string },
  entries: readonly Observed[],
  keeps: readonly KeptByStore[],
  askedAt: string,
  followed = false,
): Promise<Taken> {
  const kept = entries.flatMap((entry) => storable(entry) ?? []);
  const byId = new Map(kept.map((entry) => [entry.externalId, entry]));
  const batch = [...byId.values()].map((entry) => ({ entry, said: saidOf(entry) }));
  const saidBy = new Map(batch.map(({ entry, said }) => [entry.externalId, said]));
  const since = { storeId: store.id, since: askedAt };
  if (!followed) await adopt(tx, store.id, batch);
  const listed = await tx.rows<Seen>(seenBefore, { ...since, externalIds: [...byId.keys()] });
  const seen = listed.filter((one) => !isAnother(one, byId.get(one.externalId)));
  const replaced = followed ? [] : listed.filter((one) => isAnother(one, byId.get(one.externalId)));
  if (replaced.length > 0) await tx.rows(leave, { ids: replaced.map(({ id }) => id) });
  const known = new Map(seen.map((one) => [one.externalId, one]));
  const fresh = batch.filter(({ entry }) => !known.has(entry.externalId));
  const added = followed || fresh.length === 0 ? [] : await add(tx, store, since, fresh);
  const changes = seen.flatMap((one) => {
    if (one.written) return [];
    const entry = byId.get(one.externalId) as Observed;
    const said = saidOf(entry);
    const anew = saidAnew(one.observed, said, keeps);
    const moved = one.scope !== entry.scope;
    const isLost = unsaidIn(said).join() !== unsaidIn(one.observed ?? {}).join();
    const isNews = Object.keys(anew).length > 0 || moved || isLost || one.gone || one.observed === null;
    return isNews ? [{ ...one, scope: entry.scope, said, anew }] : [];
  });
  if (changes.length > 0) await change(tx, changes);
  await tx.rows(seenNow, { ids: seen.map(({ id }) => id) });
  const written = new Set(seen.flatMap((one) => (one.written ? [one.id] : [])));
  const carrying = [
    ...added.map(({ id, said }) => ({ id, roles: said.roles ?? [] })),
    ...seen.map(({ id, externalId }) => ({ id, roles: saidBy.get(externalId)?.roles ?? [] })),
  ].filter(({ id }) => !written.has(id));
  const anew = changes.flatMap((one) => (one.anew.roles ? [one.id] : []));
  const unmade = await setRoles(tx, store.id, carrying, anew);
  const ended = [...changes.map(({ id, anew }) => ({ id, said: anew })), ...added].filter(
    ({ said }) => said.revoked,
  );
  if (ended.length > 0)
    await endCredentials(
      tx,
      ended.map(({ id }) => id),
      'The store has ended this credential.',
    );
  const cut = entries.reduce((sum, { roles = [] }) => sum + Math.max(0, roles.length - mostListed), 0);
  return {
    added: added.length,
    changed: changes.length,
    left: entries.length - kept.length,
    rolesLeft: cut + unmade,
  };
}

/** What ended and is listed as working was made again under the same id: it is another credential. */
const isAnother = ({ ended, written }: Seen, entry: Observed | undefined): boolean =>
  ended && !written && entry?.revoked !== true;

/**
 * What was recorded before the store listed it is found by its id from now on: what Keyway reaches the store with, and
 * what it may have made for an answer that was lost.
 */
async function adopt(tx: Tx, storeId: string, batch: readonly { entry: Observed }[]): Promise<void> {
  const parameters = {
    storeId,
    externalIds: batch.map(({ entry }) => entry.externalId),
    scopes: batch.map(({ entry }) => entry.scope),
    accessKeys: batch.map(({ entry }) => entry.accessKey ?? null),
    names: batch.map(({ entry }) => entry.name),
  };
  const awaited = await tx.rows<{ id: string; externalId: string }>(recordedBefore, parameters);
  if (awaited.length === 0) return;
  const ids = awaited.map(({ id }) => id);
  const externalIds = awaited.map(({ externalId }) => externalId);
  await tx.rows(leaveOthers, { storeId, ids, externalIds });
  const createdAt = batch.map(({ entry }) => entry.createdAt ?? null);
  await tx.rows(nameOnce, { ...parameters, ids, names: externalIds, createdAt });
}

/**
 * Marks as gone what was seen before the listing began and was not listed, except in scopes that were not shown.
 * Returns how many there were.
 */
export async function markGone(
  tx: Tx,
  { storeId, startedAt, unread }: { storeId: string; startedAt: string; unread: readonly string[] },
  most: number,
): Promise<number> {
  return (await tx.rows(notSeen, { storeId, since: startedAt, unread, most })).length;
}

async function add(
  tx: Tx,
  store: { id: string; accountId: string },
  since: { since: string },
  fresh: readonly { entry: Observed; said: Said }[],
): Promise<{ id: string; said: Said }[]> {
  const rows = fresh.map(({ entry, said }) => ({
    ...said,
    id: newId(),
    unsaid: unsaidIn(said),
    standing: said.invalid ? 'INVALID' : 'KNOWN',
    external_id: entry.externalId,
    scope: entry.scope,
    kind: entry.kind,
    observed: said,
    created_at: entry.createdAt ?? null,
    last_used_at: entry.lastUsedAt ?? null,
  }));
  const added = await tx.rows<{ id: string }>(insert, {
    ...since,
    storeId: store.id,
    accountId: store.accountId,
    rows: JSON.stringify(rows),
  });
  const ids = new Set(added.map(({ id }) => id));
  await beginListed(tx, [...ids]);
  return rows.filter(({ id }) => ids.has(id)).map(({ id, observed }) => ({ id, said: observed }));
}

async function change(tx: Tx, changes: readonly (Seen & { said: Said; anew: Partial<Said> })[]) {
  const rows = changes.map(({ id, scope, said, anew }) => {
    const unsaid = unsaidIn(said);
    return { id, scope, observed: said, anew, unsaid };
  });
  const overwritten = await tx.rows<{ id: string; isTaken: boolean }>(overwrite, {
    rows: JSON.stringify(rows),
  });
  const taken = new Set(overwritten.flatMap(({ id, isTaken }) => (isTaken ? [id] : [])));
  // A key that was replaced in the store by somebody else: what Keyway keeps of the one before no longer works.
  const replaced = changes.filter(({ id, anew }) => typeof anew.access_key === 'string' && !taken.has(id));
  if (replaced.length === 0) return;
  await replaceListed(
    tx,
    replaced.map(({ id }) => id),
    replaced.map(({ anew }) => anew.access_key ?? ''),
  );
}

/**
 * Roles go by their names, and are the store's: one that it did not have yet is made, as long as there are not too many.
 * @param carrying what each of these carries there
 * @param anew those that may carry others in Keyway by now
 * @returns how many of them could not be made
 */
async function setRoles(
  tx: Tx,
  storeId: string,
  carrying: readonly { id: string; roles: readonly string[] }[],
  anew: readonly string[],
): Promise<number> {
  if (anew.length > 0) await tx.rows(dropRoles, { ids: anew });
  const pairs = carrying.flatMap(({ id, roles }) => roles.map((name) => ({ id, name })));
  if (pairs.length === 0) return 0;
  const names = [...new Set(pairs.map(({ name }) => name))].sort();
  await tx.rows(ensureRoles, { storeId, ids: names.map(() => newId()), names, most: mostRolesOfStore });
  const [{ kept } = { kept: 0 }] = await tx.rows<{ kept: number }>(carryRoles, {
    storeId,
    ids: pairs.map(({ id }) => id),
    names: pairs.map(({ name }) => name),
  });
  return pairs.length - kept;
}

const recordedBefore = sql(`
  SELECT DISTINCT ON (e.external_id) c.id, e.external_id AS "externalId"
  FROM credentials c, unnest(CAST(:externalIds AS text[]), CAST(:scopes AS text[]), CAST(:accessKeys AS text[]),
    CAST(:names AS text[])) AS e (external_id, scope, access_key, name)
  WHERE c.store_id = :storeId AND c.external_id IS NULL AND c.deleted_at IS NULL AND (
    c.reaches_store AND c.access_key = e.access_key
    OR c.standing = 'UNKNOWN' AND c.parent_id IS NULL AND c.revoked_at IS NULL AND coalesce(c.scope, e.scope) = e.scope
      AND coalesce(c.access_key, c.name) = coalesce(e.access_key, e.name) AND NOT EXISTS (
        SELECT 1 FROM credentials o
        WHERE o.store_id = :storeId AND o.external_id = e.external_id AND o.deleted_at IS NULL))
  ORDER BY e.external_id, c.reaches_store DESC, c.id`);

const leaveOthers = sql(`
  UPDATE credentials SET deleted_at = now(), revoked_at = coalesce(revoked_at, now()), updated_at = now()
  WHERE store_id = :storeId AND external_id = ANY(CAST(:externalIds AS text[])) AND deleted_at IS NULL
    AND NOT id = ANY(CAST(:ids AS uuid[])) RETURNING id`);

const nameOnce = sql(`
  UPDATE credentials c SET external_id = e.external_id, scope = l.scope,
    created_at = coalesce(l.created_at, c.created_at)
  FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[])) AS e (id, external_id)
  JOIN unnest(CAST(:externalIds AS text[]), CAST(:scopes AS text[]), CAST(:createdAt AS timestamptz[]))
    AS l (external_id, scope, created_at) ON l.external_id = e.external_id
  WHERE c.id = e.id RETURNING c.id`);

const leave = sql(`
  UPDATE credentials SET deleted_at = now(), updated_at = now() WHERE id = ANY(CAST(:ids AS uuid[])) RETURNING id`);

const seenBefore = sql(`
  SELECT c.id, c.external_id AS "externalId", c.scope, c.observed, c.gone_at IS NOT NULL AS gone,
    c.revoked_at IS NOT NULL AS ended, EXISTS (
      SELECT 1 FROM intents i WHERE i.credential_id = c.id AND i.verb <> 'RETIRE'
        AND (i.state = 'OPEN' OR i.finished_at > CAST(:since AS timestamptz))) AS written
  FROM credentials c
  WHERE c.store_id = :storeId AND c.external_id = ANY(CAST(:externalIds AS text[])) AND c.deleted_at IS NULL
  ORDER BY c.id FOR UPDATE`);

const seenNow = sql(`
  UPDATE credentials SET observed_at = clock_timestamp() WHERE id = ANY(CAST(:ids AS uuid[])) RETURNING 1 AS one`);

// A key of a credential that Keyway knows is no credential of its own; nor is what is just being made.
const insert = sql(`
  WITH listed AS MATERIALIZED (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS e (id uuid, external_id text, scope text, kind text,
      name text, access_key text, provider text, description text, category text, full_name text, email text,
      enabled boolean, allowed_ips text[], expires_at timestamptz, readable boolean, observed jsonb,
      unsaid text[], standing text, problem text, base_url text, trust jsonb,
      created_at timestamptz, last_used_at timestamptz)
  ), busy AS MATERIALIZED (
    SELECT c.scope FROM intents i JOIN credentials c ON c.id = i.credential_id
    WHERE i.store_id = :storeId AND (i.state = 'OPEN' AND i.verb IN ('CREATE', 'ROTATE')
      OR i.finished_at > CAST(:since AS timestamptz) AND i.verb <> 'RETIRE')
    UNION ALL
    -- What a lost call may have made is ended, not taken in.
    SELECT c.scope FROM leftovers l JOIN credentials c ON c.id = l.credential_id
    WHERE l.store_id = :storeId AND l.before IS NOT NULL
  ), keys AS MATERIALIZED (
    SELECT v.access_key FROM credentials c JOIN credential_versions v ON v.credential_id = c.id
    WHERE c.store_id = :storeId AND c.external_id IS NOT NULL AND c.deleted_at IS NULL AND v.access_key IS NOT NULL
      AND v.access_key IN (SELECT access_key FROM listed)
  ), made AS (
    INSERT INTO credentials (id, store_id, account_id, external_id, scope, kind, name, access_key, provider, description,
      category, full_name, email, enabled, allowed_ips, unsaid, standing, problem, base_url, trust, expires_at, retrievable,
      observed, created_at, observed_at)
    SELECT e.id, :storeId, :accountId, e.external_id, e.scope, e.kind, e.name, e.access_key, e.provider, e.description,
      e.category, e.full_name, e.email, coalesce(e.enabled, true), coalesce(e.allowed_ips, '{}'),
      e.unsaid, e.standing, e.problem, e.base_url, nullif(e.trust, 'null'), e.expires_at,
      coalesce(e.readable, false), e.observed, coalesce(e.created_at, now()), clock_timestamp()
    FROM listed e
    WHERE NOT EXISTS (SELECT 1 FROM keys WHERE keys.access_key = e.access_key)
      AND NOT EXISTS (SELECT 1 FROM busy WHERE busy.scope IS NULL OR busy.scope = e.scope)
    ON CONFLICT DO NOTHING
    RETURNING id, created_at
  ), uses AS (
    INSERT INTO credential_uses (credential_id, last_used_at, unused_since)
    SELECT m.id, coalesce(e.last_used_at, '-infinity'), coalesce(e.last_used_at, m.created_at)
    FROM made m JOIN listed e ON e.id = m.id
  )
  SELECT id FROM made`);

// A trust policy is shown of a single credential alone, and stays for as long as the external id that it is for.
// What Keyway reaches the store with keeps the key that Keyway has, though the store may have another by now.
// A key that another credential of the store has is not this one's, whatever the store says: it is asked again.
const overwrite = sql(`
  WITH said AS MATERIALIZED (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS e (id uuid, scope text, observed jsonb, anew jsonb, unsaid text[])
  ), listed AS MATERIALIZED (
    SELECT e.id, e.scope, e.unsaid, e."isTaken",
      CASE WHEN e."isTaken" THEN e.observed - 'access_key' ELSE e.observed END AS observed,
      CASE WHEN e."isTaken" THEN e.anew - 'access_key' ELSE e.anew END AS anew
    FROM (
      SELECT s.*, s.key IS NOT NULL AND (
        row_number() OVER (PARTITION BY s.key ORDER BY s.id) > 1
        OR EXISTS (SELECT FROM credentials c JOIN credentials o ON o.store_id = c.store_id
          WHERE c.id = s.id AND o.id <> s.id AND o.access_key = s.key AND o.deleted_at IS NULL)) AS "isTaken"
      FROM (SELECT said.*, said.anew ->> 'access_key' AS key FROM said) s
    ) e
  )
  UPDATE credentials c SET
    observed = e.observed, scope = e.scope, gone_at = NULL,
    name = coalesce(e.anew ->> 'name', c.name),
    access_key = CASE WHEN e.anew ? 'access_key' AND NOT c.reaches_store THEN e.anew ->> 'access_key'
      ELSE c.access_key END,
    provider = CASE WHEN e.anew ? 'provider' THEN e.anew ->> 'provider' ELSE c.provider END,
    description = CASE WHEN e.anew ? 'description' THEN e.anew ->> 'description' ELSE c.description END,
    category = CASE WHEN e.anew ? 'category' THEN e.anew ->> 'category' ELSE c.category END,
    full_name = CASE WHEN e.anew ? 'full_name' THEN e.anew ->> 'full_name' ELSE c.full_name END,
    email = CASE WHEN e.anew ? 'email' THEN e.anew ->> 'email' ELSE c.email END,
    enabled = coalesce(CAST(e.anew ->> 'enabled' AS boolean), c.enabled),
    allowed_ips = CASE WHEN e.anew ? 'allowed_ips'
      THEN ARRAY(SELECT jsonb_array_elements_text(e.anew -> 'allowed_ips')) ELSE c.allowed_ips END,
    unsaid = e.unsaid,
    base_url = CASE WHEN e.anew ? 'base_url' THEN e.anew ->> 'base_url' ELSE c.base_url END,
    trust = CASE WHEN e.anew ? 'trust' AND e.anew -> 'trust' ->> 'externalId' IS DISTINCT FROM c.trust ->> 'externalId'
      THEN nullif(e.anew -> 'trust', 'null') ELSE c.trust END,
    problem = CASE WHEN e.observed ? 'invalid' THEN e.observed ->> 'problem' ELSE c.problem END,
    standing = CASE WHEN c.standing IN ('KNOWN', 'INVALID') AND e.observed ? 'invalid'
      THEN CASE WHEN CAST(e.observed ->> 'invalid' AS boolean) THEN 'INVALID' ELSE 'KNOWN' END ELSE c.standing END,
    expires_at = CASE WHEN e.anew ? 'expires_at' THEN CAST(e.anew ->> 'expires_at' AS timestamptz) ELSE c.expires_at END,
    retrievable = NOT c.reaches_store
      AND (c.retrievable OR coalesce(CAST(e.anew ->> 'readable' AS boolean), false)),
    revision = c.revision + 1, updated_at = now()
  FROM listed e WHERE c.id = e.id RETURNING c.id, e."isTaken"`);

const ensureRoles = sql(`
  INSERT INTO roles (id, name, permissions, store_id)
  SELECT e.id, e.name, '{}', :storeId FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[])) AS e (id, name)
  WHERE NOT EXISTS (SELECT FROM roles r WHERE r.store_id = :storeId AND r.name = e.name)
  ORDER BY e.name
  LIMIT greatest(0, CAST(:most AS integer) - (SELECT count(*) FROM roles r WHERE r.store_id = :storeId))
  ON CONFLICT (store_id, name) WHERE store_id IS NOT NULL DO NOTHING RETURNING id`);
const dropRoles = sql(`
  DELETE FROM credential_roles WHERE credential_id = ANY(CAST(:ids AS uuid[])) RETURNING role_id`);
// What is carried already costs no write.
const carryRoles = sql(`
  WITH said AS MATERIALIZED (
    SELECT DISTINCT e.id, r.id AS role_id FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[])) AS e (id, name)
    JOIN roles r ON r.store_id = :storeId AND r.name = e.name
  ), carried AS (
    INSERT INTO credential_roles (credential_id, role_id) SELECT id, role_id FROM said ON CONFLICT DO NOTHING
  )
  SELECT count(*)::integer AS kept FROM said`);

const notSeen = sql(`
  UPDATE credentials SET gone_at = now(), revision = revision + 1, updated_at = now()
  WHERE id IN (
    SELECT c.id FROM credentials c
    WHERE c.store_id = :storeId AND (c.external_id IS NOT NULL OR c.standing = 'UNKNOWN') AND c.parent_id IS NULL
      AND c.gone_at IS NULL AND c.revoked_at IS NULL AND c.deleted_at IS NULL
      AND coalesce(c.observed_at, c.updated_at) < CAST(:since AS timestamptz)
      AND (c.scope = ANY(CAST(:unread AS text[]))) IS NOT TRUE
      AND NOT EXISTS (SELECT 1 FROM intents i WHERE i.credential_id = c.id AND i.state = 'OPEN' AND i.verb <> 'RETIRE')
    LIMIT CAST(:most AS integer) FOR UPDATE SKIP LOCKED)
  RETURNING id`);
