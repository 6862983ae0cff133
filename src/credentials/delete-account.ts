import { authorize, authorizeMove, type Place } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import type { Account } from '../accounts/account.js';
import type { DeleteAccountInput } from '../accounts/account.input.js';
import { lockAccount } from '../accounts/find.js';
import { endFactor } from '../accounts/remove-mfa.js';
import { isWithin } from '../accounts/tree.js';
import { inEach, recordAll, type Deed } from '../audit/record.js';
import type { RequestContext } from '../context.js';
import { sql, violates, type Tx } from '../database/database.js';
import { badInput, conflict } from '../errors.js';
import { once } from '../idempotency/once.js';
import { decodeId, encodeId } from '../ids.js';
import { deedsOfScope, withdrawingScopes, type GivenScope } from '../stores/scopes/places.js';
import { heldDestinations } from '../stores/sealed/destination.js';
import { reseal } from '../stores/sealed/reseal.js';
import { moveRoles } from '../roles/move.js';
import { deedsAt, readsAudit, withdrawing, type GivenGrant } from '../roles/places.js';
import type { Credential } from './record/credential.js';
import { endCredentials, markDeleted } from './record/end.js';

/**
 * Deletes an account, with the roles it holds and those held on it, but for those that let read the audit log: of them
 * that is left. Returns its public id. Handed over, its credentials keep their secrets, and each thing is on record where
 * it was and where it is; its own tokens and identities, and what was derived for it, end all the same, since they would
 * prove somebody else.
 * @throws NOT_FOUND; FORBIDDEN, also where the caller may do more at the account that takes over than at this one;
 * CONFLICT while it owns credentials, projects or sub-accounts of which the input does not say what becomes of them,
 * while it has stores, and for oneself and the built-in administrator.
 */
export async function deleteAccount(ctx: RequestContext, input: DeleteAccountInput): Promise<string> {
  const id = decodeId('Account', input.id, 'input.id');
  // Found within, so that a replay answers although the account is gone.
  const { result } = await once(ctx, 'account:delete', input, async (tx) => {
    const account = await lockAccount(ctx, tx, id, Permission.ACCOUNT_MANAGE);
    authorize(ctx.principal, Permission.ACCOUNT_MANAGE, { accountId: id, about: { type: 'Account', id } });
    if (account.builtIn || id === ctx.principal.accountId) {
      throw conflict(
        'The built-in administrator cannot be deleted, and nobody can delete their own account.',
      );
    }
    const heir = await heirOf(ctx, tx, account, input.transferTo);
    const [owned] = await tx.rows<Record<Owning, string[]>>(ownings, { id });
    const { credentials = [], personal = [], projects = [], subAccounts = [], stores = [] } = owned ?? {};
    // What Keyway reaches a store with is sealed to the account that it is of.
    if (stores.length > 0) throw conflict('The account has stores: delete those first.');
    if (!heir && (projects.length > 0 || subAccounts.length > 0)) {
      throw conflict('The account has projects or sub-accounts: say whom to transfer them to.');
    }
    if (!heir && !input.revokeCredentials && credentials.length + personal.length > 0) {
      throw conflict(
        'The account has credentials: say whom to transfer them to, or that they are to be revoked.',
      );
    }
    if (input.revokeCredentials) await expectOwn(tx, credentials);
    const ended = await endAll(tx, input.revokeCredentials ? [...personal, ...credentials] : personal);
    const moved = heir ? await handOver(ctx, tx, id, heir.id) : [];
    if (heir) moved.push(...(await moveRoles(tx, id, heir.id)));
    const withdrawn = await tx.rows<GivenGrant>(withdrawGrants, { id });
    const scopes = await tx.rows<GivenScope>(withdrawScopes, { id });
    await endFactor(tx, id);
    await tx.rows(removeIdentities, { id });
    await tx.rows(markGone, { id });
    const recipientId = heir?.id ?? null;
    await recordAll(ctx, tx, [
      ...ended,
      ...moved,
      ...withdrawn.flatMap((grant) => deedsAt('role:withdraw', grant)),
      ...scopes.flatMap((scope) => deedsOfScope('scope:withdraw', scope)),
      { action: 'account:delete', target: { type: 'Account', id }, accountId: id, recipientId },
    ]);
    return { deletedId: encodeId('Account', id) };
  });
  return result.deletedId;
}

