import type { Ending } from '../audit/ending.js';
import { sql, type Tx } from '../database/database.js';
import type { Keyring } from '../keyring/keyring.js';
import { Identity } from './identity.js';
import { isTagOfIdentity } from './keep-identities.js';
import { endFactor } from './remove-mfa.js';

/**
 * Takes once more from accounts what they had lost when an older state of the database was put back. One that was deleted
 * is disabled, with no identity: what was to become of its parts is for somebody to say anew. A device that another one has
 * replaced proves nothing, and an operator takes it off; nor does a recovery code that was used. The users of those that are
 * not in the database, and were disabled, deleted or lost them, get no account at first sight.
 * @param endings by the ids of the accounts
 * @returns the ids of those that are in the database
 */
export async function endAccountsAgain(
  keyring: Keyring,
  tx: Tx,
  endings: ReadonlyMap<string, Ending>,
): Promise<string[]> {
  const found = await tx.rows<{ id: string }>(locked, { ids: [...endings.keys()] });
  const ids = found.map(({ id }) => id);
  const stops = ({ gone, enabled }: Ending) => gone !== undefined || enabled === false;
  await tx.rows(disable, { ids: ids.filter((id) => stops(endings.get(id) ?? {})) });
  await tx.rows(requireFactor, { ids: ids.filter((id) => endings.get(id)?.mfaRequired === true) });
  const factors = ids.flatMap((id) => {
    const factor = endings.get(id)?.factor;
    return factor === undefined ? [] : [{ id, factor }];
  });
  await tx.rows(useCodes, { used: JSON.stringify(ids.map((id) => ({ id, ...endings.get(id) }))) });
  for (const { id, factor } of factors)
    if (factor === null) await endFactor(tx, id);
    else await tx.rows(stopFactor, { id, factor });
  for (const identity of await tx.rows<Identity>(identitiesOf, { ids })) {
    const { gone, identities } = endings.get(identity.accountId) ?? {};
    const isKept = gone === undefined && identities?.some((tag) => isTagOfIdentity(keyring, identity, tag));
    const { issuer, subject, pattern } = identity;
    if (isKept === false || gone !== undefined)
      await tx.em.getRepository(Identity).delete({ issuer, subject, pattern });
  }
  await tx.rows(shutOut, {
    tags: [...endings].flatMap(([id, ending]) => (ids.includes(id) ? [] : tagsOut(ending))),
  });
  return ids;
}

/** The identities that do not call any more by what became of their account. */
function tagsOut({ gone, enabled, identities = [], lostIdentities = [] }: Ending): readonly string[] {
  if (gone !== undefined || enabled === false) return [...identities, ...lostIdentities];
  return lostIdentities.filter((tag) => !identities.includes(tag));
}

const locked = sql('SELECT id FROM accounts WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE');
const disable = sql(`
  UPDATE accounts SET enabled = false, updated_at = now()
  WHERE id = ANY(CAST(:ids AS uuid[])) AND enabled AND NOT built_in`);
const requireFactor = sql(`
  UPDATE accounts SET mfa_required = true, updated_at = now()
  WHERE id = ANY(CAST(:ids AS uuid[])) AND NOT mfa_required`);
// Where the one that has replaced it is lost with the database, nobody is to enrol another by the token alone.
const stopFactor = sql(`
  UPDATE mfa_devices SET last_step = 9223372036854775807, recovery = '{}', recovery_key_id = NULL
  WHERE account_id = :id AND id <> CAST(:factor AS uuid) AND confirmed_at IS NOT NULL`);
const useCodes = sql(`
  UPDATE mfa_devices d SET recovery = ARRAY(
    SELECT tag FROM unnest(d.recovery) AS tag WHERE NOT encode(tag, 'hex') = ANY(e."usedCodes"))
  FROM json_to_recordset(CAST(:used AS json)) AS e (id uuid, "usedCodes" text[])
  WHERE d.account_id = e.id AND cardinality(e."usedCodes") > 0`);
const shutOut = sql(`
  INSERT INTO identities_shut_out (tag) SELECT DISTINCT tag FROM unnest(CAST(:tags AS text[])) AS lost (tag)
  ON CONFLICT DO NOTHING RETURNING 1 AS one`);
const identitiesOf = sql(`
  SELECT account_id AS "accountId", issuer, subject, pattern FROM identities WHERE account_id = ANY(CAST(:ids AS uuid[]))`);
