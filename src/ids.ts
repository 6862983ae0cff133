import { randomFillSync } from 'node:crypto';

/** The prefix of each type's public ids. */
export const prefixes = {
  Credential: 'cred',
  Account: 'acct',
  Project: 'proj',
  Role: 'role',
  Grant: 'gran',
  CredentialStore: 'stor',
  Rotation: 'rota',
  AuditEvent: 'audt',
} as const;

/** What has a public id, and can be found by it. */
export type NodeType = keyof typeof prefixes;

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const values = new Map([...alphabet].map((character, value) => [character.charCodeAt(0), value]));
const types = new Map(Object.entries(prefixes).map(([type, prefix]) => [prefix as string, type as NodeType]));

/** Random bytes, drawn for many at once: a draw costs more than all the rest of an id. */
class RandomBytes {
  readonly #drawn = Buffer.alloc(4_000);
  #used = this.#drawn.length;

  fill(target: Buffer, from: number): void {
    const count = target.length - from;
    if (this.#used + count > this.#drawn.length) {
      randomFillSync(this.#drawn);
      this.#used = 0;
    }
    this.#drawn.copy(target, from, this.#used, (this.#used += count));
  }
}

const random = new RandomBytes();

/** A fresh UUID of version 7 (RFC 9562): ordered by time, so that indexes grow at one end. */
export function newId(): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  random.fill(bytes, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return hyphenated(bytes.toString('hex'));
}

// A page has some 250 ids, and BigInt takes half as long again and leaves more to collect: here every value stays below
// 2^48, which a number holds exactly.
const limbBits = 24;
const fourDigits = 62 ** 4;
const pairs = Array.from({ length: 62 * 62 }, (_, value) =>
  alphabet.charAt(Math.floor(value / 62)).concat(alphabet.charAt(value % 62)),
);

/** The public id of a row: type prefix and 22 base62 characters, `cred_1mO5qKOUcacMaFXJsmJzQh`. */
export function encodeId(type: NodeType, uuid: string): string {
  const written = recurring[type];
  if (!written) return writeId(type, uuid);
  const known = written.get(uuid);
  if (known !== undefined) return known;
  if (written.size === mostWritten) written.clear();
  const id = writeId(type, uuid);
  written.set(uuid, id);
  return id;
}

/** What many rows name is written once, and then looked up in a tenth of the time. */
const recurring: { readonly [Type in NodeType]?: Map<string, string> } = {
  Account: new Map(),
  Project: new Map(),
  Role: new Map(),
  CredentialStore: new Map(),
};
const mostWritten = 5_000;

function writeId(type: NodeType, uuid: string): string {
  const limbs = limbsOf(uuid);
  let text = '';
  // Each division by 62^4 leaves four digits, and a quotient that is shorter by a limb.
  for (let first = 0; first < limbs.length; first++) {
    let rest = 0;
    for (let at = first; at < limbs.length; at++) {
      const value = rest * 2 ** limbBits + (limbs[at] ?? 0);
      const quotient = Math.floor(value / fourDigits);
      limbs[at] = quotient;
      rest = value - quotient * fourDigits;
    }
    text = four(rest) + text;
  }
  return `${prefixes[type]}_${text.slice(2)}`;
}

const four = (number: number) =>
  `${pairs[Math.floor(number / (62 * 62))] ?? ''}${pairs[number % (62 * 62)] ?? ''}`;

/** The 128 bits of a UUID, highest first: 8 and five times 24. */
function limbsOf(uuid: string): number[] {
  const limbs = [0, 0, 0, 0, 0, 0];
  // The first limb has room for four digits more than there are.
  let digits = 4;
  for (let at = 0; at < uuid.length; at++) {
    const code = uuid.charCodeAt(at);
    if (code === hyphen) continue;
    const limb = Math.floor(digits++ / (limbBits / 4));
    limbs[limb] = (limbs[limb] ?? 0) * 16 + hexDigit(code);
  }
  return limbs;
}

const hyphen = 0x2d;
/** By the code of 0 to 9, a to f and A to F: letters have the bit 6, and 1 to 6 in the lowest ones. */
const hexDigit = (code: number) => (code & 0xf) + (code >> 6) * 9;

const manyDigits = BigInt(62 ** 8);

/** The type and the UUID behind a public id; undefined for what is no id of ours. */
export function parseId(id: string): { type: NodeType; uuid: string } | undefined {
  const match = /^([a-z]{4})_([0-9A-Za-z]{6})([0-9A-Za-z]{8})([0-9A-Za-z]{8})$/.exec(id);
  const type = types.get(match?.[1] ?? '');
  if (!match || !type) return undefined;
  const [highest = 0n, upper = 0n, lower = 0n] = match.slice(2).map((digits) => BigInt(numberOf(digits)));
  const number = (highest * manyDigits + upper) * manyDigits + lower;
  if (number >= 1n << 128n) return undefined;
  return { type, uuid: hyphenated(number.toString(16).padStart(32, '0')) };
}

function numberOf(digits: string): number {
  let number = 0;
  for (let at = 0; at < digits.length; at++) number = number * 62 + (values.get(digits.charCodeAt(at)) ?? 0);
  return number;
}

const hyphenated = (hex: string) =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