async function heirOf(
  ctx: RequestContext,
  tx: Tx,
  account: Account,
  given: string | null | undefined,
): Promise<Account | null> {
  if (!given) return null;
  const id = decodeId('Account', given, 'input.transferTo');
  const heir = await lockAccount(ctx, tx, id, Permission.ACCOUNT_MANAGE);
  authorize(ctx.principal, Permission.ACCOUNT_MANAGE, { accountId: id });
  if (await isWithin(tx, id, account.id))
    throw badInput('input.transferTo', 'must not be the account itself or part of it');
  authorizeMove(ctx.principal, { accountId: account.id, owner: account.id }, { accountId: id, owner: id });
  for (const place of await tx.rows<Place>(placesOwned, { id: account.id })) {
    authorizeMove(ctx.principal, { ...place, owner: account.id }, { ...place, owner: id });
  }
  return heir;
}

/** @throws CONFLICT for credentials in outside stores: those must end there, which is a deed for each. */
async function expectOwn(tx: Tx, ids: readonly string[]): Promise<void> {
  if ((await tx.rows(livingElsewhere, { ids })).length > 0)
    throw conflict('The account has credentials in outside stores: revoke those first.');
}

/** Revokes and deletes. Each is a decision of its own, which is returned to be recorded. */
async function endAll(tx: Tx, ids: readonly string[]): Promise<Deed[]> {
  if (ids.length === 0) return [];
  const ended = await endCredentials(tx, ids, null);
  await markDeleted(tx, ids);
  return ended.map(({ id, accountId, projectId }) => ({
    action: 'credential:revoke',
    target: { type: 'Credential', id },
    accountId,
    projectId,
    changed: ['status'],
  }));
}

/** Gives all that the account has and owns to another one. @returns the deeds to record: of each thing, at each place */
async function handOver(ctx: RequestContext, tx: Tx, from: string, to: string): Promise<Deed[]> {
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

type Owning = 'credentials' | 'personal' | 'projects' | 'subAccounts' | 'stores';
const ownings = sql(`
  SELECT
    array(SELECT id::text FROM credentials WHERE deleted_at IS NULL
      AND (account_id = :id AND kind = 'TOKEN' OR parent_id IS NOT NULL AND (account_id = :id OR owner_id = :id))) AS personal,
    array(SELECT id::text FROM credentials WHERE deleted_at IS NULL AND parent_id IS NULL
      AND (account_id = :id AND kind <> 'TOKEN' OR owner_id = :id AND account_id <> :id)) AS credentials,
    array(SELECT id::text FROM projects WHERE account_id = :id AND deleted_at IS NULL) AS projects,
    array(SELECT id::text FROM accounts WHERE parent_id = :id AND deleted_at IS NULL) AS "subAccounts",
    array(SELECT id::text FROM stores WHERE account_id = :id AND deleted_at IS NULL) AS stores`);

const placesOwned = sql(`
  SELECT DISTINCT account_id AS "accountId", project_id AS "projectId" FROM credentials
  WHERE owner_id = :id AND account_id <> :id AND deleted_at IS NULL`);

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
const withdrawGrants = sql(withdrawing(`g.account_id = :id OR g.on_account_id = :id AND NOT ${readsAudit}`));
const withdrawScopes = sql(withdrawingScopes('g.account_id = :id'));
const removeIdentities = sql('DELETE FROM identities WHERE account_id = :id');
const markGone = sql(
  'UPDATE accounts SET deleted_at = now(), enabled = false, updated_at = now() WHERE id = :id',
);
const livingElsewhere = sql(`
  SELECT id FROM credentials c WHERE id = ANY(CAST(:ids AS uuid[])) AND (
    external_id IS NOT NULL AND revoked_at IS NULL
    OR EXISTS (SELECT 1 FROM intents i WHERE i.credential_id = c.id AND i.state = 'OPEN')) LIMIT 1`);
