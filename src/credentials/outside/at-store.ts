import { keepable } from '../../connectors/answers.js';
import type { Changed, Connector, Created, Described, Minted, Upstream } from '../../connectors/connector.js';
import { StoreError } from '../../connectors/store-error.js';
import type { Keyring } from '../../keyring/keyring.js';
import { instant, instantMs } from '../../time.js';
import { slowestEffectMs } from '../../config/limits.js';
import type { Credential } from '../record/credential.js';
import type { IntentDetails } from './intent.js';
import { leaseMs, noteAsked } from './lease.js';
import { endKeysNow } from './leftover.js';
import { saidOf, toldOf, type Said } from './observed.js';
import {
  endKeyThere,
  endNewcomers,
  endThere,
  having,
  isAnothers,
  isTakenOver,
  newcomers,
  type There,
} from './there.js';
import {
  currentOf,
  secretOfVersion,
  knownOf,
  placed,
  wayOf,
  wishOf,
  type Version,
  type Work,
} from './work.js';

/** What a store was asked to do, and has done. */
export type StoreOutcome =
  | { verb: 'CREATE'; created: Created }
  | { verb: 'ROTATE'; minted: Minted }
  | { verb: 'UPDATE'; changed: Changed; secret: Minted | null }
  | { verb: 'REVOKE' | 'DELETE' };

/**
 * Whether the store may have done already what is asked of it: by a call before, whose answer was lost or never came.
 * A look at the store tells. That such a call was made is on record with the intent: whoever takes one up takes it that
 * there was one.
 */
export interface Evidence {
  open: boolean;
}

export interface Doing extends There {
  keyring: Keyring;
  work: Work;
  /** Whether the store may have heard of it before. */
  again: boolean;
  /** Of the lease that it is done under. */
  fence: number;
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
  if (again && way === 'overlap') await removeOrphans(doing);
  if (again && way === 'replaced') {
    const there = await madeMeanwhile(doing, currentOf(work));
    if (there) return there;
  }
  if (way !== 'ours') doing.evidence.open = false;
  const chosen =
    way === 'ours' ? await secretOfVersion(keyring, upstream, credential, pendingOf(work)) : null;
  const make = () => having(connector, 'rotate')(upstream, known, wishOf(credential, chosen), held);
  const rotated = await makingRoom(doing, make);
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
    const [made] = await newcomers(doing, work.intent.details.before ?? []);
    if (made !== undefined && chosen)
      return { externalId: made, scope: credential.scope ?? '', minted: chosen };
  }
  if (again && way === 'overlap') await removeOrphans(doing);
  if (again && way === 'replaced') {
    const there = await madeMeanwhile(doing, undefined);
    const { externalId, scope } = knownOf(placed(connector, work));
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
    const isOurs = again && chosen !== null && isTaken(error);
    // That it is there tells that the call before was carried out, unless the store is seen without it.
    doing.evidence.open ||= isOurs;
    const [made] = isOurs ? await newcomers(doing, work.intent.details.before ?? []) : [];
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
  const work = placed(doing.connector, doing.work);
  const { externalId } = work.credential;
  const wasSeen = doing.work.credential.externalId !== null;
  const looks = work.leftovers.filter(({ before }) => before !== null);
  // What was never seen to be made is there if something came in; what a listing found by then is another's.
  if (externalId === null && looks.length === 0)
    throw new StoreError('INVALID_INPUT', { sent: false, message: untold });
  const mayBeOurs = wasSeen || (externalId !== null && !(await isTakenOver({ ...doing, work })));
  if (mayBeOurs && !(doing.again && (await isAnothers({ ...doing, work }, askedUntilMs(doing.work)))))
    await endThere({ ...doing, work }, verb === 'REVOKE' ? 'revoke' : 'delete');
  // A request that was overtaken, or is lost, may have made another key by now.
  for (const { before, untilAt } of looks)
    if (before) await endNewcomers(doing, { before, untilMs: untilAt === null ? 0 : instantMs(untilAt) });
}

/** When its store has done all that it was asked for of a credential before its end was asked for. */
function askedUntilMs({ intent, leftovers }: Work): number {
  const looks = leftovers.flatMap(({ untilAt }) => (untilAt === null ? [] : instantMs(untilAt)));
  return Math.max(instantMs(intent.createdAt) + leaseMs + slowestEffectMs, ...looks);
}

const untold = 'The store does not tell whether it has made this credential: sync it to find out.';

/**
 * Ends the keys that calls before may have made, and that nobody has. From then on what is there is no such key, and when
 * the store was asked is on record before it is asked again: so a key that somebody makes by hand is told from them.
 */
async function removeOrphans(doing: Doing): Promise<void> {
  const { id, details, createdAt } = doing.work.intent;
  const { before = [] } = details;
  const lostMs = details.askedMs ?? instantMs(createdAt) + leaseMs;
  const note = (noted: IntentDetails) => noteAsked(doing.db, { id, fence: doing.fence }, noted);
  if (details.askedMs === undefined) await note({ askedMs: lostMs });
  const others = await endNewcomers(doing, { before, untilMs: lostMs + slowestEffectMs });
  await note({ before: [...before, ...others], lostMs, askedMs: doing.upstream.now() + leaseMs });
}

/** A store that has no room for another key has it once the earlier ones are gone that are to end anyway. */
async function makingRoom(doing: Doing, make: () => Promise<Minted>): Promise<Minted> {
  const { db, work } = doing;
  const keys = work.leftovers.flatMap(({ accessKey }) => accessKey ?? []);
  try {
    return await make();
  } catch (error) {
    const isFull = error instanceof StoreError && error.fault === 'LIMIT_EXCEEDED';
    if (!isFull || keys.length === 0) throw error;
  }
  for (const key of keys) await endKeyThere(doing, key);
  await endKeysNow(db, work.credential.id);
  return make();
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
  const there = await connector.reveal(upstream, knownOf(placed(connector, work)), held);
  return there?.accessKey && there.accessKey !== before?.accessKey ? keepable(there) : undefined;
}

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
