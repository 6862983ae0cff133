import { badInput } from '../../errors.js';
import { ncloudConnection } from './connection.js';
import type { Admission, Connector, Known, Minted, Observed, Scope, Upstream } from '../connector.js';
import {
  endKey,
  faultOfOne,
  isMissing,
  keysOf,
  keysThere,
  makeKey,
  setActive,
  type ListedKey,
} from './keys.js';
import { describePair, expectKnown, isAccepted, makeTemporary, temporaryIn } from './sts.js';
import {
  all,
  findSubAccount,
  pageOfSubAccounts,
  subAccountsOnPage,
  versionOf,
  type SubAccount,
} from './sub-accounts.js';
import { listPages, shownOf } from '../scopes.js';
import { adoptPair, neededPair, ownPair, pairOf } from '../signing.js';
import { beforehand, StoreError } from '../store-error.js';

export { ncloudFault } from './faults.js';

/**
 * NAVER Cloud: access keys of sub accounts, and temporary keys that STS derives from them (api.ncloud-docs.com). A key
 * has no name there; the sub account that it is of has. Two keys of a sub account live side by side.
 */
export const ncloud: Connector = {
  kind: 'NCLOUD',
  connection: ncloudConnection,
  rotation: { chosenBy: 'store', previous: 'lives' },
  kinds: ['ACCESS_KEY'],
  use: { variables: { accessKey: 'NCLOUD_ACCESS_KEY', secret: 'NCLOUD_SECRET_KEY' } },
  keeps: ['enabled'],

  check: async (upstream) => {
    await expectKnown(upstream, ownPair(upstream, 'accessKey', 'secretKey'));
    await pageOfSubAccounts(upstream, 0, 1);
  },

  scopes: async (upstream) => {
    const found: Scope[] = [];
    // A main account has 500 sub accounts at most.
    for (let page = 0, goesOn = true; goesOn && page < 10; page++) {
      const { users, isLast } = await pageOfSubAccounts(upstream, page);
      found.push(...users.map(({ id, loginId }) => ({ id, name: loginId })));
      goesOn = !isLast && users.length > 0;
    }
    return found;
  },

  list: (upstream, from) =>
    listPages(
      { from, size: subAccountsOnPage },
      (page) => pageOfSubAccounts(upstream, page),
      (listed) => observedOf(upstream, listed),
    ),

  find: async (upstream, known) => {
    const keys = await keysThere(upstream, known.scope);
    const key = keys.find(({ accessKey }) => accessKey === currentKey(known));
    if (!key) return undefined;
    const owner = await findSubAccount(upstream, known.scope, faultOfOne);
    const { externalId, scope, name } = known;
    return { ...observedKey(key, owner), externalId, scope, name, allowedIps: owner.allowedIps };
  },

  present: async (upstream, { scope }) => (await keysOf(upstream, scope)).map(({ accessKey }) => accessKey),

  expect: ({ scope }) => {
    if (scope === null) throw unplaced();
  },
  create: async (upstream, { scope, enabled }) => {
    if (!scope) throw unplaced();
    const owner = await beforehand(() => findSubAccount(upstream, scope, faultOfOne));
    const key = await makeKey(upstream, scope);
    if (!enabled) await suspendNew(upstream, scope, key.accessKey);
    const minted = { ...key, ...admissionOf(owner, enabled) };
    return { externalId: key.accessKey, scope, minted };
  },

  update: async (upstream, known, { enabled }) => {
    if (enabled === undefined) return {};
    if (enabled) await beforehand(() => callingOwner(upstream, known.scope));
    // Suspended are older keys too that still live; let in again is the current one alone.
    if (!enabled) await suspendOthers(upstream, known);
    await setActive(upstream, known.scope, currentKey(known), enabled);
    return {};
  },

  rotate: async (upstream, known) => {
    const { scope, enabled } = known;
    // What is known to be off is rotated untried; what is not would be found off only when it is tried.
    const owner = await beforehand(() =>
      enabled ? callingOwner(upstream, scope) : findSubAccount(upstream, scope, faultOfOne),
    );
    const isSuspended = await beforehand(() => isKeySuspended(upstream, known));
    if (isSuspended && enabled) throw switchedOff('The key is suspended in the store.', owner);
    const minted = await makeNextKey(upstream, known);
    if (isSuspended) await suspendNew(upstream, scope, minted.accessKey);
    return { ...minted, ...admissionOf(owner, !isSuspended) };
  },

  probe: (upstream, minted) => isAccepted(upstream, neededPair(minted)),

  retire: endKey,
  revoke: endAll,
  delete: endAll,

  reveal: async (upstream, known, held) => {
    // Of a permanent pair STS does not show the secret.
    const pair = known.temporary && pairOf(held);
    const json = pair && (await describePair(upstream, pair));
    return json ? temporaryIn(json) : undefined;
  },

  issue: async (upstream, held, wish) => makeTemporary(upstream, neededPair(held), wish),

  // The key before works until the new one is kept.
  adoption: () => adoptPair('accessKey', 'secretKey'),
};

