import { existsSync, readdirSync } from 'node:fs';
import { sql, type Database } from '../database/database.js';
import { inFolder } from './folders.js';
import { createKeyFiles, keyKinds, loadKeyFiles, type KeyFiles } from '../keyring/kek-file.js';
import { openKeyring, type Keyring, type KeyringOptions } from '../keyring/keyring.js';

/**
 * The keyring of this database. An empty database gets fresh keys where there are none yet; one that was written with
 * other keys gets nothing.
 * @returns the keyring, or why there can be none: by key ids, never with a key.
 * @throws KeyFilesError for key files that are there and wrong; an Error to show, where none can be made.
 */
export async function openKeys(
  db: Database,
  directory: string,
  options: KeyringOptions,
): Promise<{ keyring: Keyring; missing: undefined } | { keyring: undefined; missing: string[] }> {
  const known = await db.rows<{ kind: keyof KeyFiles; id: string; fingerprint: string }>(knownKeys);
  if (known.length === 0) inFolder('KEYWAY_KEYS_DIR', () => createKeyFiles(directory));
  let files: KeyFiles;
  try {
    files = loadKeyFiles(directory);
  } catch (error) {
    if (known.length > 0 && isAbsent(directory))
      return { keyring: undefined, missing: known.map(({ kind, id }) => `${kind} ${id}`) };
    throw error;
  }
  const keyring = openKeyring(files, options);
  const missing = known.flatMap(({ kind, id, fingerprint }) => {
    if (!keyring.keyIds(kind).includes(id)) return [`${kind} ${id}`];
    return keyring.fingerprint(kind, id) === fingerprint
      ? []
      : [`${kind} ${id} (another key goes by this id)`];
  });
  if (missing.length > 0) return { keyring: undefined, missing };
  for (const kind of keyKinds) {
    for (const id of keyring.keyIds(kind)) {
      await db.rows(makeKnown, { kind, id, fingerprint: keyring.fingerprint(kind, id) });
    }
  }
  return { keyring, missing: undefined };
}

const isAbsent = (directory: string) => !existsSync(directory) || readdirSync(directory).length === 0;

const knownKeys = sql('SELECT kind, id, fingerprint FROM keyring_keys ORDER BY kind, id');
const makeKnown = sql(`
  INSERT INTO keyring_keys (kind, id, fingerprint) VALUES (:kind, :id, :fingerprint) ON CONFLICT DO NOTHING`);
