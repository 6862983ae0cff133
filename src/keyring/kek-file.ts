import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { unavailable } from '../errors.js';
import { Secret } from '../secret.js';
import type { KekProvider } from './envelope.js';
import {
  makingKeyOf,
  isNameTaken,
  readKeyFile,
  syncDirectory,
  writeKeyFile,
  type KeyFile,
} from './key-file.js';
import { wrappedBy } from './key-provider.js';
import { aesGcmOpen, aesGcmSeal, unreadableRecord } from './primitives.js';

/** What keys are for: wrapping data keys, verifiers of generated secrets, passwords, the audit chain. */
export const keyKinds = ['kek', 'verifier', 'pepper', 'audit'] as const;

export type KeyKind = (typeof keyKinds)[number];

/** All keys of a server, one file a kind. */
export type KeyFiles = Record<KeyKind, KeyFile>;

/** All that is wrong with the key files, told at once by file and key id; never what they hold. */
export class KeyFilesError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`the key files cannot be used:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'KeyFilesError';
    this.faults = faults;
  }
}

const nonceLength = 12;

/**
 * A provider that wraps with the keys of kek.json. `onWrap` is called before each wrap, and may refuse it
 * by throwing; `onUnknown` where a key is asked for that is not there, and may bring it.
 */
export function fileKekProvider(
  file: KeyFile,
  onWrap: (kekId: string) => void = () => {},
  onUnknown: () => Promise<void> = async () => {},
): KekProvider {
  const key = (id: string) => {
    const found = file.keys.get(id);
    if (found) return found.exposeBytes();
    const why = file.wrapped?.has(id)
      ? 'has not been unwrapped by its provider yet'
      : 'is missing from kek.json';
    throw unavailable(new Error(`the KEK ${id} ${why}`));
  };
  return {
    currentKeyId: async () => makingKeyOf(file),
    wrap: async (id, dek, aad) => {
      const kek = key(id);
      onWrap(id);
      const nonce = randomBytes(nonceLength);
      return Buffer.concat([nonce, aesGcmSeal(kek, nonce, dek, aad)]);
    },
    unwrap: async (id, wrapped, aad) => {
      if (!file.keys.has(id)) await onUnknown();
      const kek = key(id);
      if (wrapped.length < nonceLength) throw unreadableRecord();
      return aesGcmOpen(kek, wrapped.subarray(0, nonceLength), wrapped.subarray(nonceLength), aad);
    },
  };
}

/**
 * The keys in a directory: kek.json, verifier.json, pepper.json and audit.json, each
 * `{"current":"k1","keys":{"k1":"<32 bytes in base64>"}}`, for their owner's eyes only. KEKs that a provider has wrapped
 * are not unwrapped by this.
 * @throws KeyFilesError, naming every fault, where one file or key cannot be relied on.
 */
export function loadKeyFiles(directory: string): KeyFiles {
  const faults: string[] = [];
  const read = (kind: KeyKind): KeyFile =>
    readKeyFile(
      join(directory, `${kind}.json`),
      (message) => faults.push(`${kind}.json: ${message}`),
      kind === 'kek',
    ) ?? { current: '', keys: new Map() };
  const files = {
    kek: read('kek'),
    verifier: read('verifier'),
    pepper: read('pepper'),
    audit: read('audit'),
  };
  faults.push(...twice(files));
  if (faults.length > 0) throw new KeyFilesError(faults);
  return files;
}

/**
 * Makes the directory with a fresh key of each kind, whole or not at all, and leaves a directory that holds anything
 * as it is. Of several processes that start together one wins, and all of them find its keys.
 * @param kek the first KEK, k1, as its provider has wrapped it; one that stands in the file as it is, where left out
 */
export function createKeyFiles(directory: string, kek?: { key: Secret; text: string }): void {
  const target = resolve(directory);
  if (existsSync(target) && readdirSync(target).length > 0) return;
  mkdirSync(dirname(target), { recursive: true });
  const draft = `${target}.${randomBytes(8).toString('hex')}`;
  mkdirSync(draft, { mode: 0o700 });
  try {
    for (const kind of keyKinds) {
      writeKeyFile(join(draft, `${kind}.json`), {
        current: 'k1',
        keys: new Map([['k1', Secret.of(randomBytes(32))]]),
        ...(kind === 'kek' && kek && { keys: new Map([['k1', kek.key]]), ...wrappedText('k1', kek.text) }),
      });
    }
    syncDirectory(draft);
    // A directory takes the place of an absent or empty one only: this is the step that one of them wins.
    renameSync(draft, target);
    syncDirectory(dirname(target));
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!isNameTaken(error)) throw error;
  }
}

/** What of a file's `wrapped` a key's text is: nothing where the key stands in the file as it is. */
export const wrappedText = (id: string, text: string): Pick<KeyFile, 'wrapped'> =>
  wrappedBy(text) === undefined ? {} : { wrapped: new Map([[id, text]]) };

/** @throws KeyFilesError where two keys are the same, or one of them is all zeros: also of those that were unwrapped. */
export function expectDistinct(files: KeyFiles): void {
  const faults = twice(files);
  for (const [id, key] of files.kek.keys)
    if (key.exposeBytes().every((byte) => byte === 0)) faults.push(`kek.json: key ${id} is all zeros`);
  if (faults.length > 0) throw new KeyFilesError(faults);
}

function twice(files: KeyFiles): string[] {
  const seen = new Map<string, string>();
  const faults: string[] = [];
  for (const kind of keyKinds) {
    for (const [id, key] of files[kind].keys) {
      const material = key.exposeBytes().toString('base64');
      const first = seen.get(material);
      if (first) faults.push(`${kind}.json: key ${id} is the same as ${first}`);
      else seen.set(material, `key ${id} of ${kind}.json`);
    }
  }
  return faults;
}
