import { createAccount } from '../accounts/create.js';
import { AccountKind } from '../accounts/account.js';
import type { IdentityInput } from '../accounts/account.input.js';
import { updateAccount } from '../accounts/update.js';
import { grantsHeldBy, type Held } from '../access/rights.js';
import { decidedByNow } from '../access/standing.js';
import type { RequestContext } from '../access/context.js';
import { sql, violates, type Tx } from '../database/database.js';
import { conflict, KeywayError } from '../errors.js';
import { encodeId, newId } from '../ids.js';
import { keyOfName, type Directory } from './directory.js';
import { userById, versionSql } from './find-users.js';
import { ScimRefusal, stale, taken } from './refusal.js';
import { etagOf, type FoundUser, type Person } from './user.js';

/**
 * Makes a person: an account below that of the directory, with what is kept of the person and, where the directory names an
 * issuer, with an identity there, in one transaction.
 * @throws ScimRefusal uniqueness for a userName or an identity that somebody has; what `createAccount` throws
 */
export async function createUser(
  ctx: RequestContext,
  directory: Directory,
  person: Person,
): Promise<FoundUser> {
  const subject = subjectOf(directory, person);
  const input = {
    kind: AccountKind.PERSON,
    name: `user-${newId().replaceAll('-', '').slice(12)}`,
    title: person.displayName,
    email: person.email,
    parent: directory.parent,
    identities: subject ? [subject] : [],
  };
  const keep = async (tx: Tx, id: string) => {
    if (!person.active) await tx.rows(disable, { id });
    const named = { directory: directory.id, key: keyOfName(person.userName) };
    await tx.rows(dropDeleted, named);
    await once(() => tx.rows(insert, { ...rowOf(person), ...named, id }));
  };
  const { id } = await decidedByNow(ctx, (now) => createAccount(now, input, keep)).catch((error: unknown) => {
    const isTaken =
      error instanceof KeywayError && error.code === 'CONFLICT' && !(error instanceof ScimRefusal);
    throw isTaken ? taken(error.message) : error;
  });
  return userById(ctx, directory, encodeId('Account', id));
}

/**
 * Makes a person what a function of what they are says, with an event where that is something else. What else was changed
 * meanwhile is not undone: the function is asked again.
 * @param expected an ETag that the person must have; any, where undefined
 * @throws NOT_FOUND; ScimRefusal uniqueness, and 412 for another version than the one expected; what `change` and
 * `updateAccount` throw
 */
export async function changeUser(
  ctx: RequestContext,
  directory: Directory,
  id: string,
  expected: string | undefined,
  change: (person: Person) => Person,
): Promise<FoundUser> {
  for (let tries = 0; tries < mostTries; tries++) {
    const found = await userById(ctx, directory, id);
    expectVersion(found, expected);
    const wanted = change(found);
    const names = differing(found, wanted);
    if (names.length === 0) return found;
    const input = await inputOf(ctx, directory, found, wanted);
    const keep = async (tx: Tx): Promise<string[]> => {
      const [now] = await tx.rows<{ version: string }>(versionNow, { id: found.id });
      if (now?.version !== found.version) throw new Changed();
      const own = names.filter((name) => kept.includes(name));
      if (own.length > 0)
        await once(() =>
          tx.rows(update, { ...rowOf(wanted), key: keyOfName(wanted.userName), id: found.id }),
        );
      return own;
    };
    try {
      await decidedByNow(ctx, (asking) => updateAccount(asking, input, { change: keep, held: heldByHand }));
      return await userById(ctx, directory, id);
    } catch (error) {
      if (!(error instanceof Changed)) throw error;
    }
  }
  throw conflict();
}

/** @throws ScimRefusal with status 412 where this is not the version that is expected */
export function expectVersion({ version }: Pick<FoundUser, 'version'>, expected: string | undefined): void {
  if (expected === undefined || expected.trim() === '*') return;
  // An ETag is compared weakly: ours say that they are weak, and a proxy may have changed that.
  const tags = expected.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (!tags.includes(etagOf(version).replace(/^W\//, ''))) throw stale();
}

const mostTries = 3;

/** The person is not as it was read. */
class Changed extends Error {}

/** What of a person stands in its own row; all else is of the account. */
const kept: readonly (keyof Person)[] = ['userName', 'externalId', 'givenName', 'familyName'];

const differing = (one: Person, other: Person): (keyof Person)[] =>
  ([...kept, 'displayName', 'email', 'active'] as const).filter((name) => one[name] !== other[name]);

async function inputOf(ctx: RequestContext, directory: Directory, found: FoundUser, wanted: Person) {
  const [before, after] = [subjectOf(directory, found), subjectOf(directory, wanted)];
  const held = before?.subject === after?.subject ? undefined : await identitiesOf(ctx, found.id);
  const isBefore = (one: IdentityInput) =>
    !one.pattern && one.issuer === before?.issuer && one.subject === before.subject;
  return {
    id: encodeId('Account', found.id),
    ...(wanted.displayName !== found.displayName && { title: wanted.displayName }),
    ...(wanted.email !== found.email && { email: wanted.email }),
    ...(wanted.active !== found.active && { enabled: wanted.active }),
    ...(held && {
      identities: [...held.filter((one) => !isBefore(one)), ...(after ? [after] : [])],
    }),
  };
}

/** The identity that a person has by this directory. */
function subjectOf(
  { issuer, subject }: Directory,
  person: Person,
): { issuer: string; subject: string } | undefined {
  const named = person[subject];
  return issuer === undefined || named === null ? undefined : { issuer, subject: named };
}

/** What a person holds besides what the groups of directories bring: those say themselves who holds that. */
const heldByHand = (tx: Tx, account: string): Promise<Held[]> => tx.rows<Held>(grantsByHand, { account });

const identitiesOf = ({ db }: RequestContext, id: string): Promise<IdentityInput[]> =>
  db.rows<IdentityInput>(identitiesNow, { id });

const rowOf = ({ userName, externalId, givenName, familyName }: Person) => ({
  userName,
  externalId,
  givenName,
  familyName,
});

async function once<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (violates(error, 'scim_users_once')) throw taken('The userName is in use.');
    throw error;
  }
}

const grantsByHand = sql(
  grantsHeldBy(':account', false, 'NOT EXISTS (SELECT FROM scim_grants o WHERE o.grant_id = g.id)'),
);
const disable = sql('UPDATE accounts SET enabled = false WHERE id = :id');
// A version that does not know of people leaves those of accounts that it deletes.
const dropDeleted = sql(`
  DELETE FROM scim_users u USING accounts a
  WHERE a.id = u.account_id AND a.deleted_at IS NOT NULL AND u.directory_id = :directory AND u.user_key = :key`);
const insert = sql(`
  INSERT INTO scim_users (account_id, directory_id, user_name, user_key, external_id, given_name, family_name)
  VALUES (:id, :directory, :userName, :key, :externalId, :givenName, :familyName)`);
const update = sql(`
  UPDATE scim_users SET user_name = :userName, user_key = :key, external_id = :externalId, given_name = :givenName,
    family_name = :familyName
  WHERE account_id = :id`);
const versionNow = sql(`SELECT ${versionSql('a')} AS version FROM accounts a WHERE a.id = :id`);
const identitiesNow = sql('SELECT issuer, subject, pattern FROM identities WHERE account_id = :id');
