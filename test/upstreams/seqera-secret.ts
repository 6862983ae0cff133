import { randomInt } from 'node:crypto';
import { providers, readKeys, type Keys } from './seqera-keys.js';
import type { Arrived } from './stand-in.js';

/** A credential as the platform keeps it. What a test may want to change is open to it. */
export interface StoredSecret {
  readonly id: string;
  /** Undefined in the personal space of the token's owner. */
  workspaceId: string | undefined;
  name: string;
  provider: string;
  description: string | null;
  category: string | null;
  baseUrl: string | null;
  keys: Keys;
  dateCreated: string;
  lastUpdated: string;
  lastUsed: string | null;
  status: 'AVAILABLE' | 'INVALID';
  message: string | undefined;
  lastValidated: string | undefined;
  /** What the provider will say at the next probe. */
  probe: 'accepts' | 'rejects' | 'cannot be reached';
  /** Running jobs that depend on it. */
  usedBy: { id: string; name: string; type: string; url: string }[];
}

type Written = Pick<StoredSecret, 'name' | 'provider' | 'description' | 'category' | 'baseUrl' | 'keys'>;

const writable = new Set(['id', 'name', 'provider', 'description', 'category', 'baseUrl', 'keys']);

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A made-up id of so many characters. */
export const idOf = (length: number) =>
  Array.from({ length }, () => letters[randomInt(letters.length)]).join('');

/** A made-up credential, as it is at first. */
export const fresh = (id: string, at: string): StoredSecret => ({
  id,
  workspaceId: undefined,
  name: `made-up-${id}`,
  provider: 'container-reg',
  description: null,
  category: null,
  baseUrl: null,
  keys: { userName: 'ci-bot', password: `made-up-${id}`, registry: 'images.example.com' },
  dateCreated: at,
  lastUpdated: at,
  lastUsed: null,
  status: 'AVAILABLE',
  message: undefined,
  lastValidated: undefined,
  probe: 'accepts',
  usedBy: [],
});

/** What a body says of a credential, whole; a text that says what is wrong with it. */
export function readSecret({ headers, body }: Arrived, found?: StoredSecret): Written | string {
  if (!/^application\/json\b/.test(headers['content-type'] ?? '')) return 'Not JSON';
  const sent = parsed(body);
  if (Object.keys(sent).join() !== 'credentials') return 'Missing credentials';
  const one = Object(sent.credentials) as Record<string, unknown>;
  const unknown = Object.keys(one).find((name) => !writable.has(name));
  if (unknown !== undefined) return `Unknown property [${unknown}]`;
  const { id, name, provider, description = null, category = null, baseUrl = null } = one;
  if (id !== undefined && id !== found?.id) return 'Not the id of these credentials';
  if (typeof provider !== 'string' || !providers.includes(provider)) return 'Unknown provider';
  if (found && provider !== found.provider) return 'The provider cannot change';
  const keys = readKeys(provider, one.keys);
  // A name from before there was a rule stays.
  const fault =
    (name === found?.name ? undefined : faultOfName(name)) ?? faultOfText({ description, category, baseUrl });
  if (fault) return fault;
  if (typeof keys === 'string') return keys;
  return { name, provider, description, category, baseUrl, keys } as Written;
}

function parsed(body: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(body)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** What is wrong with a name; undefined where nothing is. */
export const faultOfName = (name: unknown) =>
  typeof name === 'string' && /^[\w-]{1,100}$/.test(name) ? undefined : 'Not a name';

function faultOfText(texts: Record<string, unknown>): string | undefined {
  const longest: Record<string, number> = { category: 20, baseUrl: 200 };
  return Object.entries(texts)
    .filter(([, text]) => text !== null)
    .filter(([name, text]) => typeof text !== 'string' || text.length > (longest[name] ?? Infinity))
    .map(([name]) => `Wrong [${name}]`)[0];
}

/** With the external id that the platform makes when it is asked to, and there is a role to assume. */
export function withExternalId({ query }: Arrived, written: Written): Written {
  if (query.get('useExternalId') !== 'true' || written.keys.assumeRoleArn === undefined) return written;
  return { ...written, keys: { ...written.keys, externalId: idOf(32) } };
}
