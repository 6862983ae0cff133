import { authorizeActing, authorizeEnd } from '../access/acting.js';
import { may, owners, type Place } from '../access/authorize.js';
import type { RequestContext } from '../context.js';
import type { Keyring } from '../keyring/keyring.js';
import { sql, violates, type Tx } from '../database/database.js';
import { badInput, conflict, forbidden } from '../errors.js';
import type { IdentityInput } from './account.input.js';
import { Identity } from './identity.js';

/**
 * Makes these the identities of an account, and no others. The account is locked, or new.
 * @returns whether that changed anything.
 * @throws BAD_USER_INPUT for one that is given twice, and for an issuer that is not configured; FORBIDDEN where one is
 * new and the account may do more than the caller, or is the caller itself, whose proof ends; CONFLICT where one belongs
 * to another account.
 */
export async function keepIdentities(
  ctx: RequestContext,
  tx: Tx,
  accountId: string,
  identities: readonly IdentityInput[],
): Promise<boolean> {
  const wanted = new Map<string, IdentityInput>();
  for (const [index, identity] of identities.entries()) {
    const path = `input.identities.${index}`;
    if (!ctx.issuers.has(identity.issuer))
      throw badInput(`${path}.issuer`, 'must be an issuer that is configured');
    if (wanted.has(keyOf(identity))) throw badInput(path, 'must not be given twice');
    wanted.set(keyOf(identity), identity);
  }
  const held = new Set((await tx.rows<Identity>(identitiesHeld, { accountId })).map(keyOf));
  const added = [...wanted].flatMap(([key, identity]) => (held.has(key) ? [] : identity));
  const removed = [...held].filter((key) => !wanted.has(key));
  if (added.length > 0) await authorizeGiving(ctx, tx, accountId);
  if (removed.length > 0) {
    const keep = [...wanted.values()];
    await tx.rows(removeOthers, {
      accountId,
      issuers: keep.map(({ issuer }) => issuer),
      subjects: keep.map(({ subject }) => subject),
    });
  }
  try {
    if (added.length > 0)
      await tx.em
        .getRepository(Identity)
        .insert(added.map(({ issuer, subject }) => ({ accountId, issuer, subject })));
  } catch (error) {
    if (violates(error, 'identities_pkey')) throw conflict('An identity belongs to another account.');
    throw error;
  }
  return added.length + removed.length > 0;
}

/** What stands for an identity where nobody is to read whose it is. */
export const tagOfIdentity = (
  keyring: Keyring,
  { issuer, subject }: Pick<Identity, 'issuer' | 'subject'>,
): string => keyring.mac('identity', issuer, subject).toString('hex');

/** Whether it stands for that identity. */
export const isTagOfIdentity = (
  keyring: Keyring,
  { issuer, subject }: Pick<Identity, 'issuer' | 'subject'>,
  tag: string,
): boolean => keyring.macMatches('identity', Buffer.from(tag, 'hex'), issuer, subject);

const keyOf = ({ issuer, subject }: Pick<Identity, 'issuer' | 'subject'>) =>
  JSON.stringify([issuer, subject]);

/** Who calls as the account may do all that it may, and to what it owns what owners may. @throws FORBIDDEN */
async function authorizeGiving(ctx: RequestContext, tx: Tx, accountId: string): Promise<void> {
  const { principal } = ctx;
  await authorizeActing(principal, { accountId, permissions: null, allowedIps: [] }, tx);
  authorizeEnd(principal, accountId, null);
  for (const place of await tx.rows<Place>(placesOwned, { accountId })) {
    if (![...owners].every((permission) => may(principal, permission, { ...place, owner: accountId })))
      throw forbidden('The account owns credentials that it may do more with than you may.');
  }
}

const identitiesHeld = sql('SELECT issuer, subject FROM identities WHERE account_id = :accountId');

const removeOthers = sql(`
  DELETE FROM identities WHERE account_id = :accountId AND (issuer, subject) NOT IN (
    SELECT * FROM unnest(CAST(:issuers AS text[]), CAST(:subjects AS text[])))`);

const placesOwned = sql(`
  SELECT DISTINCT account_id AS "accountId", project_id AS "projectId" FROM credentials
  WHERE (owner_id = :accountId OR owner_id IS NULL AND account_id = :accountId) AND deleted_at IS NULL`);
