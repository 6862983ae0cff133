import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A shorter part of a secret is too little to search for: others have it by chance. */
const shortest = 12;

/**
 * Looks for secrets in bytes of any kind: as they are, in hexadecimal digits, in base64 of either alphabet wherever it
 * begins, and percent-encoded; each whole, and each of its halves.
 */
export class Traces {
  readonly #byStart = new Map<number, { bytes: Buffer; name: string }[]>();
  /** Whether something begins with bytes of this hash: nearly all do not. */
  readonly #starts = new Uint8Array(1 << 20);

  constructor(secrets: ReadonlyMap<string, string>) {
    for (const [name, secret] of secrets)
      for (const part of partsOf(secret))
        for (const form of formsOf(part)) this.#add(Buffer.from(form, 'latin1'), name);
  }

  /** The names of the secrets that these bytes hold something of. */
  in(bytes: Buffer): string[] {
    const found = new Set<string>();
    const starts = this.#starts;
    let start = 0;
    // It goes on by a byte each time: there are hundreds of millions of them.
    for (let end = 0; end < bytes.length; end++) {
      start = ((start << 8) | (bytes[end] ?? 0)) >>> 0;
      if (starts[hashOf(start)] !== 1) continue;
      for (const one of this.#byStart.get(start) ?? [])
        if (bytes.subarray(end - 3, end - 3 + one.bytes.length).equals(one.bytes)) found.add(one.name);
    }
    return [...found].sort();
  }

  /** The same of all files below a folder, but for those that are left out, each by its name. */
  inFolder(folder: string, leftOut: readonly string[] = []): string[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(
        (entry) =>
          entry.isFile() &&
          !leftOut.some((name) => join(entry.parentPath, entry.name).startsWith(join(folder, name))),
      )
      .flatMap((entry) =>
        this.in(readFileSync(join(entry.parentPath, entry.name))).map((name) => `${name} in ${entry.name}`),
      );
  }

  #add(bytes: Buffer, name: string): void {
    const start = bytes.readUInt32BE(0);
    this.#starts[hashOf(start)] = 1;
    this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), { bytes, name }]);
  }
}

/** A global is slow to reach in the world of a test. */
const { imul } = Math;
const hashOf = (start: number): number => imul(start, 0x9e37_79b1) >>> 12;

function partsOf(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  const half = Math.floor(bytes.length / 2);
  return [bytes, ...(half < shortest ? [] : [bytes.subarray(0, half), bytes.subarray(half)])];
}

function formsOf(part: Buffer): Set<string> {
  const hex = part.toString('hex');
  // What stands before it shifts the digits: the first and the last of them hang on what is beside it.
  const base64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), part])
      .toString('base64')
      .replace(/=+$/, '');
    return text.slice(Math.ceil((before * 4) / 3), (part.length + before) % 3 === 0 ? undefined : -1);
  });
  return new Set([
    part.toString('latin1'),
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    encodeURIComponent(part.toString()),
  ]);
}
