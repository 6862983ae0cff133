import type { Config } from '../config/config.js';
import type { Database } from '../database/database.js';
import { FolderTaken } from '../database/folder-lock.js';
import {
  addKey,
  advanceKey,
  bringKeys,
  KeyFileFixed,
  newestKeyOf,
  PlainKeyRefused,
  wrapAnew,
} from '../keyring/change-keys.js';
import { KeyFilesError, keyKinds, loadKeyFiles, type KeyFiles, type KeyKind } from '../keyring/kek-file.js';
import { idsOf, type KeyFile } from '../keyring/key-file.js';
import { fileKeys, KeyProviderFault, wrappedBy } from '../keyring/key-provider.js';
import { openKeyProviders, settingOf } from './key-providers/key-providers.js';
import { rowsNaming } from './key-rows.js';
import type { Keyway } from './keyway.js';
import { knownKeys } from './keys.js';
import { retireKey, told } from './retire-key.js';

// What `keyway keys` does. What changes the key files needs no database: the embedded one is the server's while it runs.

/**
 * Adds a key of a kind that is not current yet. @returns what a person is told
 * @param mayBePlain whether it may stand in its file as it is, though a provider has wrapped the current one
 */
export const keysAdd = (config: Config, kind: KeyKind, mayBePlain: boolean): Promise<string> =>
  changing(config, async () => {
    const { keysDir } = config;
    const id = await addKey(keysDir, kind, providerOf(config, kind), mayBePlain);
    return [
      `${kind} ${id} was added to ${keysDir}/${kind}.json${byWhom(config, kind)}, and is not current yet.`,
      'Bring this file to every machine that serves this database; running Keyways take it without a restart.',
      `Then, on each of them: keyway keys rotate ${kind}`,
    ].join('\n');
  });

/**
 * Makes the newest key of a kind current, or a fresh one. @returns what a person is told
 * @param stopped whether all Keyways of the database are stopped, as a key of the audit log requires
 * @param plain whether it may stand in its file as it is, though a provider has wrapped the current one
 */
export const keysRotate = async (
  config: Config,
  kind: KeyKind,
  { stopped = false, plain = false }: { stopped?: boolean; plain?: boolean },
): Promise<string> => {
  if (kind === 'audit' && !stopped)
    throw new Error(
      'Events of an earlier audit key are refused once there is one of a later: stop all Keyways of this database first, and say so with --stopped.',
    );
  return changing(config, async () => {
    const { keysDir } = config;
    const { current, before, made } = await advanceKey(keysDir, kind, providerOf(config, kind), plain);
    const how = made ? `, made just now${byWhom(config, kind)}` : '';
    return [
      `${kind} ${current} is the current key of ${keysDir}/${kind}.json${how}. It was ${before}.`,
      next[kind],
      ...(made ? ['Where other machines serve this database, bring the file to each of them at once.'] : []),
    ].join('\n');
  });
};

/**
 * Has the provider of KEYWAY_KEK_PROVIDER wrap all KEKs anew, whoever has wrapped them before. @returns what a person is told
 * @param mayBePlain whether they may stand in the file as they are from then on
 * @throws an Error to show; then nothing was changed.
 */
export const keysRewrap = (config: Config, mayBePlain: boolean): Promise<string> =>
  changing(config, async () => {
    const providers = openKeyProviders(config.keyProviders);
    const ids = await wrapAnew(
      config.keysDir,
      async (id, text) => {
        const provider = providers.of(text);
        if (!provider)
          throw new Error(`kek ${id} is wrapped by a provider that is not set up: see ${settingOf(text)}.`);
        return provider.unwrap(id, text);
      },
      providers.chosen,
      mayBePlain,
    );
    return [
      `kek ${ids.join(', ')} of ${config.keysDir}/kek.json: ${providers.chosen === fileKeys ? 'in the file as they are' : `wrapped by ${providers.chosen.name}`}.`,
      'The keys are the same: nothing has to be sealed again. Where other machines serve this database, bring the file to each of them.',
    ].join('\n');
  });

