import { statusWith } from '../credentials/verbs.js';
import { unique } from '../support/make.js';
import type { SharedServer } from '../support/server.js';
import { startApinizer, type ApinizerOptions } from '../upstreams/apinizer.js';
import { startLandscape } from '../upstreams/landscape.js';
import type { NcloudSubAccount } from '../upstreams/ncloud-state.js';
import { startNcloud } from '../upstreams/ncloud.js';
import { startSeqera } from '../upstreams/seqera.js';
import { openStandIn, type Match, type StandIn } from '../upstreams/stand-in.js';
import { startVeracode } from '../upstreams/veracode.js';

type Input = Record<string, unknown>;

/** A secret as the graph shows it, or as a vendor made it. */
export interface Issued {
  accessKey: string | null;
  secret: string | null;
  keys?: { name: string; value: string }[] | null;
}

/** A credential that somebody made at a vendor. */
export interface Seeded {
  externalId: string;
  issued: Issued;
}

/** A vendor's stand-in, and what a suite has to know of it. */
export interface Vendor {
  standIn: StandIn;
  /** As `createStore` takes it; null for the store that is built in. */
  connection: Input | null;
  /** One credential more, made by somebody else. */
  seed(): Seeded;
  /** A change by somebody else, which an inventory shows. */
  change(externalId: string): void;
  /** Takes one away; what is returned brings it back. */
  takeAway(externalId: string): () => void;
  /** What `createCredential` is given beside the account, the store and the name. */
  wish(): Input;
  /** What `rotateCredential` is given beside the id. */
  next(): Input;
  /** Whether the vendor lets this secret in now. */
  accepts(externalId: string, issued: Issued): boolean | Promise<boolean>;
  /** How many secrets work there in the place where a credential is. */
  living(scope: string): number;
  /** The calls that make a first secret, another one, and end it. */
  calls: { create: Match; rotate: Match; end: Match };
}

/** A kind of store with all that its contract leaves open; each must pass the same suite. */
export interface Case {
  name: string;
  /** How its new secrets come: `ours` are sent to it, `overlap` and `replaced` are its own. */
  way: 'ours' | 'overlap' | 'replaced';
  /** Whether it shows a secret at any time. */
  shows: boolean;
  /** Whether it ends one for good. */
  ends: boolean;
  start: (server: SharedServer) => Promise<Vendor>;
}

/** A secret that is found again wherever it gets to. */
const marked = () => unique('marked-secret-of-a-vendor');

const landscape = async (): Promise<Vendor> => {
  const at = await startLandscape({ accounts: [{ name: 'first', pair: null }] });
  const { email, password } = at.person;
  const issuedOf = (name: string): Issued => {
    const { accessKey = null, secretKey = null } = at.accounts.get(name)?.pair ?? {};
    return { accessKey, secret: secretKey };
  };
  return {
    standIn: at,
    connection: { landscape: { endpoint: at.url, email, password } },
    seed: () => {
      const { name } = at.addAccount(unique('account'));
      return { externalId: name, issued: issuedOf(name) };
    },
    change: (name) => void Object.assign(at.accounts.get(name) ?? {}, { title: 'Of another title' }),
    takeAway: (name) => takeFrom(at.accounts, name),
    wish: () => ({ scope: at.addAccount(unique('empty'), { pair: null }).name, secret: { accessKey: {} } }),
    next: () => ({}),
    accepts: (_, { accessKey, secret }) => at.accepts(accessKey ?? '', secret ?? ''),
    living: (name) => (at.accounts.get(name)?.pair ? 1 : 0),
    calls: {
      create: { method: 'POST', path: /\/credentials$/ },
      rotate: { method: 'POST', path: /\/credentials$/ },
      end: { method: 'DELETE' },
    },
  };
};

const seqera = async (): Promise<Vendor> => {
  const at = await startSeqera({});
  const secret = () => ({
    secret: { providerKeys: { containerReg: { userName: 'ci-bot', password: marked() } } },
  });
  const keysIn = ({ keys }: Issued): Record<string, string> =>
    Object.fromEntries((keys ?? []).map(({ name, value }) => [name, value]));
  return {
    standIn: at,
    connection: { seqera: { endpoint: at.url, token: at.token } },
    seed: () => {
      const password = marked();
      const [externalId = ''] = at.seed(1, () => ({ keys: { userName: 'ci-bot', password } }));
      const keys = [
        { name: 'userName', value: 'ci-bot' },
        { name: 'password', value: password },
      ];
      return { externalId, issued: { accessKey: null, secret: null, keys } };
    },
    change: (id) => void Object.assign(at.credentials.get(id) ?? {}, { description: 'Described anew' }),
    takeAway: (id) => takeFrom(at.credentials, id),
    wish: secret,
    next: secret,
    accepts: (id, issued) => at.accepts(id, keysIn(issued)),
    living: () => at.credentials.size,
    calls: {
      create: { method: 'POST', path: /\/credentials$/ },
      rotate: { method: 'PUT' },
      end: { method: 'DELETE' },
    },
  };
};

