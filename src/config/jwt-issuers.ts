import { longestBearer, longestJwtHours, usualJwtBytes, usualJwtHours } from './limits.js';

/** The signatures that are taken, all of them by a public key. */
export type JwsAlgorithm = 'EdDSA' | 'ES256' | 'PS256' | 'RS256';

/** An issuer of tokens: whose tokens are accepted, for which audience, and where the keys are. */
export interface JwtIssuer {
  /** As in the claim `iss`, letter by letter. */
  readonly issuer: string;
  /** The address of its JSON Web Key Set (RFC 7517). */
  readonly jwks: string;
  /** Of these, the claim `aud` must name one. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly JwsAlgorithm[];
  /** How long after its `iat` a token may end at most. */
  readonly longestLifetimeHours: number;
  /** How long a token may be, in bytes. */
  readonly largestTokenBytes: number;
}

const algorithms: readonly string[] = ['EdDSA', 'ES256', 'PS256', 'RS256'] satisfies JwsAlgorithm[];
const members = ['issuer', 'jwks', 'audience', 'algorithms', 'longestLifetimeHours', 'largestTokenBytes'];

/**
 * The issuers in a JSON list of `{ issuer, jwks, audience, algorithms }`, with their limits where they have other ones, or
 * what is wrong with it, in words that hold no value.
 * @param local whether http will do, for trials.
 */
export function readJwtIssuers(text: string, local: boolean): { issuers: JwtIssuer[]; faults: string[] } {
  const faults: string[] = [];
  const issuers: JwtIssuer[] = [];
  const items = parseList(text);
  if (!items) return { issuers, faults: ['must be a JSON list of issuers'] };
  for (const [index, item] of items.entries()) {
    const fault = (member: string, what: string) =>
      void faults.push(`must have at [${index}]${member} ${what}`);
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      fault('', 'an object');
      continue;
    }
    const {
      issuer,
      jwks,
      audience,
      algorithms: listed,
      longestLifetimeHours = usualJwtHours,
      largestTokenBytes = usualJwtBytes,
    } = item as Record<string, unknown>;
    const audiences = Array.isArray(audience) ? (audience as unknown[]) : [audience];
    if (Object.keys(item).some((name) => !members.includes(name)))
      fault('', `no members but ${members.join(', ')}`);
    if (!isName(issuer) || (!local && /^http:/i.test(issuer)))
      fault('.issuer', 'a text of 1 to 255 characters, not an http address');
    else if (issuers.some((other) => other.issuer === issuer)) fault('.issuer', 'another than before');
    if (!isAddress(jwks, local)) fault('.jwks', 'an https address');
    if (audiences.length === 0 || !audiences.every(isName))
      fault('.audience', 'a text of 1 to 255 characters, or a list of such');
    if (!isAlgorithms(listed)) fault('.algorithms', `a list out of ${algorithms.join(', ')}`);
    if (!isWhole(longestLifetimeHours, 1, longestJwtHours))
      fault('.longestLifetimeHours', `a whole number from 1 to ${longestJwtHours}`);
    if (!isWhole(largestTokenBytes, 1_024, longestBearer))
      fault('.largestTokenBytes', `a whole number from 1024 to ${longestBearer}`);
    issuers.push({
      issuer,
      jwks,
      audiences,
      algorithms: listed,
      longestLifetimeHours,
      largestTokenBytes,
    } as JwtIssuer);
  }
  return { issuers, faults };
}

function parseList(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isWhole = (value: unknown, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;

const isName = (value: unknown): value is string =>
  typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value);

function isAddress(value: unknown, local: boolean): boolean {
  // What is parsed has U+FFFD in the place of half a surrogate pair.
  if (typeof value !== 'string' || /\p{Cs}/u.test(value) || !URL.canParse(value)) return false;
  const { protocol, username, password, hash } = new URL(value);
  const fits = protocol === 'https:' || (local && protocol === 'http:');
  return fits && username === '' && password === '' && hash === '';
}

const isAlgorithms = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((one) => algorithms.includes(one as string));