/**
 * Adds the keys of another folder that are not here, for a database from the time when they were in use. @returns what a
 * person is told
 * @param mayBePlain whether a KEK may stand in the file as it is, though a provider has wrapped the current one
 * @throws an Error to show
 */
export const keysBring = (config: Config, folder: string, mayBePlain: boolean): Promise<string> =>
  changing(config, async () => {
    const { keysDir } = config;
    const added = await bringKeys(keysDir, keysIn(folder), mayBePlain);
    if (added.length === 0) return `All keys of ${folder} are in ${keysDir} already.`;
    return [
      `Added to ${keysDir}, and not current: ${added.map(({ kind, id }) => `${kind} ${id}`).join(', ')}.`,
      'Where other machines serve this database, do the same on each.',
      'What they have sealed or made is brought to the current keys again; then they can be retired again. See: keyway keys list',
    ].join('\n');
  });

/** @throws an Error to show, which says that it is about that folder */
function keysIn(folder: string): KeyFiles {
  try {
    return loadKeyFiles(folder);
  } catch (error) {
    if (!(error instanceof KeyFilesError)) throw error;
    throw new Error(`In ${folder} ${error.message}`, { cause: error });
  }
}

/** The other kinds stand in their files as they are. */
const providerOf = ({ keyProviders }: Config, kind: KeyKind) =>
  kind === 'kek' ? openKeyProviders(keyProviders).chosen : fileKeys;

const byWhom = ({ keyProviders: { chosen } }: Config, kind: KeyKind) =>
  kind === 'kek' && chosen !== 'file' ? `, wrapped by ${chosen}` : '';

const next: Record<KeyKind, string> = {
  kek: 'A running Keyway uses it within ten seconds, and seals by it all that is sealed by older keys. See: keyway keys list',
  verifier:
    'A running Keyway uses it within ten seconds. Tokens and secret keys are renewed at their next use. See: keyway keys list',
  pepper:
    'A running Keyway uses it within ten seconds. Passwords are renewed at their next use. See: keyway keys list',
  audit: 'It is used from the next start on. The older key stays, to check the events of its time.',
};

/** Every key, what names it, and what can be done next. */
export async function keysList(db: Database, { keysDir }: Config): Promise<string> {
  const files = loadKeyFiles(keysDir);
  const known = await knownKeys(db);
  const lines: string[] = [];
  for (const kind of keyKinds) {
    const ids = idsOf(files[kind]);
    const rows = await rowsNaming(db, kind, ids);
    for (const id of ids) {
      const own = rows.filter((one) => one.id === id && one.rows > 0);
      const isRetired = known.some((one) => one.kind === kind && one.id === id && one.retired);
      const state = stateOf(files[kind], id, isRetired);
      const named =
        own.length === 0 ? 'nothing names it' : kind === 'audit' ? 'events of its time are kept' : told(own);
      lines.push(
        `${`${kind} ${id}`.padEnd(14)} ${state.padEnd(9)} ${keeper(files[kind], id)}${named}${hint(kind, id, state, own.length > 0)}`,
      );
    }
  }
  return lines.join('\n');
}

/** The keys as the files have them, where the database cannot be asked. */
export function keysInFiles({ keysDir }: Config): string {
  const files = loadKeyFiles(keysDir);
  return keyKinds
    .flatMap((kind) =>
      idsOf(files[kind]).map((id) =>
        `${`${kind} ${id}`.padEnd(14)} ${stateOf(files[kind], id, false).padEnd(9)} ${keeper(files[kind], id)}`
          .trimEnd()
          .replace(/,$/, ''),
      ),
    )
    .join('\n');
}

