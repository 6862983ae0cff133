import { createHash } from 'node:crypto';
import { closeSync, openSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Secret } from '../secret.js';
import {
  expectDistinct,
  keyKinds,
  KeyFilesError,
  loadKeyFiles,
  wrappedText,
  type KeyFiles,
  type KeyKind,
} from './kek-file.js';
import {
  idsOf,
  isNameTaken,
  keyById,
  numberOf,
  syncDirectory,
  writeKeyFile,
  type KeyFile,
} from './key-file.js';
import { fileKeys, freshKey, wrapSurely, type KeyProvider } from './key-provider.js';

/** A key file that cannot be changed here, and why: a code of the system. */
export class KeyFileFixed extends Error {
  constructor(
    readonly kind: KeyKind,
    readonly reason: string,
    options: { cause: unknown },
  ) {
    super(`${kind}.json cannot be changed here (${reason})`, options);
    this.name = 'KeyFileFixed';
  }
}

/** A key that would stand in its file as it is, though a provider has wrapped the current one: with which nobody agreed. */
export class PlainKeyRefused extends Error {
  constructor(current: string, id: string) {
    super(`${current} is wrapped by a provider, and ${id} would stand in the file as it is`);
    this.name = 'PlainKeyRefused';
  }
}

/**
 * Adds a fresh key to the file of a kind, which is not current yet. Its id is one that no key of the file has or had.
 * @param provider who is to wrap it
 * @param mayBePlain whether it may stand in the file as it is, though the current one is wrapped
 * @returns its id
 * @throws KeyFilesError where the files are wrong, KeyFileFixed where the file cannot be changed, KeyProviderFault,
 * PlainKeyRefused; then the file is as it was.
 */
export const addKey = (
  directory: string,
  kind: KeyKind,
  provider = fileKeys,
  mayBePlain = false,
): Promise<string> =>
  changed(directory, kind, async (file) => {
    const id = nextId(file);
    if (!mayBePlain && provider === fileKeys) expectNoneWrapped(file, id);
    return { file: await withFreshKey(file, id, provider), result: id };
  });

/**
 * Makes the newest key of a kind current: one that was added before, or else a fresh one.
 * @returns the ids of the key that is current now and of the one that was, and whether it was made just now
 * @throws as `addKey` does
 */
export const advanceKey = (
  directory: string,
  kind: KeyKind,
  provider = fileKeys,
  mayBePlain = false,
): Promise<{ current: string; before: string; made: boolean }> =>
  changed(directory, kind, async (file) => {
    const before = file.current;
    const newest = newestKeyOf(file);
    const made = newest === before;
    const current = made ? nextId(file) : newest;
    const isPlain = made ? provider === fileKeys : !file.wrapped?.has(newest);
    if (!mayBePlain && isPlain) expectNoneWrapped(file, current);
    const next = made ? await withFreshKey(file, current, provider) : file;
    return { file: { ...next, current }, result: { current, before, made } };
  });

/**
 * Has a provider wrap all KEKs anew. They stay what they are, so that nothing is to be done with what they have sealed.
 * @param unwrap the key that a text of a provider's stands for
 * @param mayBePlain whether they may stand in the file as they are, though the current one is wrapped
 * @returns the ids of the keys
 * @throws as `addKey` does; then the file is as it was.
 */
export const wrapAnew = (
  directory: string,
  unwrap: KeyProvider['unwrap'],
  provider: KeyProvider,
  mayBePlain = false,
): Promise<string[]> =>
  changed(directory, 'kek', async (file) => {
    if (!mayBePlain && provider === fileKeys) expectNoneWrapped(file, file.current);
    const keys = new Map(file.keys);
    let wrapped = new Map<string, string>();
    for (const id of idsOf(file)) {
      const text = file.wrapped?.get(id);
      const key = text === undefined ? keyById(file, id) : await unwrap(id, text);
      keys.set(id, key);
      wrapped = new Map([
        ...wrapped,
        ...(wrappedText(id, await wrapSurely(id, key, provider)).wrapped ?? []),
      ]);
    }
    return { file: { ...file, keys, wrapped }, result: idsOf(file) };
  });

/**
 * Takes a key out of its file, which notes that its id was used. One that is not there is no fault.
 * @throws an Error to show for the current key; as `addKey` does
 */
export const takeKeyOut = (directory: string, kind: KeyKind, id: string): Promise<void> =>
  changed(directory, kind, async (file) => {
    if (id === file.current) throw new Error(`${kind}.json: ${id} is the current key.`);
    const others = <Value>(all: ReadonlyMap<string, Value>) =>
      new Map([...all].filter(([other]) => other !== id));
    const retired = [...new Set([...(file.retired ?? []), id])].sort(
      (one, other) => numberOf(one) - numberOf(other),
    );
    const kept = { keys: others(file.keys), wrapped: others(file.wrapped ?? new Map<string, string>()) };
    return { file: { ...file, ...kept, retired }, result: undefined };
  });

/**
 * Adds those of other keys that are not in the files, such as those of a backup from before they were retired. None of them
 * becomes current, and where a key is here already by its id nothing is taken.
 * @param mayBePlain whether one may stand in the file as it is, though the current one is wrapped
 * @returns what was added
 * @throws KeyFilesError also where another key goes by the same id; as `addKey` does
 */
