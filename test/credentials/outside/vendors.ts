import { unique } from '../../support/make.js';
import { startApinizer } from '../../upstreams/apinizer.js';
import { startLandscape } from '../../upstreams/landscape.js';
import { startNcloud } from '../../upstreams/ncloud.js';
import { startSeqera } from '../../upstreams/seqera.js';
import type { Match, StandIn } from '../../upstreams/stand-in.js';
import { startVeracode } from '../../upstreams/veracode.js';

type Input = Record<string, unknown>;

/** A secret as Keyway shows it. */
export interface Shown {
  accessKey: string | null;
  secret: string | null;
  keys: { name: string; value: string }[] | null;
}

/** Where one credential is to be, and nothing is yet. */
export interface Spot {
  /** For createCredential. */
  create: Input;
  /** For rotateCredential. */
  rotate: Input;
  /** What is there now, by the ids that the vendor has for it. */
  has(): string[];
}

/** A stand-in for a vendor, with what tests of any vendor need. */
export interface Vendor {
  readonly standIn: StandIn;
  /** For createStore. */
  readonly connection: Input;
  /** The requests that make, replace, change and end. */
  readonly writes: Record<'create' | 'rotate' | 'update' | 'revoke', Match>;
  spot(): Spot;
  /** Whether the vendor takes this secret now. */
  accepts(shown: Shown): boolean;
}

/** How often a vendor was told to change something. */
export const writesTo = ({ standIn, writes }: Vendor): number =>
  standIn.calls.filter(({ method, target }) =>
    Object.values(writes).some((match) => match.method === method && match.path?.test(target)),
  ).length;

const none: Match = { method: 'NONE', path: /^$/ };
const pairKey = { secret: { accessKey: {} } };

export async function seqera(): Promise<Vendor> {
  const standIn = await startSeqera();
  const keys = () => ({
    secret: { providerKeys: { github: { username: 'bot', password: unique('password') } } },
  });
  return {
    standIn,
    connection: { seqera: { endpoint: standIn.url, token: standIn.token } },
    writes: {
      create: { method: 'POST', path: /\/credentials(\?|$)/ },
      rotate: { method: 'PUT', path: /\/credentials\/[^/]+$/ },
      update: { method: 'PUT', path: /\/credentials\/[^/]+$/ },
      revoke: { method: 'DELETE', path: /\/credentials\/[^/]+$/ },
    },
    spot: () => {
      const name = unique('keys');
      return {
        create: { name, ...keys() },
        rotate: keys(),
        has: () => [...standIn.credentials.values()].filter((one) => one.name === name).map(({ id }) => id),
      };
    },
    accepts: ({ keys }) => {
      const given = Object.fromEntries((keys ?? []).map(({ name, value }) => [name, value]));
      return [...standIn.credentials.keys()].some((id) => standIn.accepts(id, given));
    },
  };
}

export async function apinizer(): Promise<Vendor> {
  const standIn = await startApinizer();
  const path = /\/Orders\/credentials\//;
  return {
    standIn,
    connection: { apinizer: { endpoint: standIn.url, token: standIn.token } },
    writes: {
      create: { method: 'POST', path },
      rotate: { method: 'PATCH', path },
      update: { method: 'PUT', path },
      revoke: { method: 'DELETE', path },
    },
    spot: () => {
      const username = unique('user');
      const texts = { name: username, fullName: 'Gateway Bot', email: 'bot@example.com' };
      return {
        create: { ...texts, scope: 'Orders', secret: { password: { username } } },
        rotate: {},
        has: () => (standIn.credentials.has(username) ? [username] : []),
      };
    },
    accepts: ({ accessKey, secret }) => standIn.accepts(accessKey ?? '', secret ?? ''),
  };
}

export async function ncloud(): Promise<Vendor> {
  const standIn = await startNcloud();
  const { accessKey, secretKey } = standIn.manager;
  const path = /\/access-keys$/;
  return {
    standIn,
    connection: {
      ncloud: { stsEndpoint: standIn.url, subAccountEndpoint: standIn.url, accessKey, secretKey },
    },
    writes: {
      create: { method: 'POST', path },
      rotate: { method: 'POST', path },
      update: { method: 'PUT', path },
      revoke: { method: 'DELETE', path },
    },
    spot: () => {
      const owner = standIn.addSubAccount(unique('sub'));
      return {
        create: { name: owner.loginId, scope: owner.subAccountId, ...pairKey },
        rotate: {},
        has: () => [...owner.keys.keys()],
      };
    },
    accepts: ({ accessKey, secret }) => standIn.accepts(accessKey ?? '', secret ?? ''),
  };
}

export async function veracode(): Promise<Vendor> {
  const standIn = await startVeracode();
  const { apiId, apiKey } = standIn.admin;
  const path = /\/api_credentials\/user_id\//;
  return {
    standIn,
    connection: { veracode: { endpoint: standIn.url, apiId, apiKey } },
    writes: {
      create: { method: 'POST', path },
      rotate: { method: 'POST', path },
      update: none,
      revoke: { method: 'DELETE', path },
    },
    spot: () => {
      const user = standIn.addUser();
      // The pairs of a user are listed nowhere; there is never more than one.
      return {
        create: { name: user.user_name, scope: user.user_id, ...pairKey },
        rotate: {},
        has: () => [],
      };
    },
    accepts: ({ accessKey, secret }) => standIn.accepts(accessKey ?? '', secret ?? ''),
  };
}

export async function landscape(): Promise<Vendor> {
  const standIn = await startLandscape();
  const { email, password } = standIn.person;
  const ask: Match = { method: 'POST', path: /\/api\/v2\/credentials$/ };
  return {
    standIn,
    connection: { landscape: { endpoint: standIn.url, email, password } },
    writes: { create: ask, rotate: ask, update: none, revoke: none },
    spot: () => {
      const account = standIn.addAccount(unique('account'), { pair: null });
      return {
        create: { name: account.name, scope: account.name, ...pairKey },
        rotate: {},
        has: () => (account.pair ? [account.pair.accessKey] : []),
      };
    },
    accepts: ({ accessKey, secret }) => standIn.accepts(accessKey ?? '', secret ?? ''),
  };
}
