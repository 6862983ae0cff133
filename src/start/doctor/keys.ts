import type { Config } from '../../config/config.js';
import type { Database } from '../../database/database.js';
import { keyKinds, loadKeyFiles } from '../../keyring/kek-file.js';
import { openKeyring, type Keyring } from '../../keyring/keyring.js';
import { countOlder } from '../key-rows.js';
import { areKeysAbsent, knownKeys, missingKeys } from '../keys.js';
import { isKekWorn } from '../wrap-count.js';
import { lookAt, type Finding, type Findings } from './finding.js';

/** Keys that were looked at, and the keyring over them where they are whole. It is to be closed. */
export interface SeenKeys {
  readonly findings: readonly Finding[];
  readonly keyring?: Keyring;
}

/**
 * Reads the key files, and holds them to what the database knows of keys. None are made.
 * @param db undefined where it cannot be asked
 * @param isNew whether nothing was ever written to it
 */
export async function seeKeys(
  { keysDir }: Config,
  db: Database | undefined,
  isNew: boolean,
): Promise<SeenKeys> {
  let keyring: Keyring | undefined;
  const findings = await lookAt('keys', async (say) => {
    const known = db ? await knownKeys(db) : [];
    if (areKeysAbsent(keysDir)) {
      if (known.length > 0) return [ofMissing(say, missingKeys(undefined, known), keysDir)];
      return [
        isNew || db
          ? say.ok(`there are none in ${keysDir} yet`, 'the first start makes them')
          : say.warning(
              `there are none in ${keysDir}, and the database cannot be asked for those that it was written with`,
              'if it was in use before, bring them back, or set KEYWAY_KEYS_DIR',
            ),
      ];
    }
    const files = loadKeyFiles(keysDir);
    const missing = missingKeys(files, known);
    if (missing.length > 0) return [ofMissing(say, missing, keysDir)];
    keyring = openKeyring(files);
    const current = keyKinds.map((kind) => `${kind} ${files[kind].current}`).join(', ');
    const all = say.ok(`they can be read; current are ${current}`, 'keep a copy apart from the database');
    return db && known.length > 0 ? [all, ...(await ofUse(say, db, keyring))] : [all];
  });
  return { findings, ...(keyring && { keyring }) };
}

const ofMissing = (say: Findings, missing: readonly string[], keysDir: string): Finding =>
  say.wrong(
    `the database was written with keys that are not here: ${missing.join(', ')}`,
    `bring the key files back to ${keysDir}, or set KEYWAY_KEYS_DIR`,
  );

async function ofUse(say: Findings, db: Database, keyring: Keyring): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (await isKekWorn(db, keyring.currentKekId()))
    findings.push(say.warning('the current KEK was used very often', 'replace it: keyway keys rotate kek'));
  const older = await countOlder(db, keyring);
  const told = older.map(({ kind, id, rows }) => `${kind} ${id} (named by ${rows} rows)`);
  if (told.length > 0)
    findings.push(say.ok(`there are older ones: ${told.join(', ')}`, 'what is next: keyway keys list'));
  return findings;
}
