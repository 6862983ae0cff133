import { authorize, authorizeRepeated, may, owners, type Place } from '../../access/authorize.js';
import { authorizeBearing } from '../../access/acting.js';
import { authorizeGains } from '../../access/gains.js';
import { giverTo, Permission, type Principal } from '../../access/principal.js';
import type { Account } from '../../accounts/account.js';
import type { DeleteAccountInput } from '../../accounts/account.input.js';
import { lockAccount } from '../../accounts/find.js';
import { endFactor } from '../../accounts/remove-mfa.js';
import { tagsOfIdentities } from '../../accounts/keep-identities.js';
import { attemptWhere } from '../../accounts/second-factor.js';
import { isWithin } from '../../accounts/tree.js';
import { recordAll, type Deed } from '../../audit/record.js';
import { mostListed } from '../../config/limits.js';
import type { RequestContext } from '../../access/context.js';
import { sql, type Tx } from '../../database/database.js';
import { badInput, conflict, forbidden } from '../../errors.js';
import type { Answer } from '../../idempotency/answer.js';
import { once } from '../../idempotency/once.js';
import { encodeId } from '../../ids.js';
import { decodeId } from '../../inputs/decode-id.js';
import { deedsOfScope, withdrawingScopes, type GivenScope } from '../../stores/scopes/places.js';
import { dropRoles } from '../../roles/drop.js';
import { moveRoles } from '../../roles/move.js';
import { deedsAt, readsAudit, withdrawing, type GivenGrant } from '../../roles/places.js';
import { handOver } from './hand-over.js';
import { ownedElsewhere, permanent, release, sortOut, type OwnedElsewhere } from './owned-elsewhere.js';
import { endCredentials, markDeleted } from '../record/end.js';

/** What is left of an account that was deleted, by UUID: the first `mostListed` of what it owned and stays as it is. */
export interface DeletedAccount extends Answer {
  deletedId: string;
  untouched: string[];
  untouchedCount: number;
}

/**
 * Deletes an account, with the roles it holds, its own and those held on it, but for those that let read the audit log: of
 * them that is left. Handed over, its credentials keep their secrets, and each thing is on record where it was and where it
 * is; its own tokens and identities, and what was derived for it, end all the same, since they would prove somebody
 * else. Credentials of other accounts that it owns, and that the caller may not end or hand over where they are, stay as
 * they are, without an owner.
 * @throws NOT_FOUND; FORBIDDEN, also where the caller may not do to its credentials what becomes of them, and where by
 * the hand-over anybody could do more than the caller, and to hand over without the second factor that the caller's
 * account requires; CONFLICT while it owns credentials, projects or sub-accounts of
 * which the input does not say what becomes of them, while it has stores, and for oneself and the built-in
 * administrator.
 */
