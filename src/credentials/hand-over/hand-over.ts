import type { RequestContext } from '../../access/context.js';
import { inEach, type Deed } from '../../audit/record.js';
import { sql, violates, type Tx } from '../../database/database.js';
import { conflict } from '../../errors.js';
import { heldDestinations } from '../../stores/sealed/destination.js';
import { reseal } from '../../stores/sealed/reseal.js';
import type { Credential } from '../record/credential.js';

/** Gives all that an account has and owns to another one. @returns the deeds to record: of each thing, at each place */
export async function handOver(ctx: RequestContext, tx: Tx, from: string, to: string): Promise<Deed[]> {
  await resealTo(ctx, tx, from, to);
  try {
    const credentials = await tx.rows<MovedCredential>(moveCredentials, { from, to });
    const projects = await tx.rows<{ id: string }>(moveProjects, { from, to });
    await tx.rows(keepRead, { from });
    const subAccounts = await tx.rows<{ id: string }>(moveSubAccounts, { from, to });
    return [
      ...credentials.flatMap(({ id, accountId, projectId, changed }) =>
        inEach([from, to, accountId], {
          action: 'credential:transfer',
          target: { type: 'Credential', id },
          projectId,
          recipientId: to,
          changed,
        }),
      ),
      ...projects.flatMap(({ id }) =>
        inEach([from, to], {
          action: 'project:transfer',
          target: { type: 'Project', id },
          projectId: id,
          recipientId: to,
          changed: ['account'],
        }),
      ),
      ...subAccounts.flatMap(({ id }) =>
        inEach([from, to, id], {
          action: 'account:transfer',
          target: { type: 'Account', id },
          recipientId: to,
          changed: ['parent'],
        }),
      ),
    ];
  } catch (error) {
    if (violates(error, 'credentials_username'))
      throw conflict('The account that takes over has a user name of this one already.');
    throw error;
  }
}

/** What is sealed is bound to its account, so it is sealed again for the next one. */
async function resealTo(ctx: RequestContext, tx: Tx, from: string, to: string): Promise<void> {
  const stores = (await tx.rows<{ id: string }>(storesOf, { from })).map(({ id }) => id);
  const destinations = await heldDestinations(tx, stores);
  const secrets = await tx.rows<Sealed>(sealedOf, { from });
  const moving = secrets.map(({ id, projectId, storeId, ...secret }) => {
    const place = { id, projectId, destination: destinations.get(storeId) };
    return { id, ...secret, from: { ...place, accountId: from }, to: { ...place, accountId: to } };
  });
  await reseal(ctx.keyring, tx, moving);
}

type Sealed = Pick<Credential, 'id' | 'projectId' | 'storeId'> & { number: number; sealed: Buffer };

/** A credential that was moved: where it was before, and what of it is another. */
type MovedCredential = Pick<Credential, 'id' | 'accountId' | 'projectId'> & { changed: string[] };

const storesOf = sql(`
  SELECT DISTINCT store_id AS id FROM credentials WHERE account_id = :from AND deleted_at IS NULL`);
const sealedOf = sql(`
  SELECT c.id, c.project_id AS "projectId", c.store_id AS "storeId", v.number, v.sealed
  FROM credentials c JOIN credential_versions v ON v.credential_id = c.id AND v.sealed IS NOT NULL
  WHERE c.account_id = :from AND c.kind <> 'TOKEN' AND c.deleted_at IS NULL FOR UPDATE OF c`);

const moveCredentials = sql(`
  WITH moving AS MATERIALIZED (
    SELECT id, account_id, project_id, account_id = :from AND kind <> 'TOKEN' AS its, coalesce(owner_id = :from, false) AS owned
    FROM credentials
    WHERE (account_id = :from AND kind <> 'TOKEN' OR owner_id = :from) AND deleted_at IS NULL FOR UPDATE
  )
  UPDATE credentials c SET account_id = CASE WHEN m.its THEN CAST(:to AS uuid) ELSE c.account_id END,
    owner_id = CASE WHEN m.owned THEN CAST(:to AS uuid) ELSE c.owner_id END,
    revision = c.revision + 1, updated_at = now()
  FROM moving m WHERE c.id = m.id
  RETURNING c.id, m.account_id AS "accountId", m.project_id AS "projectId",
    array_remove(ARRAY[CASE WHEN m.its THEN 'account' END, CASE WHEN m.owned THEN 'owner' END], NULL) AS changed`);
// What is deleted stays where it was: its history is read there.
const moveProjects = sql(`
  UPDATE projects SET account_id = :to, updated_at = now() WHERE account_id = :from AND deleted_at IS NULL RETURNING id`);
// Who reads the log of what is deleted goes on reading what its parts did until then.
const keepRead = sql(`
  WITH RECURSIVE part (id) AS (
    SELECT id FROM accounts WHERE parent_id = :from AND deleted_at IS NULL
    UNION
    SELECT a.id FROM part JOIN accounts a ON a.parent_id = part.id
  )
  INSERT INTO audit_former_parts (of_account_id, account_id, number)
  SELECT :from, h.account_id, h.number FROM part JOIN audit_heads h ON h.account_id = part.id`);
const moveSubAccounts = sql(`
  UPDATE accounts SET parent_id = :to, updated_at = now() WHERE parent_id = :from AND deleted_at IS NULL RETURNING id`);
