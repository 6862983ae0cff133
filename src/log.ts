import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

const longest = 1024;
// Written out, because control characters in a pattern are easily lost: C0, DEL, C1, line and paragraph separators.
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/**
 * The log: one JSON line an event, pretty on a terminal. Every text in it is cut to 1 KiB and freed of control
 * characters, so that nothing that a caller sends can forge a second line. Secrets print as placeholders.
 */
export function openLog(level: string, destination?: { write(line: string): void }): Log {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => clean(fields, 0) as Record<string, unknown>,
    },
    hooks: {
      logMethod(this: Logger, inputs: unknown[], method: (...values: unknown[]) => void) {
        method.apply(
          this,
          inputs.map((input) => (typeof input === 'string' ? cleanText(input) : input)),
        );
      },
    },
  };
  if (destination) return pino(options, destination);
  if (process.stdout.isTTY)
    return pino(options, pretty({ colorize: true, translateTime: 'HH:MM:ss', sync: true }));
  return pino(options, pino.destination({ sync: false }));
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
