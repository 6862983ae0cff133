import type { Secret } from '../secret.js';
import { keyById, type KeyFile } from './key-file.js';
import { hkdfSha256, hmacSha256, lengthPrefixed, equalDigests } from './primitives.js';

/** What is kept of a generated secret: 32 bytes that tell nothing of it, and the id of the key under them. */
export interface StoredVerifier {
  verifier: Buffer;
  keyId: string;
}

/** Recognizes secrets that Keyway generated, and bytes that Keyway itself gave out. */
export interface Verifiers {
  /** The verifier of a secret under its lookup id, with the current key. For generated secrets only: it is fast. */
  verifier(lookupId: string, secret: Secret): StoredVerifier;
  /** Whether the verifier is of this secret under this lookup id; false where its key is not known here. */
  verifies(lookupId: string, secret: Secret, stored: StoredVerifier): boolean;
  /** The id of the key under verifiers that are made now. */
  currentVerifierId(): string;
  /** A verifier of no secret: comparing with it takes as long as with any other. */
  unmatched(): StoredVerifier;
  /** A tag over these parts, each for itself, that only a holder of the key can make; of no use for another purpose. */
  mac(purpose: string, ...parts: (string | Uint8Array)[]): Buffer;
  /** Whether `mac` made the tag for this purpose and these parts, with the current key or an older one. */
  macMatches(purpose: string, tag: Uint8Array, ...parts: (string | Uint8Array)[]): boolean;
}

/** The verifier half of the keyring, over the keys of verifier.json. */
export function verifiers(file: KeyFile): Verifiers {
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
    verifier: (lookupId, secret) => ({
      verifier: verifierUnder(keyById(file, file.current), lookupId, secret),
      keyId: file.current,
    }),
    verifies: (lookupId, secret, stored) => {
      const key = file.keys.get(stored.keyId);
      return key !== undefined && equalDigests(verifierUnder(key, lookupId, secret), stored.verifier);
    },
    currentVerifierId: () => file.current,
    unmatched: () => ({ verifier: Buffer.alloc(32), keyId: file.current }),
    mac: (purpose, ...parts) => macUnder(file.current, keyById(file, file.current), purpose, parts),
    macMatches: (purpose, tag, ...parts) =>
      [...file.keys].some(([id, key]) => equalDigests(macUnder(id, key, purpose, parts), tag)),
  };
}
