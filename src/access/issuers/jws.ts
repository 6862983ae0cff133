import { compactVerify, importJWK, type JWK } from 'jose';
import { KeywayError } from '../../errors.js';
import type { JwsAlgorithm } from '../../config/jwt-issuers.js';
import { utf8 } from '../../secret.js';

/** A header as it was signed. What it says of keys (`jku`, `x5u`, `x5c`, `jwk`) is never followed. */
export interface JwsHeader {
  alg: string;
  kid?: string;
  [name: string]: unknown;
}

/**
 * The header and payload of a compact JWS whose signature holds under one key of `keys`: a JWK or a JWKS, as parsed
 * from JSON. The key decides the algorithm; the header only has to agree with it, and with `allowed`.
 * @throws UNAUTHENTICATED for everything else.
 */
export async function verifyJws(
  compact: string,
  keys: unknown,
  allowed: readonly JwsAlgorithm[],
): Promise<{ header: JwsHeader; payload: Buffer }> {
  const header = jwsHeader(compact);
  const key = keyFor(header, keys, allowed);
  if (!key)
    throw jwsRefused("none of the issuer's keys, or more than one, has the token's key id and algorithm");
  try {
    const { payload } = await compactVerify(compact, await importJWK(key, header.alg), {
      algorithms: [header.alg],
    });
    return { header, payload: Buffer.from(payload) };
  } catch {
    throw jwsRefused("the token's signature does not hold under the issuer's key");
  }
}

/**
 * The header of a compact JWS that is not verified yet: good for choosing where to look for the key, and no more.
 * @throws UNAUTHENTICATED for what is not exactly three parts in canonical base64url, and for a header with `crit`.
 */
export function jwsHeader(compact: string): JwsHeader {
  const parts = compact.split('.');
  if (parts.length !== 3 || !parts.every(isCanonical))
    throw jwsRefused('the token is no compact JWS in base64url');
  const { alg, kid, crit, ...others } = parseObject(Buffer.from(parts[0] ?? '', 'base64url'));
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string'))
    throw jwsRefused('alg or kid of the token is no text');
  // No extension is known here, so none may be critical (RFC 7515, section 4.1.11).
  if (crit !== undefined) throw jwsRefused('the token says that an extension is critical (crit)');
  return { ...others, alg, ...(kid === undefined ? {} : { kid }) };
}

/**
 * The one key that this header can mean, cut down to its public members; undefined where there is none or more than
 * one, since keys are not tried in turn.
 */
export function keyFor(header: JwsHeader, keys: unknown, allowed: readonly JwsAlgorithm[]): JWK | undefined {
  const algorithm = allowed.find((name) => name === header.alg);
  if (!algorithm) return undefined;
  const fitting = listOf(keys).filter((key) => isFor(algorithm, key) && isNamed(header.kid, key));
  return fitting.length === 1 ? publicHalf(fitting[0]) : undefined;
}

/**
 * The object that these bytes are the JSON of.
 * @throws UNAUTHENTICATED for what is not UTF-8, not JSON, not an object, or says one name twice.
 */
export function parseObject(bytes: Uint8Array): Record<string, unknown> {
  const text = utf8(bytes) ?? '';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw jwsRefused('a part of the token is no JSON');
  }
  if (!isRecord(value) || saysTwice(text))
    throw jwsRefused('a part of the token is no object, or says a name twice');
  return value;
}

const jwsRefused = (reason: string) => new KeywayError('UNAUTHENTICATED', undefined, { cause: reason });

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

// The decoder skips strange characters and loose bits; two texts would then be one token.
const isCanonical = (part: string) => Buffer.from(part, 'base64url').toString('base64url') === part;

function listOf(keys: unknown): Record<string, unknown>[] {
  if (!isRecord(keys)) return [];
  return (Array.isArray(keys.keys) ? keys.keys : [keys]).filter(isRecord);
}

function isFor(algorithm: JwsAlgorithm, key: Record<string, unknown>): boolean {
  if (key.use !== undefined && key.use !== 'sig') return false;
  if (key.key_ops !== undefined && !(Array.isArray(key.key_ops) && key.key_ops.includes('verify')))
    return false;
  if (algorithm === 'EdDSA') {
    // «Ed25519» is the newer name of the same algorithm (RFC 9864).
    return (
      key.kty === 'OKP' &&
      key.crv === 'Ed25519' &&
      [undefined, 'EdDSA', 'Ed25519'].some((alg) => alg === key.alg)
    );
  }
  if (key.alg !== undefined && key.alg !== algorithm) return false;
  const curve = curves[algorithm];
  return curve ? key.kty === 'EC' && key.crv === curve : key.kty === 'RSA';
}

// RFC 7518, section 3.4; all others are of RSA.
const curves: { readonly [name in JwsAlgorithm]?: string } = { ES256: 'P-256', ES384: 'P-384' };

const isNamed = (kid: string | undefined, key: Record<string, unknown>) =>
  kid === undefined || key.kid === undefined || key.kid === kid;

const publicHalf = (key: Record<string, unknown> = {}): JWK =>
  Object.fromEntries(
    ['kty', 'crv', 'x', 'y', 'n', 'e'].filter((name) => name in key).map((name) => [name, key[name]]),
  );

// JSON.parse keeps the last of two equal names, other readers the first. The text is known to be valid here.
function saysTwice(text: string): boolean {
  const open: Set<string>[] = [];
  for (const [token, name, colon] of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (name && colon) {
      const names = open.at(-1);
      const parsed = String(JSON.parse(name));
      if (names?.has(parsed)) return true;
      names?.add(parsed);
    }
  }
  return false;
}
