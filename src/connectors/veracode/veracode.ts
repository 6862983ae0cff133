import { badInput } from '../../errors.js';
import { veracodeConnection } from './connection.js';
import type { Admission, Connector, Known, Observed, Upstream } from '../connector.js';
import { withoutPrefix } from '../../signatures/veracode.js';
import { listPages, shownOf } from '../scopes.js';
import { textSetting } from '../settings.js';
import { adoptPair, neededPair } from '../signing.js';
import { beforehand, StoreError } from '../store-error.js';
import { asGiven, pairsOf } from './api.js';
import { endPair, isLive, isRevoked, makeOwnPair, makePair, pairOfUser, type ListedPair } from './pairs.js';
import { findUser, findWholeUser, pageOfUsers, userOf, usersOnPage, type User } from './users.js';

export { veracodeFault } from './faults.js';

/**
 * Veracode: the one pair of API id and key that each user has (docs.veracode.com, Identity API). A pair has no name or
 * switch of its own; the user has. A new pair ends the one before, at once or within a day.
 */
export const veracode: Connector = {
  kind: 'VERACODE',
  connection: veracodeConnection,
  rotation: { chosenBy: 'store', previous: 'dies' },
  kinds: ['ACCESS_KEY'],
  use: {
    variables: { accessKey: 'VERACODE_API_KEY_ID', secret: 'VERACODE_API_KEY_SECRET' },
    withoutRegion: (half) => withoutPrefix(half) ?? half,
  },
  keeps: [],
  budget: { limit: 500, windowMs: 60_000 },

  check: async (upstream) => {
    const users = new Set<string>();
    for (const pair of pairsOf(upstream)) {
      const user = await userOf(upstream, pair);
      if (user === undefined) throw new StoreError('UNAUTHENTICATED');
      // A new pair of a user ends the one before: two of one user could not replace each other.
      if (users.has(user))
        throw new StoreError('INVALID_INPUT', { message: 'The two pairs belong to one user.' });
      users.add(user);
      await pageOfUsers(upstream, 0, 1, { pair });
    }
  },

  scopes: async (upstream) => {
    const { users } = await pageOfUsers(upstream, 0, 1_000);
    return users.map(({ id, name }) => ({ id, name }));
  },

  list: (upstream, from) =>
    listPages(
      { from, size: usersOnPage },
      (page) => pageOfUsers(upstream, page),
      async (user) => {
        const pair = await pairOfUser(upstream, user.id);
        return pair ? [observedOf(upstream, await whole(upstream, user), pair)] : [];
      },
    ),

  find: async (upstream, { externalId }) => {
    const pair = await pairOfUser(upstream, externalId);
    const user = pair && (await findUser(upstream, externalId));
    return user && observedOf(upstream, user, pair);
  },

  present: async (upstream, { scope }) => {
    const pair = await pairOfUser(upstream, scope);
    return pair ? [pair.apiId] : [];
  },

  expect: ({ scope }) => {
    if (scope === null) throw unplaced();
  },
  create: async (upstream, { scope }) => {
    if (!scope) throw unplaced();
    const pair = await beforehand(() => pairOfUser(upstream, scope));
    // One that was revoked just now has its end by the clock of Veracode.
    if (pair && isLive(pair, upstream.now() + mostAheadMs))
      throw new StoreError('CONFLICT', {
        message: 'The user has a pair already, which a new one would end.',
        sent: false,
      });
    const user = await beforehand(() => findWholeUser(upstream, scope));
    const minted = await makePair(upstream, scope);
    return { externalId: scope, scope, minted: { ...minted, ...admissionOf(user) } };
  },

  rotate: async (upstream, { externalId, accessKey }) => {
    // Who was let in when it was listed may be shut out by now.
    const user = await beforehand(() => findWholeUser(upstream, externalId));
    const isOwn = accessKey === textSetting(upstream, 'apiId');
    const minted = await (isOwn ? makeOwnPair : makePair)(upstream, externalId);
    return { ...minted, ...admissionOf(user) };
  },

  probe: async (upstream, minted) => (await userOf(upstream, neededPair(minted))) !== undefined,

  revoke: end,
  delete: end,

  // One of the two is left whatever becomes of the other.
  adoption: ({ apiId, fallbackApiId }, accessKey) => {
    if (fallbackApiId === undefined) return undefined;
    if (accessKey === fallbackApiId) return adoptPair('fallbackApiId', 'fallbackApiKey');
    return accessKey === apiId ? adoptPair('apiId', 'apiKey') : undefined;
  },
};

const unplaced = () => badInput('input.scope', 'must be the id of the user that is to have the pair');

/** How far the clock of Veracode may be ahead. A pair that ends as soon as that is no loss. */
const mostAheadMs = 60_000;

function end(upstream: Upstream, { externalId }: Known): Promise<void> {
  return endPair(upstream, externalId);
}

/** With what lists do not say of a user, where the store shows it. */
async function whole(upstream: Upstream, listed: User): Promise<User> {
  const found = await shownOf(listed.id, (id) => findUser(upstream, id));
  if (found === undefined || found instanceof StoreError) return listed;
  const { active, allowedIps } = found;
  return { ...listed, active: listed.active === false ? false : (active ?? listed.active), allowedIps };
}

const admissionOf = (user: User | undefined): Admission => ({
  enabled: user?.active,
  allowedIps: user?.allowedIps,
});

const observedOf = (upstream: Upstream, user: User, pair: ListedPair): Observed => ({
  externalId: user.id,
  scope: user.id,
  kind: 'ACCESS_KEY',
  name: user.name,
  accessKey: asGiven(upstream, pair.apiId),
  fullName: user.fullName,
  email: user.email,
  ...admissionOf(user),
  expiresAt: pair.expiresAt,
  revoked: isRevoked(pair, upstream.now()),
});
