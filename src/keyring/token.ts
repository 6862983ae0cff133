import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { badInput, KeywayError } from '../errors.js';
import { Secret } from '../secret.js';

/** Personal access token, access key, service token: by the kind of the account that it acts as. */
export const tokenKinds = { PERSON: 'pat', ORGANIZATION: 'key', SERVICE: 'svc' } as const;

export type TokenKind = (typeof tokenKinds)[keyof typeof tokenKinds];

export type SecretEncoding = 'BASE62' | 'HEX' | 'BASE64';

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
// Without 0 O o, 1 I l: it is read aloud and typed.
const legible = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz';
const checkLength = 6;
const longestToken = 31 + 'kw_pat_'.length + 16 + 1 + 43 + checkLength;
const generatedKey = /^(?:[A-Za-z][A-Za-z0-9_-]{0,30})?(?:(?=[A-Z]*[2-7])[A-Z2-7]{20}|[0-9a-f]{32})$/;
const pattern =
  /^([A-Za-z][A-Za-z0-9_-]{0,30})?kw_(pat|key|svc)_([0-9A-Za-z]{16})_([0-9A-Za-z]{43})[0-9A-Za-z]{6}$/;

/**
 * A fresh token of 256 bit, `kw_<kind>_<id>_<secret><check>`. Its id is public and what it is looked up by; a given
 * id stays, as a rotation needs it. All of its text is verified, under the id: it has one spelling.
 * @throws BAD_USER_INPUT, naming `prefix`, for a prefix that is not `[A-Za-z][A-Za-z0-9_-]{0,30}`.
 */
export function mintToken(
  kind: TokenKind,
  options: { prefix?: string; id?: string } = {},
): { id: string; token: Secret } {
  const prefix = checkedPrefix(options.prefix);
  const id = options.id ?? draw(base62, 16).toString('ascii');
  if (!/^[0-9A-Za-z]{16}$/.test(id)) throw new KeywayError('INTERNAL_SERVER_ERROR');
  const secretPart = randomText('BASE62');
  const body = Buffer.concat([Buffer.from(`${prefix}kw_${kind}_${id}_`), secretPart]);
  const token = Buffer.concat([body, Buffer.from(checkOf(body))]);
  for (const part of [body, secretPart]) part.fill(0);
  return { id, token: Secret.of(token) };
}

/** A token as it was presented. */
export interface Token {
  /** All of it, which is what is verified. */
  readonly text: Secret;
  readonly prefix: string;
  readonly kind: TokenKind;
  readonly id: string;
  /** The 43 characters that earlier versions verified alone. */
  readonly secret: Secret;
}

/**
 * The parts of a token; undefined for whatever `mintToken` cannot have made, a mistyped character included. That is
 * told without asking anyone; whether the token is valid is another question.
 */
export function parseToken(text: string): Token | undefined {
  if (text.length > longestToken) return undefined;
  const parts = pattern.exec(text);
  if (!parts) return undefined;
  if (checkOf(text.slice(0, -checkLength)) !== text.slice(-checkLength)) return undefined;
  // Every group but the first has matched where the whole has.
  const [, prefix = '', kind, id = '', secret = ''] = parts;
  return { text: Secret.of(text), prefix, kind: kind as TokenKind, id, secret: Secret.of(secret) };
}

/**
 * A fresh pair of a public access key and a secret of 256 bit, or 512 in HEX. The prefix stands before both; a given
 * access key stays as it is, as a rotation needs it. A pair of HEX is what signers of some schemes insist on:
 * hexadecimal both, the id of at least 32 characters and the secret of at least 128.
 * @throws BAD_USER_INPUT, naming `prefix`, for a prefix that is not `[A-Za-z][A-Za-z0-9_-]{0,30}`.
 */
export function mintAccessKey(
  options: { prefix?: string; format?: SecretEncoding; accessKey?: string } = {},
): {
  accessKey: string;
  secret: Secret;
} {
  const prefix = checkedPrefix(options.prefix);
  const format = options.format ?? 'BASE62';
  const secret = Buffer.concat([Buffer.from(prefix), randomText(format)]);
  const id = format === 'HEX' ? randomBytes(16).toString('hex') : drawKey();
  return { accessKey: options.accessKey ?? `${prefix}${id}`, secret: Secret.of(secret) };
}

/** Whether a text reads like an access key that `mintAccessKey` makes: nobody's user name is spelled so. */
export const isGeneratedKey = (text: string): boolean => generatedKey.test(text);

/** A fresh password of 32 characters, 185 bit, none of which is taken for another. */
export const mintPassword = (): Secret => Secret.of(draw(legible, 32));

/** A fresh recovery code of 80 bit: 16 characters of base32. */
export const mintRecoveryCode = (): Secret => Secret.of(draw(base32, 16));

/** Random bits as ASCII text: 256 in 43 characters of BASE62 or 44 of BASE64, 512 in 128 of HEX. */
export function randomText(format: SecretEncoding): Buffer {
  if (format === 'BASE62') return draw(base62, 43);
  const bytes = randomBytes(format === 'HEX' ? 64 : 32);
  const text = Buffer.from(bytes.toString(format === 'HEX' ? 'hex' : 'base64'), 'ascii');
  bytes.fill(0);
  return text;
}

// A digit is in it: letters alone would read like a long user name in capitals.
function drawKey(): string {
  for (;;) {
    const key = draw(base32, 20).toString('ascii');
    if (/\d/.test(key)) return key;
  }
}

// A byte beyond the last whole multiple of the alphabet is thrown away, as it would favour the first characters.
function draw(alphabet: string, characters: number): Buffer {
  const limit = 256 - (256 % alphabet.length);
  const text = Buffer.alloc(characters);
  for (let filled = 0; filled < characters;) {
    const bytes = randomBytes(characters);
    for (const byte of bytes) {
      if (byte < limit && filled < characters) text[filled++] = alphabet.charCodeAt(byte % alphabet.length);
    }
    bytes.fill(0);
  }
  return text;
}

function checkOf(body: Buffer | string): string {
  let rest = crc32(body);
  let text = '';
  for (let index = 0; index < checkLength; index++) {
    text = base62.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

function checkedPrefix(prefix = ''): string {
  if (prefix === '' || /^[A-Za-z][A-Za-z0-9_-]{0,30}$/.test(prefix)) return prefix;
  throw badInput('prefix', 'must be a letter and up to 30 letters, digits, hyphens or underscores');
}
