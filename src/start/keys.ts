import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type Database, type Sql } from '../database/database.js';
import { inFolder } from './folders.js';
import {
  createKeyFiles,
  KeyFilesError,
  keyKinds,
  loadKeyFiles,
  type KeyFiles,
  type KeyKind,
} from '../keyring/kek-file.js';
import { lackingIn, plainIn } from '../keyring/key-file.js';
import { fileKeys, freshKey, KeyProviderFault, type KeyProvider } from '../keyring/key-provider.js';
import type { UnwrappedKeks } from './key-providers/unwrapped-keks.js';
import { fingerprintOf, openKeyring, type Keyring, type KeyringOptions } from '../keyring/keyring.js';

/** A key as the database knows it: by its id and a check value, and whether it is retired. */
export interface KnownKey {
  kind: KeyKind;
  id: string;
  fingerprint: string;
  retired: boolean;
}

/** A keyring, and the keys that it is over: what changes there is changed in it. */
export interface OpenKeys {
  readonly keyring: Keyring;
  readonly files: KeyFiles;
  readonly missing: undefined;
}

/**
 * The keyring of this database. An empty database gets fresh keys where there are none yet; one that was written with
 * other keys gets nothing. Where a key is current that the database did not know before, other processes have the time to
 * see it first. A KEK that its provider does not unwrap now is not in the keyring, and may come later; one that is new and
 * that no provider has wrapped, though one is chosen, is refused.
 * @returns the keyring, or why there can be none: by key ids, never with a key.
 * @throws KeyFilesError for key files that are there and wrong; an Error to show, where none can be made.
 * @param keks unwraps the KEKs; where left out, they have to stand in their file as they are
 */
export async function openKeys(
  db: Database,
  directory: string,
  options: KeyringOptions,
  keks?: UnwrappedKeks,
): Promise<OpenKeys | { keyring: undefined; missing: string[] }> {
  const known = await knownKeys(db);
  if (known.length === 0) await makeFiles(directory, keks);
  let files: KeyFiles;
  try {
    files = loadKeyFiles(directory);
    files = (await keks?.fill(files)) ?? files;
  } catch (error) {
    if (known.length > 0 && areKeysAbsent(directory))
      return { keyring: undefined, missing: missingKeys(undefined, known) };
    throw error;
  }
  const strangers = keks ? plainStrangers(files, known, keks.providers.chosen) : [];
  if (strangers.length > 0) throw new KeyFilesError(strangers);
  const keyring = openKeyring(files, options);
  const missing = missingKeys(files, known);
  if (missing.length > 0) return { keyring: undefined, missing };
  let awaited = false;
  for (const kind of keyKinds) {
    const ofKind = known.filter((one) => one.kind === kind);
    awaited ||= ofKind.length > 0 && !ofKind.some(({ id }) => id === files[kind].current);
    await makeKnown(
      db,
      kind,
      keyring.keyIds(kind).map((id) => ({ id, fingerprint: keyring.fingerprint(kind, id) })),
    );
  }
  // One that runs elsewhere may have been first to bring a key by the same id.
  const others = missingKeys(files, await knownKeys(db));
  if (others.length > 0) return { keyring: undefined, missing: others };
  // The embedded database has one process alone.
  if (awaited && !db.embedded) await sleep(seenMs);
  return { keyring, files, missing: undefined };
}

/**
 * What keeps a start from using these files with a database that knows these keys: each key by its kind and id, and why.
 * @param files undefined where there are none
 */
export const missingKeys = (files: KeyFiles | undefined, known: readonly KnownKey[]): string[] =>
  known.flatMap(({ kind, id, fingerprint, retired }) => {
    if (files && lackingIn(files[kind]).includes(id)) return [];
    if (!files?.[kind].keys.has(id)) return retired ? [] : [`${kind} ${id}`];
    if (fingerprintOf(files[kind], id) !== fingerprint)
      return [`${kind} ${id} (another key goes by this id)`];
    return retired && files[kind].current === id ? [`${kind} ${id} (retired, and current here)`] : [];
  });

/**
 * What is wrong with KEKs that stand in their file as they are though a provider is chosen: one that this database knows was
 * there before. Another may be of somebody who can write the file and cannot ask the provider.
 */
export function plainStrangers(
  { kek }: KeyFiles,
  known: readonly KnownKey[],
  { name }: KeyProvider,
): string[] {
  const knownKeks = known.filter(({ kind }) => kind === 'kek').map(({ id }) => id);
  // Nothing is by any key yet.
  if (name === fileKeys.name || knownKeks.length === 0) return [];
  return plainIn(kek)
    .filter((id) => !knownKeks.includes(id))
    .map(
      (id) =>
        `kek.json: key ${id} is new and not wrapped, while KEYWAY_KEK_PROVIDER is ${name}: if you have added it, have it wrapped (keyway keys rewrap kek); if not, take it out`,
    );
}

/** Whether there are no key files yet, so that a first start makes them. */
export const areKeysAbsent = (directory: string): boolean =>
  !existsSync(directory) || readdirSync(directory).length === 0;

/** @throws an Error to show where the provider of the KEKs does not wrap the first one: then nothing is made. */
async function makeFiles(directory: string, keks: UnwrappedKeks | undefined): Promise<void> {
  if (!inFolder('KEYWAY_KEYS_DIR', () => areKeysAbsent(directory))) return;
  try {
    const kek = keks && (await freshKey('k1', keks.providers.chosen));
    inFolder('KEYWAY_KEYS_DIR', () => createKeyFiles(directory, kek));
  } catch (error) {
    if (!(error instanceof KeyProviderFault)) throw error;
    throw new Error(`Keyway cannot start:\n  the first KEK cannot be wrapped: ${error.message}`, {
      cause: error,
    });
  }
}

/** The keys that this database was written with, and those that are retired. */
export const knownKeys = (db: Sql): Promise<KnownKey[]> => db.rows<KnownKey>(allKnown);

/** Has the database know keys of a kind. Where it knows another one by an id, that one stays. */
export async function makeKnown(
  db: Sql,
  kind: KeyKind,
  keys: readonly { id: string; fingerprint: string }[],
): Promise<void> {
  for (const key of keys) await db.rows(insertKey, { kind, ...key });
}

/** Longer than it takes until each process that has the same files has looked at them. */
const seenMs = 3_000;

const allKnown = sql(`
  SELECT kind, id, fingerprint, retired_at IS NOT NULL AS retired FROM keyring_keys ORDER BY kind, id`);
const insertKey = sql(`
  INSERT INTO keyring_keys (kind, id, fingerprint) VALUES (:kind, :id, :fingerprint) ON CONFLICT DO NOTHING`);
