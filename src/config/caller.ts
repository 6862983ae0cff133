import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Secret } from '../secret.js';

/** What the environment says to the commands that call a Keyway, which may be elsewhere. */
export interface CallerSettings {
  /** The address of the Keyway to call. */
  readonly url: string | undefined;
  readonly token: Secret | undefined;
  /** Which of the profiles is used, where the command names none. */
  readonly profile: string | undefined;
  /** The folder of the profiles. */
  readonly folder: string;
  /** Whether no colours are wanted, whatever the terminal can do (https://no-color.org). */
  readonly isPlain: boolean;
}

/** The variable with the token, which what a command runs has no use for. */
export const tokenOfCaller = 'KEYWAY_TOKEN';

const names: readonly string[] = ['KEYWAY_URL', tokenOfCaller, 'KEYWAY_PROFILE'];

/** Whether a variable is one of these: a server that is started in the same shell passes over them. */
export const isOfCaller = (name: string): boolean => names.includes(name);

/** Reads them; a variable that is empty is as one that is not set. */
export function callerSettings(environment: Readonly<Record<string, string | undefined>>): CallerSettings {
  const text = (name: string) => environment[name]?.trim() || undefined;
  const token = text(tokenOfCaller);
  const folder = text('XDG_CONFIG_HOME');
  return {
    url: text('KEYWAY_URL'),
    token: token === undefined ? undefined : Secret.of(token),
    profile: text('KEYWAY_PROFILE'),
    // One that is not absolute is to be passed over: https://specifications.freedesktop.org/basedir-spec
    folder: join(
      folder !== undefined && isAbsolute(folder) ? folder : join(text('HOME') ?? homedir(), '.config'),
      'keyway',
    ),
    isPlain: text('NO_COLOR') !== undefined || text('TERM') === 'dumb',
  };
}
