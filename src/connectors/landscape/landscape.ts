import { badInput } from '../../errors.js';
import { at, expectGood, keyAt, listAt, neededAt, secretAt, textAt, unreadableAnswer } from '../answers.js';
import { landscapeConnection } from './connection.js';
import type { Connector, Minted, Observed, Scope, Upstream } from '../connector.js';
import { landscapeCode, landscapeFault } from './faults.js';
import { askLandscape, expectOnePerson, logInWith } from './session.js';
import { textSetting } from '../settings.js';
import { adoptPair, mintedPair } from '../signing.js';
import { beforehand, StoreError } from '../store-error.js';

export { landscapeFault };

/**
 * Canonical Landscape: the pair of keys that the person of the connection has in each account, at most one. Asking for
 * another ends the one before at once; the store shows its secret at any time, and ends none for good.
 */
export const landscape: Connector = {
  kind: 'LANDSCAPE',
  connection: landscapeConnection,
  rotation: { chosenBy: 'store', previous: 'dies' },
  kinds: ['ACCESS_KEY'],
  // Clients of the older API, which the pairs are for, want its address, with the slash.
  use: {
    endpoint: ({ addresses }) => `${hostOf(addresses['endpoint'] ?? '')}/api/`,
    variables: {
      endpoint: 'LANDSCAPE_API_URI',
      accessKey: 'LANDSCAPE_API_KEY',
      secret: 'LANDSCAPE_API_SECRET',
    },
  },
  keeps: [],

  check: async (upstream) => {
    await expectOnePerson(upstream);
    await entriesOf(upstream);
  },
  scopes: async (upstream) => (await entriesOf(upstream)).map(accountIn),
  list: async function* (upstream) {
    yield { entries: (await entriesOf(upstream)).flatMap(observedIn), next: null };
  },
  find: async (upstream, { scope }) => observedIn(await entryOf(upstream, scope))[0],
  present: async (upstream, { scope }) => {
    const entries = await entriesOf(upstream);
    const pair = pairIn(entries.find(isOf(accountFor(upstream, entries, scope))));
    return pair ? [pair.accessKey] : [];
  },

  create: async (upstream, { scope }) => {
    const account = await beforehand(async () => {
      const entries = await entriesOf(upstream);
      const chosen = accountFor(upstream, entries, scope);
      const entry = entries.find(isOf(chosen));
      if (entry === undefined) throw new StoreError('NOT_FOUND');
      // To ask for a pair would end the one that is there.
      if (pairIn(entry))
        throw new StoreError('CONFLICT', { message: 'The account has a pair of keys already.' });
      return chosen;
    });
    return { externalId: account, scope: account, minted: await generate(upstream, account) };
  },
  rotate: (upstream, { scope }) => generate(upstream, scope),
  reveal: async (upstream, { scope }) => {
    const entry = await entryOf(upstream, scope);
    return pairIn(entry) && mintedIn(entry);
  },

  probe: async (upstream, { accessKey, secret }) => {
    if (accessKey === null || secret === null) return false;
    const answer = await logInWith(upstream, accessKey, secret);
    if (landscapeFault(answer) === 'UNAUTHENTICATED') return false;
    expectGood(answer, landscapeFault, landscapeCode(answer));
    return true;
  },
  // A pair that was made for a lost answer can be read again by who can still log in, with a password.
  adoption: (settings, accessKey) =>
    (settings['email'] ?? settings['identity']) !== undefined &&
    accessKey !== null &&
    accessKey === settings['accessKey']
      ? adoptPair('accessKey', 'secretKey')
      : undefined,
};

/** An address without what the paths of either API begin with. */
const hostOf = (address: string): string => address.replace(/\/+$/, '').replace(/\/api(\/v2)?$/, '');

interface Pair {
  accessKey: string;
  secret: string;
}

/** One entry for each account of the person's, with or without a pair. */
async function entriesOf(upstream: Upstream): Promise<readonly unknown[]> {
  const answer = await askLandscape(upstream, { method: 'GET', path: ['credentials'], large: true });
  expectGood(answer, landscapeFault, landscapeCode(answer));
  const entries = listAt(answer.json, 'credentials');
  for (const entry of entries) neededAt(entry, 'account_name');
  return entries;
}

const entryOf = async (upstream: Upstream, account: string): Promise<unknown> =>
  (await entriesOf(upstream)).find(isOf(account));

const isOf = (account: string) => (entry: unknown) => textAt(entry, 'account_name') === account;

/** Each account that the person has is listed, also one without a pair. */
function accountIn(entry: unknown): Scope {
  const id = neededAt(entry, 'account_name');
  return { id, name: textAt(entry, 'account_title') ?? id };
}

/** The account that is named, or that of the connection, or the only one. */
function accountFor(upstream: Upstream, entries: readonly unknown[], scope: string | null): string {
  const [only, ...others] = entries;
  const named = scope || textSetting(upstream, 'account');
  if (named) return named;
  if (only === undefined || others.length > 0) {
    const names = entries.map(accountIn).flatMap(({ id }) => (/^[\w.-]{1,100}$/.test(id) ? id : []));
    const some = names.length === 0 ? '' : `, one of ${names.slice(0, 20).join(', ')}`;
    throw badInput('input.scope', `is required: an account of the store, by its name${some}`);
  }
  return neededAt(only, 'account_name');
}

/** Asks for a new pair; the one before, if there was one, no longer works then. */
async function generate(upstream: Upstream, account: string): Promise<Minted> {
  const answer = await askLandscape(upstream, { method: 'POST', path: ['credentials'], body: { account } });
  expectGood(answer, landscapeFault, landscapeCode(answer));
  // The pair of another account is none that was asked for.
  if ((textAt(answer.json, 'account_name') ?? account) !== account) throw unreadableAnswer();
  return mintedIn(answer.json);
}

/**
 * Undefined where there is none: the members are missing then, or null, or empty.
 * @throws StoreError for half a pair, or what is no text: there may be one.
 */
function pairIn(entry: unknown): Pair | undefined {
  if (['access_key', 'secret_key'].every((name) => (at(entry, name) ?? '') === '')) return undefined;
  return { accessKey: neededAt(entry, 'access_key'), secret: neededAt(entry, 'secret_key') };
}

function observedIn(entry: unknown): Observed[] {
  const pair = pairIn(entry);
  if (!pair) return [];
  const account = neededAt(entry, 'account_name');
  const name = textAt(entry, 'account_title') ?? account;
  const { accessKey } = pair;
  return [{ externalId: account, scope: account, kind: 'ACCESS_KEY', name, accessKey, readable: true }];
}

const mintedIn = (entry: unknown): Minted =>
  mintedPair(keyAt(entry, 'access_key'), secretAt(entry, 'secret_key'));
