import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Secret } from '../../secret.js';
import { CommandFailure, exitCodes } from '../failure.js';

/** A Keyway and a token for it, under a name of the person's. */
export interface Profile {
  readonly url: string;
  readonly token: Secret;
}

/** All that there are, and which is used where none is named. */
export interface Profiles {
  readonly current: string | undefined;
  readonly named: Readonly<Record<string, Profile>>;
}

/** The file of the profiles. */
export const profilesFile = (folder: string): string => join(folder, 'profiles.json');

/**
 * Reads them; none, where there is no file.
 * @throws CommandFailure where others may read the file, or it is not what was written
 */
export function readProfiles(folder: string): Profiles {
  const path = profilesFile(folder);
  const text = readOwn(path);
  if (text === undefined) return { current: undefined, named: {} };
  const read = parsedProfiles(text);
  if (!read) throw refused(`${path} is not a file of profiles.`, 'Remove it, and run "keyway login".');
  return read;
}

/** Writes them whole, so that another command finds what was there before or what is there then; for this user alone. */
export function writeProfiles(folder: string, { current, named }: Profiles): void {
  const path = profilesFile(folder);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const profiles = Object.fromEntries(
    Object.entries(named).map(([name, { url, token }]) => [name, { url, token: token.expose() }]),
  );
  const made = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(made, `${JSON.stringify({ current, profiles }, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(made, path);
  } finally {
    rmSync(made, { force: true });
  }
}

/** The text of a file that nobody else may read; looked at by the same handle that it is read by. */
function readOwn(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw refused(`${path} cannot be read.`, 'See who owns it.');
  }
  try {
    const { mode, uid } = fstatSync(file);
    const own = process.getuid?.();
    if ((mode & 0o077) !== 0 && process.platform !== 'win32')
      throw refused(
        `${path} can be read by others.`,
        `Run "chmod 600 ${path}", and make a new token if they may have.`,
      );
    if (own !== undefined && uid !== own)
      throw refused(`${path} is another user's.`, 'Remove it, or be that user.');
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function parsedProfiles(text: string): Profiles | undefined {
  try {
    const { current, profiles } = JSON.parse(text) as { current?: unknown; profiles?: unknown };
    const named = Object.entries(profiles as Record<string, { url?: unknown; token?: unknown }>).map(
      ([name, { url, token }]): [string, Profile] => {
        if (typeof url !== 'string' || typeof token !== 'string') throw new Error('no profile');
        return [name, { url, token: Secret.of(token) }];
      },
    );
    return { current: typeof current === 'string' ? current : undefined, named: Object.fromEntries(named) };
  } catch {
    return undefined;
  }
}

const refused = (message: string, advice: string) =>
  new CommandFailure('PROFILES', message, { advice, exitCode: exitCodes.unauthenticated });
