import { randomFillSync } from 'node:crypto';
import { badInput } from './errors.js';
import { prefixes, type NodeType } from './node-types.js';

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

// Eight digits are as many as a number holds exactly, and BigInt takes far longer: a page has some 250 ids.
const eightDigits = 62 ** 8;
const manyDigits = BigInt(eightDigits);
const pairs = Array.from({ length: 62 * 62 }, (_, value) =>
  alphabet.charAt(Math.floor(value / 62)).concat(alphabet.charAt(value % 62)),
);

/** The public id of a row: type prefix and 22 base62 characters, `cred_1mO5qKOUcacMaFXJsmJzQh`. */
export function encodeId(type: NodeType, uuid: string): string {
  const number = BigInt(`0x${uuid.replaceAll('-', '')}`);
  const upper = number / manyDigits;
  const highest = upper / manyDigits;
  const text =
    eight(Number(highest)) + eight(Number(upper % manyDigits)) + eight(Number(number % manyDigits));
  return `${prefixes[type]}_${text.slice(2)}`;
}

/** Its last eight digits. */
function eight(number: number): string {
  const upper = Math.floor(number / 62 ** 4);
  const lower = number % 62 ** 4;
  return four(upper) + four(lower);
}

const four = (number: number) =>
  `${pairs[Math.floor(number / (62 * 62))] ?? ''}${pairs[number % (62 * 62)] ?? ''}`;

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

/**
 * The UUID behind a public id of the wanted type.
 * @throws BAD_USER_INPUT, naming `path`, for another type's id and for what is no id.
 */
export function decodeId(type: NodeType, id: string, path: string): string {
  const parsed = parseId(id);
  if (parsed?.type !== type) throw badInput(path, `must be the id of ${an(type)}`);
  return parsed.uuid;
}

const an = (type: NodeType) => (/^[AEIOU]/.test(type) ? `an ${type}` : `a ${type}`);
