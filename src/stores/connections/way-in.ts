import { badInput, type KeywayError } from '../../errors.js';
import type { Secret } from '../../secret.js';
import type { StoreKind } from '../store.js';

/** Where a store is, and what Keyway proves itself with there. */
export interface StoreConnection {
  kind: StoreKind;
  addresses: Record<string, string>;
  settings: Record<string, string | number | string[]>;
  secrets: Record<string, Secret>;
  region: string | null;
  /** What Keyway proves itself with, as credentials; the usual way in is the first. */
  own: readonly OwnKey[];
}

/** A credential that Keyway reaches a store with: its kind, and its public half. */
export interface OwnKey {
  kind: 'ACCESS_KEY' | 'PASSWORD' | 'TOKEN';
  accessKey: string | null;
}

/**
 * One half of a way in without the other is of no use.
 * @param member of the connection that they are given in
 * @throws BAD_USER_INPUT, naming the half that is left out.
 */
export function expectHalves(member: string, halves: Record<string, string | null | undefined>): void {
  const given = Object.entries(halves).find(([, half]) => half);
  const left = Object.entries(halves).find(([, half]) => !half);
  if (given && left) throw wayInError(member, left[0], `is required with ${given[0]}`);
}

export const wayInError = (member: string, field: string, message: string): KeywayError =>
  badInput(`input.connection.${member}.${field}`, message);

/**
 * An address of a store, fit to be kept.
 * @param local whether it may be one of http
 * @throws BAD_USER_INPUT, naming the field. The scalar has seen to it that it is http or https, and names nobody.
 */
export function addressIn(address: string, field: string, local: boolean): string {
  const path = `input.connection.${field}`;
  const { protocol } = new URL(address);
  // An empty query or fragment is one too: the parser does not tell of it.
  if (/[?#]/.test(address)) throw badInput(path, 'must have no query and no fragment');
  if (protocol !== 'https:' && !local) throw badInput(path, 'must start with https://');
  return address;
}

/** A setting of several values, each once; none, where none were given. */
export const listed = (name: string, values: string[] | null | undefined): Record<string, string[]> =>
  values ? { [name]: [...new Set(values)] } : {};

/** The host of an address that the scalar took. */
export const hostnameOf = (address: string): string => new URL(address).hostname;
