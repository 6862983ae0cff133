import { keepable } from '../../connectors/answers.js';
import type { Changed, Connector, Created, Described, Minted, Upstream } from '../../connectors/connector.js';
import { StoreError } from '../../connectors/store-error.js';
import { sql, type Sql } from '../../database/database.js';
import { unsupported } from '../../errors.js';
import type { Keyring } from '../../keyring/keyring.js';
import { instant, instantMs } from '../../time.js';
import type { Credential } from '../record/credential.js';
import { saidOf, toldOf, type Said } from './observed.js';
import { currentOf, secretOfVersion, knownOf, wayOf, wishOf, type Version, type Work } from './work.js';

/** What a store was asked to do, and has done. */
export type StoreOutcome =
  | { verb: 'CREATE'; created: Created }
  | { verb: 'ROTATE'; minted: Minted }
  | { verb: 'UPDATE'; changed: Changed; secret: Minted | null }
  | { verb: 'RETIRE' | 'REVOKE' | 'DELETE' };

/**
 * Whether the store may have done already what is asked of it: by a call before, whose answer was lost or never came.
 * A look at the store tells. That such a call was made is on record with the intent: whoever takes one up takes it that
 * there was one.
 */
export interface Evidence {
  open: boolean;
}

export interface Doing {
  db: Sql;
  keyring: Keyring;
  connector: Connector;
  upstream: Upstream;
  work: Work;
  /** Whether the store may have heard of it before. */
  again: boolean;
  evidence: Evidence;
}

/** The secret that a store made for an answer that was lost: nobody has it. */
export class SecretLost extends Error {}

/**
 * A change that would bring along a secret that may be an old one by now, unseen: whoever wants it is to ask for it
 * again.
 */
export class NotRepeated extends Error {}

/**
 * Does at the store what the intent says. What may have been done before is looked for first, or done again where that
 * does no harm.
 * @throws StoreError, SecretLost, NotRepeated
 */
export async function doAtStore(doing: Doing): Promise<StoreOutcome> {
  const { verb } = doing.work.intent;
  switch (verb) {
    case 'CREATE':
      return { verb, created: await create(doing) };
    case 'ROTATE':
      return { verb, minted: await rotate(doing) };
    case 'UPDATE':
      return { verb, ...(await update(doing)) };
    case 'RETIRE':
      await retireKeys(doing);
      return { verb };
    case 'REVOKE':
    case 'DELETE':
      await end(doing, verb);
      return { verb };
  }
}

async function rotate(doing: Doing): Promise<Minted> {
  const { connector, upstream, work, again, keyring } = doing;
  const { credential } = work;
  const known = knownOf(work);
  const held = await secretOfVersion(keyring, upstream, credential, currentOf(work));
  const way = wayOf(connector);
  await retireKeys(doing);
  if (again && way === 'overlap') await removeOrphans(doing);
  if (again && way === 'replaced') {
    const there = await madeMeanwhile(doing, currentOf(work));
    if (there) return there;
  }
  if (way !== 'ours') doing.evidence.open = false;
  const chosen =
    way === 'ours' ? await secretOfVersion(keyring, upstream, credential, pendingOf(work)) : null;
  const rotated = await having(connector, 'rotate')(upstream, known, wishOf(credential, chosen), held);
  // What was chosen here has been held to its rules already.
  const minted = way === 'ours' ? rotated : keepable(rotated);
  // What is to stay suspended cannot be tried.
  if (way === 'overlap' && credential.enabled) await expectTaken(doing, minted);
  return minted;
}

/**
 * A key that was made and that the store does not take, or cannot be asked about, must not stay: nobody would have it.
 */
async function expectTaken({ connector, upstream, work }: Doing, minted: Minted): Promise<void> {
  const scope = work.credential.scope ?? '';
  const refusal = await refusalOf(connector, upstream, minted);
  if (!refusal) return;
  try {
    await having(connector, 'retire')(upstream, scope, minted.accessKey ?? '');
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    // Whatever the refusals say, a key was made, and has to be looked for.
    throw new StoreError('UPSTREAM_ERROR', { cause });
  }
  throw refusal;
}

