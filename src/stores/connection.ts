import {
  authoritiesField,
  authoritiesIn,
  type Asked,
  type VendorConnection,
  type KeptConnection,
  type Question,
} from '../connectors/connection.js';
import type { Registry } from '../connectors/registry.js';
import { badInput } from '../errors.js';
import { Secret } from '../secret.js';
import type { AskedInput, StoreConnectionInput } from './connection.input.js';

/** Where a store is, and what Keyway proves itself with there. */
export interface StoreConnection extends KeptConnection {
  readonly kind: string;
  readonly addresses: Readonly<Record<string, string>>;
}

/**
 * A connection as it was given. Its secrets are hidden from here on.
 * @param http whether an address may be one of http.
 * @throws BAD_USER_INPUT, naming the field, for an address that is more than a place, and for what the kind of store does
 * not take.
 */
export function connectionOf(
  connectors: Registry,
  input: StoreConnectionInput,
  http: boolean,
): StoreConnection {
  for (const { kind, connection } of Object.values(connectors)) {
    const given = connection && input[connection.member];
    if (!given) continue;
    const { settings, ...kept } = connection.keep(answersIn(connection.asks, given));
    const authorities = authoritiesOf(connection, given);
    return {
      ...kept,
      kind,
      addresses: addressesIn(connection, given, http),
      settings: { ...settings, ...(authorities !== undefined && { [authoritiesField]: authorities }) },
    };
  }
  throw badInput('input.connection', 'must be exactly one kind of store');
}

/** What a store is to be trusted by. @throws BAD_USER_INPUT for a text that is no certificates that hold. */
function authoritiesOf(connection: VendorConnection, given: AskedInput): string | undefined {
  const text = given[authoritiesField];
  if (typeof text !== 'string') return undefined;
  try {
    return authoritiesIn(text, Date.now());
  } catch (error) {
    throw badInput(pathOf(connection, authoritiesField), (error as Error).message);
  }
}

/** The path of the field that one of a store's addresses was given in. */
export function fieldOfAddress(connection: VendorConnection, address: string): string {
  const [field = address] = addressFields(connection).find(([, name]) => name === address) ?? [];
  return pathOf(connection, field);
}

const pathOf = ({ member }: VendorConnection, field: string): string => `input.connection.${member}.${field}`;

/** The fields that addresses are given in, each with what requests call that address. */
const addressFields = ({ asks }: VendorConnection): (readonly [string, string])[] =>
  Object.entries(asks).flatMap(([field, question]) =>
    question.is === 'address' ? [[field, question.named ?? field] as const] : [],
  );

const addressesIn = (
  connection: VendorConnection,
  given: AskedInput,
  http: boolean,
): Record<string, string> =>
  Object.fromEntries(
    addressFields(connection)
      .filter(([field]) => typeof given[field] === 'string')
      .map(([field, name]) => [name, addressIn(String(given[field]), pathOf(connection, field), http)]),
  );

/** The scalar has seen to it that it is http or https, and names nobody. */
function addressIn(address: string, path: string, http: boolean): string {
  const { protocol } = new URL(address);
  // An empty query or fragment is one too: the parser does not tell of it.
  if (/[?#]/.test(address)) throw badInput(path, 'must have no query and no fragment');
  if (protocol !== 'https:' && !http) throw badInput(path, 'must start with https://');
  return address;
}

const answersIn = (asks: Asked, given: AskedInput): Parameters<VendorConnection['keep']>[0] =>
  Object.fromEntries(
    Object.entries(asks).map(([field, question]) => [field, answerIn(question, given[field] ?? undefined)]),
  );

function answerIn({ is }: Question, value: string | number | readonly string[] | undefined) {
  if (Array.isArray(value)) return [...new Set(value as readonly string[])];
  return (is === 'secret' || is === 'secretWord') && typeof value === 'string' ? Secret.of(value) : value;
}