export async function deleteAccount(
  ctx: RequestContext,
  { mfaCode, ...input }: DeleteAccountInput,
): Promise<DeletedAccount> {
  const id = decodeId('Account', input.id, 'input.id');
  // A repeated request has the code of its own moment.
  const factor = await attemptWhere(ctx, Boolean(input.transferTo), mfaCode);
  // The account is found within, so that a replay answers although it is gone.
  const remove = async (tx: Tx): Promise<DeletedAccount> => {
    const account = await lockAccount(ctx, tx, id, Permission.ACCOUNT_MANAGE);
    authorize(ctx.principal, Permission.ACCOUNT_MANAGE, { accountId: id, about: { type: 'Account', id } });
    if (account.builtIn || id === ctx.principal.accountId) {
      throw conflict(
        'The built-in administrator cannot be deleted, and nobody can delete their own account.',
      );
    }
    const heir = await heirOf(ctx, tx, account, input.transferTo);
    const holding = await holdingOf(tx, id);
    const elsewhere = await ownedElsewhere(tx, id);
    expectSaid(input, holding, elsewhere);
    const isRevoking = input.revokeCredentials === true;
    const giver = giverTo(ctx.principal, heir?.id);
    authorizeDisposing(giver, id, holding, isRevoking);
    const kept = isRevoking ? { ...holding, credentials: [], placed: [] } : holding;
    if (heir) await authorizeHeir(ctx, tx, id, heir.id, kept);
    const { ending, untouched } = sortOut(giver, elsewhere, isRevoking);
    const revoked = isRevoking ? [...holding.credentials, ...permanent(ending)] : [];
    await expectOwn(tx, revoked);
    await factor.prove(tx);
    const ended = await endAll(tx, [...holding.personal, ...revoked, ...ending.map((one) => one.id)]);
    const released = await release(tx, id, untouched);
    const moved = heir ? await handOver(ctx, tx, id, heir.id) : [];
    if (heir) moved.push(...(await moveRoles(tx, id, heir.id)));
    const withdrawn = await tx.rows<GivenGrant>(withdrawGrants, { id });
    const scopes = await tx.rows<GivenScope>(withdrawScopes, { id });
    const dropped = await dropRoles(tx, id);
    await endFactor(tx, id);
    const identities = await tagsOfIdentities(ctx.keyring, tx, id);
    await tx.rows(removeIdentities, { id });
    await tx.rows(markGone, { id });
    const recipientId = heir?.id ?? null;
    await recordAll(ctx, tx, [
      ...ended,
      ...released,
      ...moved,
      ...withdrawn.flatMap((grant) => deedsAt('role:withdraw', grant)),
      ...scopes.flatMap((scope) => deedsOfScope('scope:withdraw', scope)),
      ...dropped,
      {
        action: 'account:delete',
        target: { type: 'Account', id },
        accountId: id,
        recipientId,
        ends: { gone: 'DELETED', identities },
      },
    ]);
    return {
      deletedId: encodeId('Account', id),
      untouched: untouched.slice(0, mostListed).map((one) => one.id),
      untouchedCount: untouched.length,
    };
  };
  const deleting = () => once<DeletedAccount>(ctx, 'account:delete', input, remove);
  const { result, replayed } = await factor.during(deleting);
  if (replayed) authorizeRepeated(ctx.principal, Permission.ACCOUNT_MANAGE);
  // What was kept by earlier versions says nothing of it.
  return { ...result, untouched: result.untouched ?? [], untouchedCount: result.untouchedCount ?? 0 };
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
  return heir;
}

/** What an account has. */
interface Holding {
  credentials: string[];
  /** Its tokens, and what was derived from its credentials. */
  personal: string[];
  /** Where its credentials are; null for those in no project. */
  placed: (string | null)[];
  projects: string[];
  subAccounts: string[];
  roles: string[];
  stores: string[];
}

async function holdingOf(tx: Tx, id: string): Promise<Holding> {
  const [holding] = await tx.rows<Holding>(held, { id });
  if (!holding) throw new Error('an aggregate has a row');
  return holding;
}

/** @throws CONFLICT where the input does not say what is to become of all that the account has and owns. */
function expectSaid(
  { transferTo, revokeCredentials }: DeleteAccountInput,
  { credentials, personal, projects, subAccounts, stores }: Holding,
  elsewhere: readonly OwnedElsewhere[],
): void {
  // What Keyway reaches a store with is sealed to the account that it is of.
  if (stores.length > 0) throw conflict('The account has stores: delete those first, by deleteStore.');
  if (!transferTo && projects.length + subAccounts.length > 0)
    throw conflict('The account has projects or sub-accounts: say whom to transfer them to.');
  if (!transferTo && !revokeCredentials && credentials.length + personal.length + elsewhere.length > 0)
    throw conflict(
      'The account has credentials: say whom to transfer them to, or that they are to be revoked.',
    );
}

/**
 * Who revokes an account's credentials may do so where each is; who hands them over may do what their owner can.
 * @throws FORBIDDEN
 */
