import { X509Certificate } from 'node:crypto';
import { badInput, type KeywayError } from '../errors.js';
import type { Secret } from '../secret.js';

/**
 * How a kind of store is connected: what is asked for, and what is kept of it. The graph's input is made from it, so
 * that nothing else has to know the fields.
 */
export interface VendorConnection<Asks extends Asked = Asked> {
  /** The member of the graph's StoreConnectionInput that it is given in: one word in small letters. */
  readonly member: string;
  /** What the graph says of the kind of system. */
  readonly system?: string;
  /** What the graph says of that member, and of its type. */
  readonly about?: string;
  /** The fields of that member, by their names. Each is needed, but for those that are `optional`. */
  readonly asks: Asks;
  /**
   * What is kept of what was given, the addresses apart.
   * @throws BAD_USER_INPUT, naming the field, for what cannot be meant.
   */
  keep(given: Given<Asks>): KeptConnection;
}

/** What is asked for, by the names of the fields. */
export type Asked = Readonly<Record<string, Question>>;

/** One field. Its answer is within the limits that `stores/connection.input.ts` sets for its kind. */
export type Question = {
  readonly optional?: true;
  /** What the graph says of it. */
  readonly about?: string;
} & (
  | {
      readonly is: 'address';
      /** What requests call this address; as the field is called, where left out. One is the `endpoint`. */
      readonly named?: string;
    }
  /** An e-mail address; one line; a word that goes out in a header. */
  | { readonly is: 'email' | 'line' | 'word'; readonly usually?: string }
  /** A text that is hidden from here on; the same where it goes out in a header. */
  | { readonly is: 'secret' | 'secretWord' }
  /** Several lines, none of them twice. */
  | { readonly is: 'lines' }
  | { readonly is: 'number'; readonly of: readonly number[]; readonly usually?: number }
);

/** What was given: undefined for what was left out. */
export type Given<Asks extends Asked> = { readonly [Field in keyof Asks]: Answer<Asks[Field]> };

type Answer<One extends Question> =
  | Answers[One['is']]
  | ([One] extends [{ readonly is: string; readonly optional?: undefined }] ? never : undefined);

interface Answers {
  address: string;
  email: string;
  line: string;
  word: string;
  secret: Secret;
  secretWord: Secret;
  lines: readonly string[];
  number: number;
}

/** What is kept of a connection. */
export interface KeptConnection {
  readonly settings: Readonly<Record<string, string | number | readonly string[]>>;
  /** What Keyway proves itself with there. */
  readonly secrets: Readonly<Record<string, Secret>>;
  /** The region or zone of the vendor that it is in; null where the vendor has none, or none that is known. */
  readonly region: string | null;
  /** The same as credentials; the usual way in is the first. */
  readonly own: readonly OwnKey[];
}

/** A credential that Keyway reaches a store with: its kind, and its public half. */
export interface OwnKey {
  readonly kind: 'ACCESS_KEY' | 'PASSWORD' | 'TOKEN';
  readonly accessKey: string | null;
}

/** A connection, whose `keep` is held to what it asks for. */
export const connecting = <const Asks extends Asked>(connection: VendorConnection<Asks>): VendorConnection =>
  connection;

/**
 * One half of a way in without the other is of no use.
 * @param member of the connection that they are given in
 * @throws BAD_USER_INPUT, naming the half that is left out.
 */
export function expectHalves(member: string, halves: Readonly<Record<string, unknown>>): void {
  const fields = Object.keys(halves);
  const given = fields.find((field) => halves[field] !== undefined);
  const left = fields.find((field) => halves[field] === undefined);
  if (given !== undefined && left !== undefined)
    throw connectionFault(member, left, `is required with ${given}`);
}

/** A fault in one field of a connection. */
export const connectionFault = (member: string, field: string, message: string): KeywayError =>
  badInput(`input.connection.${member}.${field}`, message);

const mostCertificates = 20;

/** A setting of every connection: the certificates that its store is trusted by. */
export const authoritiesField = 'certificateAuthority';

/**
 * The certificates in a text, in PEM, and nothing else of it. What stands around them, as in the bundles that OpenSSL
 * writes, is left behind.
 * @param nowMs for certificates that are over
 * @throws an Error that says what is wrong with it, and nothing of what is in it
 */
export function authoritiesIn(text: string, nowMs: number): string {
  const [before = '', ...blocks] = text.split('-----BEGIN ');
  const certificates = blocks.map(certificateIn);
  if (before.includes('-----END ') || certificates.length === 0) throw new Error(notPem);
  if (certificates.length > mostCertificates)
    throw new Error(`must be at most ${mostCertificates} certificates`);
  if (certificates.some(({ validTo }) => Date.parse(validTo) <= nowMs))
    throw new Error('must hold no certificate that has expired');
  return certificates.map(String).join('');
}

/** @param block what follows on the first words of a block */
function certificateIn(block: string): X509Certificate {
  const [body = '', after, ...more] = block.split('-----END CERTIFICATE-----');
  // A key, for one, is not to be kept by the way.
  if (!block.startsWith('CERTIFICATE-----') || after === undefined || more.length > 0)
    throw new Error(notPem);
  try {
    return new X509Certificate(`-----BEGIN ${body}-----END CERTIFICATE-----\n`);
  } catch {
    throw new Error(notPem);
  }
}

const notPem = 'must be certificates in PEM, without a key: -----BEGIN CERTIFICATE----- and so on';
