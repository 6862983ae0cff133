import type { Secret } from '../secret.js';
import { makingKeyOf, keyById, numberOf, type KeyFile } from './key-file.js';
import { hkdfSha256, hmacSha256, lengthPrefixed, equalDigests } from './primitives.js';

/** What is kept of a generated secret: 32 bytes that tell nothing of it, and the id of the key under them. */
export interface StoredVerifier {
  verifier: Buffer;
  keyId: string;
}

/** A tag, and the id of the key that made it. */
export interface KeyedTag {
  tag: Buffer;
  keyId: string;
}

/** Recognizes secrets that Keyway generated, and bytes that Keyway itself gave out. */
export interface Verifiers {
  /** The verifier of a secret under its lookup id, with the current key. For generated secrets only: it is fast. */
  verifier(lookupId: string, secret: Secret): StoredVerifier;
  /** Whether the verifier is of this secret under this lookup id; false where its key is not known here. */
  verifies(lookupId: string, secret: Secret, stored: StoredVerifier): boolean;
  /** The id of the key under verifiers that are made now. @throws UNAVAILABLE where none may be made any more */
  currentVerifierId(): string;
  /** Whether a verifier by this key should be made anew: it is older than the current one, and not newer. */
  isStaleVerifier(keyId: string): boolean;
  /** A verifier of no secret: comparing with it takes as long as with any other. */
  unmatched(): StoredVerifier;
  /** A tag over these parts, each for itself, that only a holder of the key can make; of no use for another purpose. */
  mac(purpose: string, ...parts: (string | Uint8Array)[]): Buffer;
  /** The same by each key, that of the current one first: for what is looked up by such a tag. */
  macs(purpose: string, ...parts: (string | Uint8Array)[]): KeyedTag[];
  /** The same by the oldest key: while keys change, all that have the same ones make the same tag. */
  macByOldest(purpose: string, ...parts: (string | Uint8Array)[]): Buffer;
  /** Whether `mac` made the tag for this purpose and these parts, with the current key or an older one. */
  macMatches(purpose: string, tag: Uint8Array, ...parts: (string | Uint8Array)[]): boolean;
}

/**
 * The verifier half of the keyring, over the keys of verifier.json.
 * @param onUnknown hears that a verifier is by a key that is not known here
 */
export function verifiers(file: KeyFile, onUnknown: () => void = () => {}): Verifiers {
  const macKeys = new Map<string, Buffer>();

  const verifierUnder = (key: Secret, lookupId: string, secret: Secret) =>
    hmacSha256(key.exposeBytes(), 'keyway/tok/v1', lengthPrefixed(lookupId, 2), secret.exposeBytes());

  function macUnder(keyId: string, key: Secret, purpose: string, parts: (string | Uint8Array)[]): Buffer {
    const name = `${keyId}/${purpose}`;
    const macKey =
      macKeys.get(name) ?? hkdfSha256(key.exposeBytes(), Buffer.alloc(0), `keyway/mac/v1/${purpose}`, 32);
    macKeys.set(name, macKey);
    return hmacSha256(macKey, ...parts.map((part) => lengthPrefixed(part, 4)));
  }

  return {
    verifier: (lookupId, secret) => {
      const keyId = makingKeyOf(file);
      return { verifier: verifierUnder(keyById(file, keyId), lookupId, secret), keyId };
    },
    verifies: (lookupId, secret, stored) => {
      const key = file.keys.get(stored.keyId);
      if (!key) onUnknown();
      return key !== undefined && equalDigests(verifierUnder(key, lookupId, secret), stored.verifier);
    },
    currentVerifierId: () => makingKeyOf(file),
    isStaleVerifier: (keyId) => numberOf(keyId) < numberOf(file.current),
    unmatched: () => ({ verifier: Buffer.alloc(32), keyId: file.current }),
    mac: (purpose, ...parts) => macUnder(file.current, keyById(file, file.current), purpose, parts),
    macs: (purpose, ...parts) => {
      const current = makingKeyOf(file);
      const tags = [...file.keys].map(([keyId, key]) => ({
        keyId,
        tag: macUnder(keyId, key, purpose, parts),
      }));
      return tags.sort((one, other) => Number(other.keyId === current) - Number(one.keyId === current));
    },
    macByOldest: (purpose, ...parts) => {
      const ids = [...file.keys.keys()].sort((one, other) => numberOf(one) - numberOf(other));
      const oldest = ids[0] ?? file.current;
      return macUnder(oldest, keyById(file, oldest), purpose, parts);
    },
    macMatches: (purpose, tag, ...parts) =>
      [...file.keys].some(([id, key]) => equalDigests(macUnder(id, key, purpose, parts), tag)),
  };
}