const unplaced = () => badInput('input.scope', 'must be the id of the sub account that is to have the key');

async function observedOf(upstream: Upstream, listed: SubAccount): Promise<Observed[]> {
  const keys = await keysThere(upstream, listed.id);
  const owner = keys.length > 0 ? await whole(upstream, listed) : listed;
  const { id, loginId, fullName, email, allowedIps } = owner;
  return keys.map((key) => ({
    ...observedKey(key, owner),
    ...{ scope: id, name: loginId, fullName, email, allowedIps },
  }));
}

/** With what a list of version 2 leaves out, where the store shows it. */
async function whole(upstream: Upstream, listed: SubAccount): Promise<SubAccount> {
  if (versionOf(upstream) === 1) return listed;
  const found = await shownOf(listed.id, (id) => findSubAccount(upstream, id, faultOfOne));
  if (found instanceof StoreError) return listed;
  const { email, allowedIps } = found;
  return { ...listed, email, allowedIps, mayCall: listed.mayCall ?? found.mayCall };
}

/** A key works where it is active, and its sub account may call. */
const observedKey = ({ accessKey, active, createdAt }: ListedKey, owner: SubAccount) => ({
  externalId: accessKey,
  kind: 'ACCESS_KEY' as const,
  accessKey,
  ...admissionOf(owner, active),
  createdAt,
});

/** @throws StoreError CONFLICT where no key of the sub account would work, whatever it says itself */
async function callingOwner(upstream: Upstream, scope: string): Promise<SubAccount> {
  const owner = await findSubAccount(upstream, scope, faultOfOne);
  if (owner.mayCall !== false) return owner;
  throw switchedOff(
    'The sub account of the key is switched off in the store, or may not use the API Gateway.',
    owner,
  );
}

/** What was thought to work does not: nothing was changed, and that is what the credential shows from then on. */
const switchedOff = (message: string, { allowedIps }: SubAccount) =>
  new StoreError('CONFLICT', { message, sent: false, admission: { enabled: false, allowedIps } });

const admissionOf = ({ mayCall, allowedIps }: SubAccount, active: boolean | undefined): Admission => ({
  enabled: all([active, mayCall]),
  allowedIps,
});

async function isKeySuspended(upstream: Upstream, known: Known): Promise<boolean> {
  const keys = await keysOf(upstream, known.scope);
  const key = keys.find(({ accessKey }) => accessKey === currentKey(known));
  // Of what is to work, only what the store says counts; what is known to be off stays off where it says nothing.
  return known.enabled ? key?.active === false : key?.active !== true;
}

/** A key is made active. One that was to be suspended and could not be must not stay. */
async function suspendNew(upstream: Upstream, scope: string, accessKey: string): Promise<void> {
  try {
    await setActive(upstream, scope, accessKey, false);
  } catch (error) {
    try {
      await endKey(upstream, scope, accessKey);
    } catch (cause) {
      // Whatever the refusals say, a key was made, and the caller has to look for it.
      throw new StoreError('UPSTREAM_ERROR', { cause });
    }
    throw error;
  }
}

async function makeNextKey(upstream: Upstream, known: Known): Promise<Minted & { accessKey: string }> {
  try {
    return await makeKey(upstream, known.scope);
  } catch (error) {
    if (!(error instanceof StoreError) || error.fault !== 'LIMIT_EXCEEDED') throw error;
    // No key was made, whatever becomes of this.
    if (!(await beforehand(() => endSpentKey(upstream, known)))) throw error;
    return makeKey(upstream, known.scope);
  }
}

async function suspendOthers(upstream: Upstream, known: Known): Promise<void> {
  for (const key of known.keys.filter((one) => one !== currentKey(known))) {
    try {
      await setActive(upstream, known.scope, key, false);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

/**
 * Ends a key of the credential's own that is suspended and not the one in use: what an earlier rotation left behind.
 * False where there is none.
 */
async function endSpentKey(upstream: Upstream, known: Known): Promise<boolean> {
  const keys = await keysOf(upstream, known.scope);
  const spent = keys.find(
    ({ accessKey, active }) =>
      active === false && accessKey !== currentKey(known) && known.keys.includes(accessKey),
  );
  if (spent) await endKey(upstream, known.scope, spent.accessKey);
  return spent !== undefined;
}

async function endAll(upstream: Upstream, known: Known): Promise<void> {
  const keys = new Set([...known.keys, currentKey(known)]);
  for (const key of keys) await endKey(upstream, known.scope, key);
}

const currentKey = ({ accessKey, externalId }: Known): string => accessKey ?? externalId;
