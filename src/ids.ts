import { randomFillSync } from 'node:crypto';
import { badInput } from './errors.js';
import { prefixes, type NodeType } from './node-types.js';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const digits = 22;
const values = new Map([...alphabet].map((character, value) => [character, BigInt(value)]));
const types = new Map(Object.entries(prefixes).map(([type, prefix]) => [prefix as string, type as NodeType]));
const random = Buffer.alloc(10);

/** A fresh UUID of version 7 (RFC 9562): ordered by time, so that indexes grow at one end. */
export function newId(): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  randomFillSync(random).copy(bytes, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The public id of a row: type prefix and 22 base62 characters, `cred_1mO5qKOUcacMaFXJsmJzQh`. */
export function encodeId(type: NodeType, uuid: string): string {
  let rest = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let text = '';
  for (let index = 0; index < digits; index++) {
    text = alphabet.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return `${prefixes[type]}_${text}`;
}

/** The type and the UUID behind a public id; undefined for what is no id of ours. */
export function parseId(id: string): { type: NodeType; uuid: string } | undefined {
  const match = /^([a-z]{4})_([0-9A-Za-z]{22})$/.exec(id);
  const type = types.get(match?.[1] ?? '');
  if (!match?.[2] || !type) return undefined;
  let number = 0n;
  for (const character of match[2]) number = number * 62n + (values.get(character) ?? 0n);
  if (number >= 1n << 128n) return undefined;
  const hex = number.toString(16).padStart(32, '0');
  return {
    type,
    uuid: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
  };
}

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