/** By whom a key is wrapped, if it is. */
const keeper = ({ wrapped }: KeyFile, id: string) => {
  const text = wrapped?.get(id);
  return text === undefined ? '' : `wrapped by ${wrappedBy(text)}, `;
};

type State = 'current' | 'added' | 'retired' | 'older';

function stateOf(file: KeyFile, id: string, isRetired: boolean): State {
  if (id === file.current) return 'current';
  if (isRetired) return 'retired';
  return id === newestKeyOf(file) ? 'added' : 'older';
}

function hint(kind: KeyKind, id: string, state: State, isNamed: boolean): string {
  if (state === 'added') return `; make it current: keyway keys rotate ${kind}`;
  if (state === 'retired') return `; take it out of this file: keyway keys retire ${kind} ${id}`;
  if (state !== 'older' || kind === 'audit') return '';
  if (!isNamed) return `; it can go: keyway keys retire ${kind} ${id}`;
  return kind === 'kek' ? '; a running Keyway seals them again' : '; each is renewed at its next use';
}

/**
 * Retires a key, also one that is missing from the files. @returns what a person is told
 * @throws as `retireKey` does; an Error to show, where others are missing
 */
export async function keysRetire(
  { db, place, missing = [] }: Pick<Keyway, 'db' | 'place'> & { missing?: readonly string[] },
  config: Config,
  { kind, id, abandon }: { kind: KeyKind; id: string; abandon: boolean },
): Promise<string> {
  const others = missing.filter((one) => one !== `${kind} ${id}` && !one.startsWith(`${kind} ${id} (`));
  if (others.length > 0)
    throw new Error(`The database was written with keys that are not here: ${others.join(', ')}`);
  const { keysDir } = config;
  try {
    const { givenUp, kept } = await retireKey({ db, directory: keysDir, place, kind, id, abandon });
    return [
      ...(givenUp.length > 0 ? [`These cannot be verified any more: ${told(givenUp)}.`] : []),
      ...(kept.length > 0
        ? [`The checkpoints are signed anew. Keep those of before with this key: ${kept.join(', ')}.`]
        : []),
      `${kind} ${id} is retired, and is in ${keysDir}/${kind}.json no more.`,
      'Where other machines serve this database, do the same on each. Keep the key for as long as you keep backups from before.',
    ].join('\n');
  } catch (error) {
    throw fixed(error, config);
  }
}

/** Whether the database could not be opened because another process has it. */
export const isDatabaseTaken = (error: unknown): boolean => error instanceof FolderTaken;

async function changing(config: Config, work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KeyProviderFault)
      throw new Error(`Nothing was changed. ${error.message}.`, { cause: error });
    if (error instanceof PlainKeyRefused)
      throw new Error(
        `Nothing was changed. ${error.message}: set KEYWAY_KEK_PROVIDER as the server has it, or say --plain.`,
        { cause: error },
      );
    throw fixed(error, config);
  }
}

/** What to do where the file is one that only others can change, such as a mounted secret. */
function fixed(error: unknown, { keysDir, keyProviders }: Config): Error {
  if (!(error instanceof KeyFileFixed)) return error as Error;
  if (error.kind === 'kek' && keyProviders.chosen !== 'file')
    return new Error(
      [
        `${error.message}: change a copy of the folder, with KEYWAY_KEYS_DIR, and bring it to where ${keysDir} comes from, in two steps.`,
        'First a key that is not current yet: keyway keys add kek',
        'When every machine has that file: keyway keys rotate kek',
      ].join('\n'),
      { cause: error },
    );
  return new Error(
    [
      `${error.message}: change it where it comes from, and bring it to ${keysDir}.`,
      `A new key is one more member of "keys", with the next free number (also of "retired") and what this prints: openssl rand -base64 32`,
      `It becomes the current key once "current" names it; do that when every machine has the file. A retired key is taken out of "keys", and its id is added to "retired".`,
    ].join('\n'),
    { cause: error },
  );
}
