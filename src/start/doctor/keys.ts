import type { Config } from '../../config/config.js';
import type { Database } from '../../database/database.js';
import { keyKinds, loadKeyFiles } from '../../keyring/kek-file.js';
import { plainIn, type KeyFile } from '../../keyring/key-file.js';
import { openKeyring, type Keyring } from '../../keyring/keyring.js';
import type { Log } from '../../log.js';
import { openKeyProviders } from '../key-providers/key-providers.js';
import { UnwrappedKeks } from '../key-providers/unwrapped-keks.js';
import { countOlder } from '../key-rows.js';
import { areKeysAbsent, knownKeys, missingKeys, plainStrangers, type KnownKey } from '../keys.js';
import { isKekWorn } from '../wrap-count.js';
import { lookAt, type Finding, type Findings } from './finding.js';

/** Keys that were looked at, and the keyring over them where they are whole. It is to be closed. */
export interface SeenKeys {
  readonly findings: readonly Finding[];
  readonly keyring?: Keyring;
}

/**
 * Reads the key files, has the KEKs unwrapped by who has wrapped them, and holds all to what the database knows of keys. None
 * are made.
 * @param db undefined where it cannot be asked
 * @param isNew whether nothing was ever written to it
 * @param log hears nothing that is not a finding too
 */
export async function seeKeys(
  { keysDir, keyProviders }: Config,
  db: Database | undefined,
  isNew: boolean,
  log: Log,
): Promise<SeenKeys> {
  const { chosen } = keyProviders;
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
        ...(chosen === 'file'
          ? []
          : [
              say.skipped(
                `${chosen} was not asked`,
                'the first start asks it, and makes nothing if it refuses',
              ),
            ]),
      ];
    }
    const keks = new UnwrappedKeks(openKeyProviders(keyProviders), log);
    const files = await keks.fill(loadKeyFiles(keysDir));
    const missing = missingKeys(files, known);
    if (missing.length > 0) return [ofMissing(say, missing, keysDir)];
    const strangers = plainStrangers(files, known, keks.providers.chosen);
    if (strangers.length > 0) return strangers.map((fault) => say.wrong(fault));
    keyring = openKeyring(files);
    const current = keyKinds.map((kind) => `${kind} ${files[kind].current}`).join(', ');
    return [
      say.ok(`they can be read; current are ${current}`, 'keep a copy apart from the database'),
      ...ofWrapped(say, files.kek, keks, known),
      ...(chosen === 'file' ? [] : ofPlain(say, files.kek, chosen)),
      ...(db && known.length > 0 ? await ofUse(say, db, keyring) : []),
    ];
  });
  return { findings, ...(keyring && { keyring }) };
}

/** What came of asking the providers for the KEKs that they have wrapped. */
function ofWrapped(
  say: Findings,
  { wrapped = new Map() }: KeyFile,
  { faults }: UnwrappedKeks,
  known: readonly KnownKey[],
): Finding[] {
  const isRetired = (fault: string) =>
    known.some(({ kind, id, retired }) => kind === 'kek' && retired && fault.startsWith(`kek ${id}:`));
  if (wrapped.size > 0 && faults.length === 0)
    return [
      say.ok(`the provider of ${[...wrapped.keys()].map((id) => `kek ${id}`).join(', ')} unwraps them`),
    ];
  return faults.map((fault) =>
    isRetired(fault)
      ? say.warning(fault, 'it is retired, and not waited for: keyway keys retire')
      : say.wrong(fault, 'what this key has sealed cannot be read until then'),
  );
}

/** Of KEKs that no provider has wrapped, though one is chosen. */
function ofPlain(say: Findings, file: KeyFile, chosen: string): Finding[] {
  const plain = plainIn(file).map((id) => `kek ${id}`);
  if (plain.length === 0) return [];
  return [
    say.warning(
      `${plain.join(', ')} of kek.json: not wrapped, while KEYWAY_KEK_PROVIDER is ${chosen}`,
      'have another one made: keyway keys rotate kek',
    ),
    ...(file.wrapped ? [] : [say.skipped(`${chosen} was not asked`, 'nothing is wrapped by it yet')]),
  ];
}

const ofMissing = (say: Findings, missing: readonly string[], keysDir: string): Finding =>
  say.wrong(
    `the database was written with keys that are not here: ${missing.join(', ')}`,
    `bring the key files back to ${keysDir}, or set KEYWAY_KEYS_DIR; those of its time, if they were retired since: keyway keys bring FOLDER`,
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
