import { accessSync, constants, mkdirSync } from 'node:fs';

/**
 * Makes a folder, for its owner alone, where it is not there yet.
 * @param setting what it is named by
 * @throws as `inFolder` does, also where it is there and cannot be written to.
 */
export function makeFolder(setting: string, path: string): void {
  inFolder(setting, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  });
}

/**
 * Does something with the files of a folder.
 * @throws an Error to show, which names the setting, where the system does not let Keyway; what else `work` throws.
 */
export function inFolder<Result>(setting: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    throw new Error(
      `Keyway cannot start:\n  ${setting} must name a folder that Keyway may read and write (${code})`,
      { cause: error },
    );
  }
}