const apinizer = (generation: ApinizerOptions['generation']) => async (): Promise<Vendor> => {
  const at = await startApinizer({ ...(generation && { generation }) });
  return {
    standIn: at,
    connection: { apinizer: { endpoint: at.url, token: at.token } },
    seed: () => {
      const password = marked();
      const [accessKey = ''] = at.seed(1, () => ({ password }));
      return { externalId: accessKey, issued: { accessKey, secret: password } };
    },
    change: (name) => void Object.assign(at.credentials.get(name) ?? {}, { fullName: 'Of another name' }),
    takeAway: (name) => takeFrom(at.credentials, name),
    wish: () => ({
      scope: 'Orders',
      fullName: 'Order Bot',
      email: 'orders@example.com',
      secret: { password: { username: unique('bot') } },
    }),
    next: () => ({}),
    accepts: (_, { accessKey, secret }) => at.accepts(accessKey ?? '', secret ?? ''),
    living: () => at.credentials.size,
    calls: {
      create: { method: 'POST', path: /\/credentials\/$/ },
      rotate: { method: 'PATCH' },
      end: { method: 'DELETE' },
    },
  };
};

const veracode = async (): Promise<Vendor> => {
  const at = await startVeracode();
  return {
    standIn: at,
    connection: { veracode: { endpoint: at.url, apiId: at.admin.apiId, apiKey: at.admin.apiKey } },
    seed: () => {
      const { user_id: externalId } = at.addUser();
      const { apiId, apiKey } = at.addPair(externalId);
      return { externalId, issued: { accessKey: apiId, secret: apiKey } };
    },
    change: (id) => void Object.assign(at.users.get(id) ?? {}, { email_address: 'another@example.com' }),
    // A test may take away what others may only read.
    takeAway: (id) => takeFrom(at.users as Map<string, unknown>, id),
    wish: () => ({ scope: at.addUser().user_id, secret: { accessKey: {} } }),
    next: () => ({}),
    accepts: (_, { accessKey, secret }) => at.accepts(accessKey ?? '', secret ?? ''),
    living: (id) => (at.hasLivePair(id) ? 1 : 0),
    calls: {
      create: { method: 'POST', path: /\/user_id\// },
      rotate: { method: 'POST', path: /\/user_id\// },
      end: { method: 'DELETE' },
    },
  };
};

const ncloud = (version: 1 | 2) => async (): Promise<Vendor> => {
  const at = await startNcloud({ version });
  const { accessKey, secretKey } = at.manager;
  const ownerOf = (key: string): NcloudSubAccount | undefined =>
    [...at.subAccounts.values()].find(({ keys }) => keys.has(key));
  return {
    standIn: at,
    connection: {
      ncloud: {
        stsEndpoint: at.url,
        subAccountEndpoint: at.url,
        accessKey,
        secretKey,
        subAccountApiVersion: version,
      },
    },
    seed: () => {
      const key = at.addKey(at.addSubAccount(unique('sub')).subAccountId);
      return { externalId: key.accessKey, issued: { accessKey: key.accessKey, secret: key.secretKey } };
    },
    change: (key) => void Object.assign(ownerOf(key) ?? {}, { email: 'another@example.com' }),
    takeAway: (key) => takeFrom(ownerOf(key)?.keys ?? new Map<string, unknown>(), key),
    wish: () => ({ scope: at.addSubAccount(unique('sub')).subAccountId, secret: { accessKey: {} } }),
    next: () => ({}),
    accepts: (_, { accessKey: key, secret }) => at.accepts(key ?? '', secret ?? ''),
    living: (id) => [...(at.subAccounts.get(id)?.keys.values() ?? [])].filter(({ active }) => active).length,
    calls: {
      create: { method: 'POST', path: /\/access-keys$/ },
      rotate: { method: 'POST', path: /\/access-keys$/ },
      end: { method: 'DELETE', path: /\/access-keys/ },
    },
  };
};

function takeFrom(all: Map<string, unknown>, key: string): () => void {
  const taken = all.get(key);
  if (!all.delete(key)) throw new Error('there is no such thing to take away');
  return () => void all.set(key, taken);
}

/** The store that is built in is no vendor's: what it did is seen by whether Keyway itself lets the secret in. */
const keyway = async (server: SharedServer): Promise<Vendor> => {
  const none = () => {
    throw new Error('nobody makes anything there but Keyway');
  };
  return {
    standIn: await openStandIn(none),
    connection: null,
    seed: none,
    change: none,
    takeAway: none,
    wish: () => ({ secret: { token: {} }, retrievable: true }),
    next: () => ({}),
    accepts: async (_, { secret }) => (await statusWith(server, secret ?? '')) === 200,
    living: () => 0,
    calls: { create: {}, rotate: {}, end: {} },
  };
};

export const builtIn: Case = { name: 'Keyway', way: 'overlap', shows: true, ends: true, start: keyway };

/** Every outside store, with each version of its contract that Keyway speaks. */
export const outside: Case[] = [
  { name: 'Landscape', way: 'replaced', shows: true, ends: false, start: landscape },
  { name: 'Seqera Platform', way: 'ours', shows: false, ends: true, start: seqera },
  { name: 'Apinizer', way: 'ours', shows: false, ends: true, start: apinizer('current') },
  { name: 'Apinizer, older', way: 'ours', shows: false, ends: true, start: apinizer('older') },
  { name: 'Veracode', way: 'replaced', shows: false, ends: true, start: veracode },
  { name: 'NAVER Cloud, Sub Account 1', way: 'overlap', shows: false, ends: true, start: ncloud(1) },
  { name: 'NAVER Cloud, Sub Account 2', way: 'overlap', shows: false, ends: true, start: ncloud(2) },
];
