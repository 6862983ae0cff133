import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Secret } from '../secret.js';
import { keyKinds, loadKeyFiles, type KeyKind } from './kek-file.js';
import { isNameTaken, numberOf, syncDirectory, writeKeyFile, type KeyFile } from './key-file.js';

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

/**
 * Adds a fresh key to the file of a kind, which is not current yet. Its id is one that no key of the file has or had.
 * @returns its id
 * @throws KeyFilesError where the files are wrong, KeyFileFixed where the file cannot be changed.
 */
export const addKey = (directory: string, kind: KeyKind): string =>
  changed(directory, kind, (file) => {
    const id = nextId(file);
    return { file: { ...file, keys: new Map([...file.keys, [id, Secret.of(randomBytes(32))]]) }, result: id };
  });

/**
 * Makes the newest key of a kind current: one that was added before, or else a fresh one.
 * @returns the ids of the key that is current now and of the one that was, and whether it was made just now
 * @throws as `addKey` does
 */
export const advanceKey = (
  directory: string,
  kind: KeyKind,
): { current: string; before: string; made: boolean } =>
  changed(directory, kind, (file) => {
    const before = file.current;
    const newest = newestKeyOf(file);
    const made = newest === before;
    const current = made ? nextId(file) : newest;
    const keys = made ? new Map([...file.keys, [current, Secret.of(randomBytes(32))]]) : file.keys;
    return { file: { ...file, current, keys }, result: { current, before, made } };
  });

/**
 * Takes a key out of its file, which notes that its id was used. One that is not there is no fault.
 * @throws an Error to show for the current key; as `addKey` does
 */
export const takeKeyOut = (directory: string, kind: KeyKind, id: string): void =>
  changed(directory, kind, (file) => {
    if (id === file.current) throw new Error(`${kind}.json: ${id} is the current key.`);
    const keys = new Map([...file.keys].filter(([other]) => other !== id));
    const retired = [...new Set([...(file.retired ?? []), id])].sort(
      (one, other) => numberOf(one) - numberOf(other),
    );
    return { file: { ...file, keys, retired }, result: undefined };
  });

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
  [...file.keys.keys()].reduce((one, other) => (numberOf(other) > numberOf(one) ? other : one), file.current);

const digest = (key: Secret) => createHash('sha256').update(key.exposeBytes()).digest('hex');

const nextId = ({ keys, retired = [] }: KeyFile): string =>
  `k${Math.max(0, ...[...keys.keys(), ...retired].map(numberOf)) + 1}`;

/**
 * Puts another file in the place of one, whole or not at all. Of several that change it at once one does, and the others
 * are refused: the key of one of them would be lost.
 */
function changed<Result>(
  directory: string,
  kind: KeyKind,
  change: (file: KeyFile) => { file: KeyFile; result: Result },
): Result {
  loadKeyFiles(directory);
  try {
    // What is linked to is what is changed.
    const path = realpathSync(join(directory, `${kind}.json`));
    return alone(`${path}.changing`, () => {
      const draft = `${path}.new`;
      rmSync(draft, { force: true });
      const { file, result } = change(loadKeyFiles(directory)[kind]);
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

function alone<Result>(lock: string, work: () => Result): Result {
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
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}