async function refusalOf(
  connector: Connector,
  upstream: Upstream,
  minted: Minted,
): Promise<StoreError | undefined> {
  try {
    if (!connector.probe || (await connector.probe(upstream, minted))) return undefined;
    // Keyway's own address need not be one of those that it is let in from.
    if (minted.allowedIps?.length) return undefined;
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  return new StoreError('INVALID_INPUT', { message: 'The store does not take the secret that it made.' });
}

async function create(doing: Doing): Promise<Created> {
  const { connector, upstream, work, again, keyring } = doing;
  const { credential } = work;
  const way = wayOf(connector);
  const chosen =
    way === 'ours' ? await secretOfVersion(keyring, upstream, credential, pendingOf(work)) : null;
  if (again && way === 'ours') {
    const [made] = await newcomers(doing);
    if (made !== undefined && chosen)
      return { externalId: made, scope: credential.scope ?? '', minted: chosen };
  }
  if (again && way === 'overlap') await removeOrphans(doing);
  if (again && way === 'replaced') {
    const there = await madeMeanwhile(doing, undefined);
    const { externalId, scope } = knownOf(placed(work));
    if (there) return { externalId, scope, minted: there };
  }
  doing.evidence.open = false;
  const { scope } = credential;
  const wish = wishOf(credential, chosen);
  const wanted = { ...describedOf(credential, work.roles), scope, wish };
  try {
    const created = await having(connector, 'create')(upstream, wanted);
    if (way !== 'ours') keepable(created.minted);
    return created;
  } catch (error) {
    // The call before may have come to its end since the store was looked at.
    const [made] = again && chosen && isTaken(error) ? await newcomers(doing) : [];
    if (made === undefined || !chosen) throw error;
    return { externalId: made, scope: scope ?? '', minted: chosen };
  }
}

const isTaken = (error: unknown): boolean => error instanceof StoreError && error.fault === 'CONFLICT';

async function update(doing: Doing): Promise<{ changed: Changed; secret: Minted | null }> {
  const { connector, upstream, work, keyring, again } = doing;
  const { described, overwriteSecret = false } = work.intent.details;
  if (!described) throw new Error('the intent does not say what is to change');
  const secret =
    work.intent.version === null
      ? null
      : await secretOfVersion(keyring, upstream, work.credential, pendingOf(work));
  if (again && connector.secretGoesAlong === 'undated' && !secret) {
    if (await isSaid(doing, described)) return { changed: {}, secret };
    throw new NotRepeated();
  }
  const held = secret ?? (await secretOfVersion(keyring, upstream, work.credential, currentOf(work)));
  const terms = { overwrites: overwriteSecret || secret !== null, again };
  const changed = await having(connector, 'update')(upstream, knownOf(work), described, held, terms);
  return { changed, secret };
}

/** Whether a store says of a credential what it was told. */
async function isSaid({ connector, upstream, work }: Doing, described: Partial<Described>): Promise<boolean> {
  const found = await connector.find?.(upstream, knownOf(work));
  if (!found) return false;
  const said: Partial<Said> = saidOf(found);
  return Object.entries(toldOf(described, connector.keeps)).every(
    ([name, value]) => JSON.stringify(said[name as keyof Said] ?? null) === JSON.stringify(value),
  );
}

async function end(doing: Doing, verb: 'REVOKE' | 'DELETE'): Promise<void> {
  const { connector, upstream, work } = doing;
  const end = having(connector, verb === 'REVOKE' ? 'revoke' : 'delete');
  // By its name, another one may be there by now.
  if (!work.intent.details.sweep || !(await isTakenOver(doing)))
    await unlessGone(
      () => end(upstream, knownOf(work)),
      () => isThere(doing),
    );
  // A request that this intent overtook may have made another key by now.
  if (work.intent.details.before) await removeOrphans(doing);
}

/** What its store refuses to end is ended all the same where the store is seen without it. */
async function unlessGone(ending: () => Promise<void>, isThere: () => Promise<boolean>): Promise<void> {
  try {
    await ending();
  } catch (error) {
    if (!isRefusal(error) || (await isSeen(isThere))) throw error;
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof StoreError &&
  !error.unclear &&
  error.code !== 'UNAVAILABLE' &&
  error.code !== 'RATE_LIMITED';

/** A store that cannot be looked at is not seen without it. */
async function isSeen(isThere: () => Promise<boolean>): Promise<boolean> {
  try {
    return await isThere();
  } catch (error) {
    if (error instanceof StoreError) return true;
    throw error;
  }
}

/** Whether the store has the credential, or any of its keys. */
async function isThere({ connector, upstream, work }: Doing): Promise<boolean> {
  const known = knownOf(work);
  if (wayOf(connector) === 'overlap') {
    const there = await presentIn(connector, upstream, work.credential);
    return [known.externalId, ...known.keys].some((key) => there.includes(key));
  }
  if (!connector.find) return true;
  const found = await connector.find(upstream, known);
  return found !== undefined && found.revoked !== true;
}

function presentIn(
  connector: Connector,
  upstream: Upstream,
  credential: Credential,
): Promise<readonly string[]> {
  const { name, scope } = credential;
  const wish = wishOf(credential, null);
  return having(connector, 'present')(upstream, { scope: scope ?? '', wish, name });
}

async function isTakenOver({ db, work }: Doing): Promise<boolean> {
  const { id, storeId, externalId } = work.credential;
  return (await db.rows(sameName, { id, storeId, externalId })).length > 0;
}

async function retireKeys({ connector, upstream, work }: Doing): Promise<void> {
  const { keys = [] } = work.intent.details;
  for (const key of keys)
    await unlessGone(
      () => having(connector, 'retire')(upstream, work.credential.scope ?? '', key),
      async () => (await presentIn(connector, upstream, work.credential)).includes(key),
    );
}

/** Ends the keys that came in since the intent was made, and that nobody has. */
async function removeOrphans(doing: Doing): Promise<void> {
  const { connector, upstream, work } = doing;
  for (const key of await newcomers(doing))
    await having(connector, 'retire')(upstream, work.credential.scope ?? '', key);
}

/** The ids that are there and were not when the intent was made, but for those that Keyway knows of by now. */
async function newcomers({ connector, upstream, work, db }: Doing): Promise<string[]> {
  const { before = [] } = work.intent.details;
  const { storeId, id } = work.credential;
  const now = await presentIn(connector, upstream, work.credential);
  const fresh = now.filter((one) => !before.includes(one));
  const known = await db.rows<{ key: string }>(keysOfStore, { storeId, id, keys: fresh });
  return fresh.filter((one) => !known.some(({ key }) => key === one));
}

/**
 * What a store has that shows its secrets, where it is another than before.
 * @throws SecretLost where the store shows none: what it may have made is gone with the answer.
 */
async function madeMeanwhile(
  { connector, upstream, work, keyring }: Doing,
  before: Version | undefined,
): Promise<Minted | undefined> {
  if (!connector.reveal) throw new SecretLost();
  const held = await secretOfVersion(keyring, upstream, work.credential, before);
  const there = await connector.reveal(upstream, knownOf(placed(work)), held);
  return there?.accessKey && there.accessKey !== before?.accessKey ? keepable(there) : undefined;
}

/** A credential that is being made is found by its scope: such stores have one in each. */
const placed = (work: Work): Work => ({
  ...work,
  credential: { ...work.credential, externalId: work.credential.externalId ?? work.credential.scope },
});

const pendingOf = ({ versions }: Work): Version | undefined =>
  versions.find(({ state }) => state === 'PENDING');

/** What is recorded of a credential, as its store is told it. */
export const describedOf = (credential: Credential, roles: readonly string[]): Described => {
  const { name, description, category, fullName, email, enabled, allowedIps, expiresAt, baseUrl } =
    credential;
  return {
    name,
    description,
    category,
    fullName,
    email,
    enabled,
    allowedIps,
    roles,
    baseUrl,
    expiresAt: expiresAt === null ? null : instant(instantMs(expiresAt)),
  };
};

function having<Verb extends 'create' | 'rotate' | 'update' | 'revoke' | 'delete' | 'retire' | 'present'>(
  connector: Connector,
  verb: Verb,
): NonNullable<Connector[Verb]> {
  const found = connector[verb];
  if (!found) throw unsupported();
  return found;
}

const sameName = sql(`
  SELECT id FROM credentials
  WHERE store_id = :storeId AND id <> :id AND deleted_at IS NULL AND revoked_at IS NULL
    AND coalesce(external_id, access_key) = :externalId LIMIT 1`);
const keysOfStore = sql(`
  SELECT v.access_key AS key FROM credential_versions v JOIN credentials c ON c.id = v.credential_id
  WHERE c.store_id = :storeId AND c.id <> :id AND c.deleted_at IS NULL AND v.access_key = ANY(CAST(:keys AS text[]))
  UNION
  SELECT external_id FROM credentials
  WHERE store_id = :storeId AND id <> :id AND deleted_at IS NULL AND external_id = ANY(CAST(:keys AS text[]))`);
