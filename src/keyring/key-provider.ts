import { randomBytes } from 'node:crypto';
import { Secret } from '../secret.js';
import { lengthPrefixed } from './primitives.js';

/**
 * Who keeps the KEKs: each stands in kek.json as a text of its provider's. That of the file itself is the key, in base64;
 * that of any other says nothing without the provider that wrapped it, and begins with the provider's name and a colon.
 */
export interface KeyProvider {
  readonly name: string;
  /** The text for a key by this id. @throws KeyProviderFault */
  wrap(id: string, key: Secret): Promise<string>;
  /** The key that such a text stands for, by this id and no other. @throws KeyProviderFault */
  unwrap(id: string, text: string): Promise<Secret>;
}

/** Why a provider did not wrap or unwrap: in words of ours that say what to do, and never with what it was given. */
export class KeyProviderFault extends Error {
  constructor(
    /** What people call it: AWS KMS. */
    readonly provider: string,
    readonly reason: string,
  ) {
    super(`${provider} ${reason}`);
    this.name = 'KeyProviderFault';
  }
}

/** The file itself: keys stand in it as they are. */
export const fileKeys: KeyProvider = {
  name: 'file',
  wrap: async (_, key) => key.exposeBytes().toString('base64'),
  unwrap: async (_, text) => Secret.of(Buffer.from(text, 'base64')),
};

/** What the providers bind a wrapped KEK to, besides its id: nothing that is wrapped for another purpose is taken for one. */
export const kekPurpose = 'keyway/kek/v1';

/** The name of the provider that a text is of; undefined for that of the file itself, and for what is none. */
export const wrappedBy = (text: string): string | undefined =>
  /^([a-z][a-z-]{0,30}):[!-~]{1,8192}$/.exec(text)?.[1];

/**
 * What a provider wraps for a key: the key behind its purpose and id, so that it says itself what it is, also where
 * a provider takes no notice of what it is to bind a ciphertext to.
 */
export function wrappable(id: string, key: Secret): Buffer {
  return Buffer.concat([labelOf(id), key.exposeBytes()]);
}

/** The key in what a provider has unwrapped, which is wiped; undefined where it is not the KEK by this id. */
export function unwrapped(id: string, plain: Buffer): Secret | undefined {
  const label = labelOf(id);
  try {
    const isKey = plain.length === label.length + keyLength && plain.subarray(0, label.length).equals(label);
    return isKey ? Secret.of(Buffer.from(plain.subarray(label.length))) : undefined;
  } finally {
    plain.fill(0);
  }
}

/**
 * A fresh key and its text.
 * @throws KeyProviderFault, also where the provider would not give the key back: it could never be used.
 */
export async function freshKey(id: string, provider: KeyProvider): Promise<{ key: Secret; text: string }> {
  const key = Secret.of(randomBytes(keyLength));
  return { key, text: await wrapSurely(id, key, provider) };
}

/** The text for a key, once it is known that the provider gives the key back. @throws KeyProviderFault */
export async function wrapSurely(id: string, key: Secret, provider: KeyProvider): Promise<string> {
  const text = await provider.wrap(id, key);
  const back = await provider.unwrap(id, text);
  if (!back.exposeBytes().equals(key.exposeBytes()))
    throw new KeyProviderFault(provider.name, 'gave back another key than it had wrapped');
  back.wipe();
  return text;
}

const keyLength = 32;
const labelOf = (id: string) => Buffer.concat([lengthPrefixed(kekPurpose, 2), lengthPrefixed(id, 2)]);
