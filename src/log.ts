import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

/** Where lines go; where it can be flushed, it keeps them until it is, or until there are many. */
interface Destination {
  write(line: string): void;
  flush?(): void;
}

const longest = 1024;
/** A system call costs more than a line: so many bytes are written together, and what has waited so long. */
const bytesTogether = 8_192;
const mostWaitMs = 100;
/** The number that pino gives the level `warn`. */
const warning = 40;
// Written out, because control characters in a pattern are easily lost: C0, DEL, C1, line and paragraph separators.
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/**
 * The log: one JSON line an event, pretty on a terminal. Every text in it is cut to 1 KiB and freed of control
 * characters, so that nothing that a caller sends can forge a second line. Secrets print as placeholders. Lines are written
 * several at once, a tenth of a second later at most; warnings and errors at once, and the last ones when Keyway ends.
 * @param base what every line says
 */
export function openLog(
  level: string,
  destination: Destination = standardOutput({ shared: false }),
  base: Readonly<Record<string, unknown>> = {},
): Log {
  const flush = flushing(destination);
  const options = {
    level,
    base: { ...base },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => clean(fields, 0) as Record<string, unknown>,
    },
    hooks: {
      logMethod(
        this: Logger,
        inputs: unknown[],
        method: (...values: unknown[]) => void,
        levelOfLine: number,
      ) {
        method.apply(
          this,
          inputs.map((input) => (typeof input === 'string' ? cleanText(input) : input)),
        );
        flush(levelOfLine >= warning);
      },
    },
  };
  return pino(options, destination);
}

/**
 * The standard output, for the log. Where other processes write to it too, no more is written at once than a pipe takes
 * without mixing it with theirs (PIPE_BUF, https://man7.org/linux/man-pages/man7/pipe.7.html).
 */
export const standardOutput = ({ shared }: { shared: boolean }): Destination =>
  process.stdout.isTTY
    ? pretty(forPeople)
    : pino.destination({
        sync: false,
        ...(shared ? { minLength: mostUnmixed / 2, maxWrite: mostUnmixed } : { minLength: bytesTogether }),
      });

/** The standard error, for the log of a command whose output is what it was asked for, such as a token. */
export const standardError = (): Destination =>
  process.stderr.isTTY
    ? pretty({ ...forPeople, destination: process.stderr.fd })
    : pino.destination({ dest: process.stderr.fd, sync: true });

const forPeople = { colorize: true, translateTime: 'HH:MM:ss', sync: true };
const mostUnmixed = 4_096;

/** Has what was written flushed: at once, or soon and with what comes meanwhile. */
function flushing(destination: Destination): (atOnce: boolean) => void {
  let timer: NodeJS.Timeout | undefined;
  let written = false;
  const flush = () => {
    destination.flush?.();
    // What was still being written then took nothing along: so once more after the last line.
    timer = written ? setTimeout(flush, mostWaitMs).unref() : undefined;
    written = false;
  };
  return (atOnce) => {
    if (atOnce) destination.flush?.();
    written = true;
    // Pino flushes at the end: nothing has to wait for this.
    timer ??= setTimeout(flush, mostWaitMs).unref();
  };
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > 4) return '[deep]';
  if (value instanceof Error) return causes(value);
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => clean(item, depth + 1));
  if ('toJSON' in value && value.toJSON instanceof Function)
    return clean((value as { toJSON(): unknown }).toJSON(), depth + 1);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [cleanText(key), clean(item, depth + 1)]),
  );
}

/** An error by name, code and place alone: messages of libraries and databases may hold values. */
function causes(error: Error, depth = 0): Record<string, unknown> {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  const told: Record<string, unknown> = { name: cleanText(error.name) };
  if (typeof code === 'string') told.code = cleanText(code);
  if (typeof constraint === 'string') told.constraint = cleanText(constraint);
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  if (frames.length > 0) told.at = frames.slice(0, 8).map((line) => cleanText(line.trim()));
  if (error.cause instanceof Error && depth < 4) told.cause = causes(error.cause, depth + 1);
  else if (typeof error.cause === 'string') told.cause = cleanText(error.cause);
  return told;
}

function cleanText(text: string): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(controls, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
