import { Readable } from 'node:stream';
import { run } from '../../src/cli/cli.js';
import type { Keyboard, Terminal } from '../../src/commands/terminal/terminal.js';
import { Secret } from '../../src/secret.js';

export interface Told {
  code: number;
  out: string;
  err: string;
}

export interface Around {
  url?: string | undefined;
  token?: string | undefined;
  profile?: string;
  /** The folder of the profiles; one that is not there, where left out. */
  folder?: string;
  stdin?: string;
  /** What a person types: the command sees a terminal of so many columns. */
  typed?: string;
  columns?: number;
  isPlain?: boolean;
}

/** Runs a command in this process, with a terminal that is none or is played. */
export async function keyway(args: readonly string[], around: Around = {}): Promise<Told> {
  let [out, err] = ['', ''];
  const isTerminal = around.typed !== undefined || around.columns !== undefined;
  const way = (take: (text: string) => void) => ({
    write: (text: string) => {
      take(text);
    },
    isTerminal,
    columns: isTerminal ? (around.columns ?? 80) : undefined,
  });
  const { url, token, profile } = around;
  const terminal: Terminal = {
    out: way((text) => (out += text)),
    err: way((text) => (err += text)),
    input: around.typed === undefined ? Readable.from([around.stdin ?? '']) : typing(around.typed),
    caller: {
      url,
      token: token === undefined ? undefined : Secret.of(token),
      profile,
      folder: around.folder ?? '/nonexistent/keyway',
      isPlain: around.isPlain ?? false,
    },
  };
  const code = await run(args, '0.0.0', terminal);
  return { code, out, err };
}

/** A terminal at which this is typed, a line whenever one is wanted; what it would show by itself is not taken. */
function typing(text: string): Keyboard {
  const lines = text.split('\n');
  let isRaw = false;
  return {
    isTTY: true,
    setRawMode: (raw: boolean) => (isRaw = raw),
    on: (_, hear) =>
      setImmediate(() => {
        if (!isRaw) throw new Error('what is typed would be shown');
        for (const key of `${lines.shift() ?? ''}\r`) hear(key);
      }),
    off: () => undefined,
    resume: () => undefined,
    pause: () => undefined,
    async *[Symbol.asyncIterator]() {},
  };
}
