import { inspect } from 'node:util';

/**
 * A plain secret in memory. It prints as a placeholder wherever it is logged, serialized or shown;
 * only `expose()` reads it, so a search for `expose()` lists every place that does.
 */
export class Secret {
  static readonly placeholder = '[secret]';
  readonly #bytes: Buffer;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Wraps a text (as UTF-8) or takes over a buffer, which the caller must not use again. */
  static of(plain: string | Buffer): Secret {
    return new Secret(typeof plain === 'string' ? Buffer.from(plain, 'utf8') : plain);
  }

  /** The secret as text. */
  expose(): string {
    return this.#bytes.toString('utf8');
  }

  /** The secret's own bytes, not a copy: gone after `wipe()`. */
  exposeBytes(): Buffer {
    return this.#bytes;
  }

  /** Overwrites the bytes with zeros; the secret is of no use afterwards. */
  wipe(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return Secret.placeholder;
  }

  toJSON(): string {
    return Secret.placeholder;
  }

  [inspect.custom](): string {
    return Secret.placeholder;
  }
}

/**
 * The text whose UTF-8 these bytes are, a byte order mark included; undefined where they are no UTF-8. A lenient reader
 * puts U+FFFD in the place of each such byte, and so makes one password of many.
 */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
