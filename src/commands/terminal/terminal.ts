import type { CallerSettings } from '../../config/caller.js';
import { readCaller } from '../../config/config.js';

/** One of the two ways out of a command. */
export interface Outlet {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** How wide the terminal is; undefined where it is none. */
  readonly columns: number | undefined;
}

/** What a command reads: where it is a terminal, keys can be taken without being shown. */
export interface Keyboard extends AsyncIterable<Buffer | string> {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  on(event: 'data', hear: (data: Buffer | string) => void): unknown;
  off(event: 'data', hear: (data: Buffer | string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** What a command has around it. */
export interface Terminal {
  readonly out: Outlet;
  /** For all that is not the answer: errors, questions, progress. */
  readonly err: Outlet;
  readonly input: Keyboard;
  readonly caller: CallerSettings;
}

/** That of this process. */
export function ownTerminal(): Terminal {
  const way = (stream: NodeJS.WriteStream): Outlet => ({
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY,
    columns: stream.isTTY ? stream.columns : undefined,
  });
  return {
    get out() {
      return way(process.stdout);
    },
    get err() {
      return way(process.stderr);
    },
    get input() {
      return process.stdin;
    },
    caller: readCaller(),
  };
}

const sequences = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' } as const;

/** A text in a colour, where it goes to a terminal that is to have any. */
export const coloured = (
  terminal: Terminal,
  way: 'out' | 'err',
  colour: keyof typeof sequences,
  text: string,
): string =>
  terminal[way].isTerminal && !terminal.caller.isPlain
    ? `\u001b[${sequences[colour]}m${text}\u001b[0m`
    : text;
