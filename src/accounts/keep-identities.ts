import { authorizeEnd } from '../access/acting.js';
import { may } from '../access/authorize.js';
import { readPattern } from '../access/issuers/pattern.js';
import { Permission } from '../access/principal.js';
import type { RequestContext } from '../access/context.js';
import type { Keyring } from '../keyring/keyring.js';
import { sql, violates, type Tx } from '../database/database.js';
import { badInput, conflict, forbidden } from '../errors.js';
import type { IdentityInput } from './account.input.js';
import { authorizeCallingAs } from './calling-as.js';
import { Identity } from './identity.js';
import { authorizeOverlaps, type NewIdentity } from './identities/overlaps.js';

/**
 * Makes these the identities of an account, and no others. The account is locked, or new.
 * @returns those that it has no more, as tags; undefined where nothing was changed.
 * @throws BAD_USER_INPUT for one that is given twice, for an issuer that is not configured, and for what is no pattern; FORBIDDEN where one is
 * new and a pattern, without ACCOUNT_MANAGE everywhere, and where one is new and the account may do more than the caller, or is the caller itself, whose proof ends; CONFLICT where one belongs
 * to another account, or overlaps one in a way that `authorizeOverlaps` refuses.
 */
export async function keepIdentities(
  ctx: RequestContext,
  tx: Tx,
  accountId: string,
  identities: readonly IdentityInput[],
): Promise<string[] | undefined> {
  const wanted = new Map<string, NewIdentity>();
  for (const [index, { issuer, subject, pattern }] of identities.entries()) {
    const path = `input.identities.${index}`;
    if (!ctx.issuers.has(issuer)) throw badInput(`${path}.issuer`, 'must be an issuer that is configured');
    const form = pattern ? readPattern(subject) : null;
    if (typeof form === 'string') throw badInput(`${path}.subject`, form);
    const identity = { issuer, subject, pattern: form !== null, prefix: null, expression: null, ...form };
    if (wanted.has(keyOf(identity))) throw badInput(path, 'must not be given twice');
    wanted.set(keyOf(identity), identity);
  }
  const held = new Map(
    (await tx.rows<Identity>(identitiesHeld, { accountId })).map((identity) => [keyOf(identity), identity]),
  );
  const added = [...wanted].flatMap(([key, identity]) => (held.has(key) ? [] : identity));
  const removed = [...held].flatMap(([key, identity]) => (wanted.has(key) ? [] : identity));
  if (added.length > 0) {
    await authorizeCallingAs(ctx.principal, tx, accountId);
    authorizeEnd(ctx.principal, accountId, null);
  }
  if (added.some(({ pattern }) => pattern) && !may(ctx.principal, Permission.ACCOUNT_MANAGE, {}))
    throw forbidden(notEverywhere);
  if (removed.length > 0) {
    const keep = [...wanted.values()];
    await tx.rows(removeOthers, {
      accountId,
      issuers: keep.map(({ issuer }) => issuer),
      subjects: keep.map(({ subject }) => subject),
      patterns: keep.map(({ pattern }) => pattern),
    });
  }
  if (added.length > 0) await authorizeOverlaps(ctx.principal, tx, accountId, added);
  try {
    if (added.length > 0)
      await tx.em.getRepository(Identity).insert(added.map((identity) => ({ accountId, ...identity })));
  } catch (error) {
    if (violates(error, 'identities_pkey')) throw conflict('An identity belongs to another account.');
    throw error;
  }
  if (added.length + removed.length === 0) return undefined;
  return removed.map((identity) => tagOfIdentity(ctx.keyring, identity));
}

/** The identities of an account, as tags. */
export const tagsOfIdentities = async (keyring: Keyring, tx: Tx, accountId: string): Promise<string[]> =>
  (await tx.rows<Identity>(identitiesHeld, { accountId })).map((identity) =>
    tagOfIdentity(keyring, identity),
  );

/** What stands for an identity where nobody is to read whose it is. */
export const tagOfIdentity = (keyring: Keyring, identity: Named): string =>
  keyring.mac('identity', ...tagged(identity)).toString('hex');

/** What may stand for it: by the current key, and by those before. */
export const tagsOfIdentity = (keyring: Keyring, identity: Named): string[] =>
  keyring.macs('identity', ...tagged(identity)).map(({ tag }) => tag.toString('hex'));

/** Whether it stands for that identity. */
export const isTagOfIdentity = (keyring: Keyring, identity: Named, tag: string): boolean =>
  keyring.macMatches('identity', Buffer.from(tag, 'hex'), ...tagged(identity));

type Named = Pick<IdentityInput, 'issuer' | 'subject' | 'pattern'>;

/** Tags of identities that are no patterns are as they were before there were any. */
const tagged = ({ issuer, subject, pattern }: Named): string[] =>
  pattern ? [issuer, subject, 'pattern'] : [issuer, subject];

const keyOf = (identity: Named) => JSON.stringify(tagged(identity));

// Whose the users of an issuer are, Keyway cannot know: a tenant could claim those of another by a pattern.
const notEverywhere = 'A pattern of identities takes ACCOUNT_MANAGE everywhere.';

const identitiesHeld = sql('SELECT issuer, subject, pattern FROM identities WHERE account_id = :accountId');

const removeOthers = sql(`
  DELETE FROM identities WHERE account_id = :accountId AND (issuer, subject, pattern) NOT IN (
    SELECT * FROM unnest(CAST(:issuers AS text[]), CAST(:subjects AS text[]), CAST(:patterns AS boolean[])))`);