function authorizeDisposing(
  principal: Principal,
  accountId: string,
  { placed }: Holding,
  isRevoking: boolean,
): void {
  const needed = isRevoking ? [Permission.CREDENTIAL_REVOKE] : [...owners];
  for (const projectId of placed) {
    if (!needed.every((permission) => may(principal, permission, { accountId, projectId })))
      throw forbidden(
        isRevoking
          ? 'The account has credentials that you may not revoke.'
          : 'The account has credentials that you may not read, rotate and revoke yourself, as their next owner may.',
      );
  }
}

/** @throws FORBIDDEN where anybody could do more, once the heir has it all, than the caller may. */
async function authorizeHeir(
  ctx: RequestContext,
  tx: Tx,
  id: string,
  heirId: string,
  { credentials, placed, projects, subAccounts, roles }: Holding,
): Promise<void> {
  const from = { accountId: id, about: { type: 'Account' as const, id } };
  const places: Place[] = [
    ...(projects.length + subAccounts.length + roles.length > 0 ? [null] : []),
    ...placed,
  ].map((projectId) => ({ ...from, projectId }));
  await authorizeGains(
    ctx,
    places.map((place) => ({ from: place, to: { ...place, accountId: heirId } })),
    tx,
  );
  // A key calls as the account that it is of.
  await authorizeBearing(ctx.principal, credentials, heirId, tx);
}

/** @throws CONFLICT for credentials in outside stores: those must end there, which is a deed for each. */
async function expectOwn(tx: Tx, ids: readonly string[]): Promise<void> {
  if ((await tx.rows(livingElsewhere, { ids })).length > 0)
    throw conflict(
      'The account has credentials in outside stores: revoke those first. Where a store will never confirm it, delete the store with `abandonCredentials`.',
    );
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
    ends: { gone: 'DELETED' },
  }));
}

const held = sql(`
  SELECT
    array(SELECT id::text FROM credentials WHERE account_id = :id AND deleted_at IS NULL
      AND (kind = 'TOKEN' OR parent_id IS NOT NULL)) AS personal,
    array(SELECT id::text FROM credentials WHERE account_id = :id AND deleted_at IS NULL
      AND kind <> 'TOKEN' AND parent_id IS NULL) AS credentials,
    array(SELECT DISTINCT project_id::text FROM credentials WHERE account_id = :id AND deleted_at IS NULL
      AND kind <> 'TOKEN' AND parent_id IS NULL) AS placed,
    array(SELECT id::text FROM projects WHERE account_id = :id AND deleted_at IS NULL) AS projects,
    array(SELECT id::text FROM accounts WHERE parent_id = :id AND deleted_at IS NULL) AS "subAccounts",
    array(SELECT id::text FROM roles WHERE account_id = :id) AS roles,
    array(SELECT id::text FROM stores WHERE account_id = :id AND deleted_at IS NULL) AS stores`);
const withdrawGrants = sql(withdrawing(`g.account_id = :id OR g.on_account_id = :id AND NOT ${readsAudit}`));
const withdrawScopes = sql(withdrawingScopes('g.account_id = :id'));
// What an identity provider said of a person goes too, and with it the membership of groups.
const removeIdentities = sql(`
  WITH person AS (DELETE FROM scim_users WHERE account_id = :id)
  DELETE FROM identities WHERE account_id = :id`);
const markGone = sql(
  'UPDATE accounts SET deleted_at = now(), enabled = false, updated_at = now() WHERE id = :id',
);
const livingElsewhere = sql(`
  SELECT id FROM credentials c WHERE id = ANY(CAST(:ids AS uuid[])) AND (
    external_id IS NOT NULL AND revoked_at IS NULL
    OR EXISTS (SELECT 1 FROM intents i WHERE i.credential_id = c.id AND i.state = 'OPEN')) LIMIT 1`);
