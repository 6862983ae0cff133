import { createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/** What is signed of a request of the legacy API. */
export interface LegacyRequest {
  method: string;
  /** With its port, where the address has one. */
  host: string;
  path: string;
  /** Query and form together, decoded. */
  parameters: ReadonlyMap<string, string>;
}

/** What a token of the REST API says. Times are seconds since 1970. */
export interface Claims {
  exp: number;
  iat: number;
  /** The person's address. */
  sub: string;
  /** The account's name. */
  acc: string;
  /** The person's number. */
  id: number;
}

/** A key and its secret, which are all that there is of a credential. */
export interface Pair {
  accessKey: string;
  secretKey: string;
}

/** Whether a request carries the signature (version 2, HmacSHA256) that this secret makes of it, whatever the time. */
export function isSignedBy(secretKey: string, request: LegacyRequest): boolean {
  const { parameters } = request;
  if (parameters.get('signature_method') !== 'HmacSHA256' || parameters.get('signature_version') !== '2')
    return false;
  return isSame(parameters.get('signature') ?? '', hmac(secretKey, signedText(request), 'base64'));
}

/** The text that is signed: method, host, path and all parameters but the signature, by the bytes of their names. */
export function signedText({ method, host, path, parameters }: LegacyRequest): string {
  const sorted = [...parameters]
    .filter(([name]) => name !== 'signature')
    .sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  return [method, host.toLowerCase(), path || '/', sorted.join('&')].join('\n');
}

/** A JSON Web Token of these claims, signed by HMAC-SHA-256. */
export function tokenOf(claims: Claims, key: string): string {
  const text = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${hmac(key, text, 'base64url')}`;
}

/** The claims of a token, if this key signed it; undefined otherwise. Of its time nothing is said. */
export function claimsOf(token: string, key: string): Claims | undefined {
  const [header = '', payload = '', signature = '', ...more] = token.split('.');
  if (more.length > 0 || !isSame(signature, hmac(key, `${header}.${payload}`, 'base64url'))) return undefined;
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
}

/** A pair as the server makes them: a key of 20 characters and a secret of 40. */
export function makePair(): Pair {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  return {
    accessKey: Array.from({ length: 20 }, () => letters[randomInt(letters.length)]).join(''),
    secretKey: randomBytes(30).toString('base64'),
  };
}

const hmac = (key: string, text: string, encoding: 'base64' | 'base64url') =>
  createHmac('sha256', key).update(text).digest(encoding);

const isSame = (one: string, other: string) =>
  Buffer.byteLength(one) === Buffer.byteLength(other) &&
  timingSafeEqual(Buffer.from(one), Buffer.from(other));

const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
