import { NoFile } from '../append-lines.js';

/** Why events were not taken, in words that the log may show. */
export class SinkFault extends Error {}

/** What the log says of an error: no text of others, which may hold an address or a token. */
export function whyNotTaken(error: unknown): string {
  if (error instanceof SinkFault || error instanceof NoFile) return error.message;
  const { code, cause, name } = error as { code?: unknown; cause?: { code?: unknown }; name?: unknown };
  return String(code ?? cause?.code ?? name);
}