export async function bringKeys(
  directory: string,
  there: KeyFiles,
  mayBePlain = false,
): Promise<{ kind: KeyKind; id: string }[]> {
  const here = loadKeyFiles(directory);
  const faults = keyKinds.flatMap((kind) =>
    unlikeKeys(here[kind], there[kind]).map((id) => `${kind}.json: another key goes by the id ${id}`),
  );
  if (faults.length > 0) throw new KeyFilesError(faults);
  const absent = (kind: KeyKind, file: KeyFile) =>
    idsOf(there[kind]).filter((id) => !idsOf(file).includes(id));
  const together = (kind: KeyKind, file: KeyFile): KeyFile => {
    const ids = absent(kind, file);
    return {
      ...file,
      keys: new Map([...file.keys, ...[...there[kind].keys].filter(([id]) => ids.includes(id))]),
      wrapped: new Map([
        ...(file.wrapped ?? []),
        ...[...(there[kind].wrapped ?? [])].filter(([id]) => ids.includes(id)),
      ]),
      retired: (file.retired ?? []).filter((id) => !ids.includes(id)),
    };
  };
  expectDistinct({
    kek: together('kek', here.kek),
    verifier: together('verifier', here.verifier),
    pepper: together('pepper', here.pepper),
    audit: together('audit', here.audit),
  });
  const added: { kind: KeyKind; id: string }[] = [];
  for (const kind of keyKinds) {
    if (absent(kind, here[kind]).length === 0) continue;
    const ids = await changed(directory, kind, async (file) => {
      for (const id of absent(kind, file))
        if (!mayBePlain && !there[kind].wrapped?.has(id)) expectNoneWrapped(file, id);
      return { file: together(kind, file), result: absent(kind, file) };
    });
    added.push(...ids.map((id) => ({ kind, id })));
  }
  return added;
}

/** @throws PlainKeyRefused where the current key is wrapped */
function expectNoneWrapped({ current, wrapped }: KeyFile, id: string): void {
  if (wrapped?.has(current)) throw new PlainKeyRefused(current, id);
}

async function withFreshKey(file: KeyFile, id: string, provider: KeyProvider): Promise<KeyFile> {
  const { key, text } = await freshKey(id, provider);
  const { wrapped = new Map<string, string>() } = wrappedText(id, text);
  return {
    ...file,
    keys: new Map([...file.keys, [id, key]]),
    wrapped: new Map([...(file.wrapped ?? []), ...wrapped]),
  };
}

/** What tells whether key files were changed: nothing of what they hold. Undefined where one of them is not there. */
export function keyFilesState(directory: string): string | undefined {
  try {
    return keyKinds
      .map((kind) => statSync(join(directory, `${kind}.json`)))
      .map(({ mtimeMs, ctimeMs, size, ino }) => [mtimeMs, ctimeMs, size, ino].join())
      .join(';');
  } catch {
    return undefined;
  }
}

/** Of which ids two files have different keys. */
export const unlikeKeys = (one: KeyFile, other: KeyFile): string[] =>
  [...one.keys].flatMap(([id, key]) => {
    const same = other.keys.get(id);
    return same && digest(key) !== digest(same) ? [id] : [];
  });

/** The newest key of a file: the one with the highest number. */
export const newestKeyOf = (file: KeyFile): string =>
  idsOf(file).reduce((one, other) => (numberOf(other) > numberOf(one) ? other : one), file.current);

const digest = (key: Secret) => createHash('sha256').update(key.exposeBytes()).digest('hex');

const nextId = (file: KeyFile): string =>
  `k${Math.max(0, ...[...idsOf(file), ...(file.retired ?? [])].map(numberOf)) + 1}`;

/**
 * Puts another file in the place of one, whole or not at all. Of several that change it at once one does, and the others
 * are refused: the key of one of them would be lost.
 */
async function changed<Result>(
  directory: string,
  kind: KeyKind,
  change: (file: KeyFile) => Promise<{ file: KeyFile; result: Result }>,
): Promise<Result> {
  loadKeyFiles(directory);
  try {
    // What is linked to is what is changed.
    const path = realpathSync(join(directory, `${kind}.json`));
    return await alone(`${path}.changing`, async () => {
      const draft = `${path}.new`;
      rmSync(draft, { force: true });
      const { file, result } = await change(loadKeyFiles(directory)[kind]);
      try {
        writeKeyFile(draft, file, statSync(path));
        renameSync(draft, path);
      } catch (error) {
        rmSync(draft, { force: true });
        throw error;
      }
      syncDirectory(dirname(path));
      return result;
    });
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    throw new KeyFileFixed(kind, code, { cause: error });
  }
}

async function alone<Result>(lock: string, work: () => Promise<Result>): Promise<Result> {
  try {
    closeSync(openSync(lock, 'wx', 0o600));
  } catch (error) {
    if (!isNameTaken(error)) throw error;
    throw new Error(
      `Another command is changing this file. If none is, one was ended at it: delete ${lock}`,
      {
        cause: error,
      },
    );
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}
