import { KeywayError } from '../../errors.js';
import type { ClaimPath, JwtIssuer, RequiredClaim } from '../../config/jwt-issuers.js';
import { jwsHeader, parseObject, verifyJws } from './jws.js';
import type { KeySets } from './key-sets.js';
import type { Identified, Newcomer } from '../principal.js';

const leewayMs = 30_000;
const hourMs = 3_600_000;

/** Whether it looks like a signed token (a compact JWS, RFC 7515), and so like none of Keyway's own. */
export const isJwt = (text: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);

/**
 * Who a JWT (RFC 7519) of one of the issuers identifies.
 * @param nowMs the time by the clock of the database
 * @throws UNAUTHENTICATED for everything that is wrong with it, alike; UNAVAILABLE where its issuer's keys cannot be
 * had.
 */
export async function identify(token: string, keySets: KeySets, nowMs: number): Promise<Identified> {
  const header = jwsHeader(token);
  if (!isType(header.typ)) throw jwtRefused('the token is of another type (typ)');
  // The very text that is verified below: until then, it decides no more than whose keys to look at.
  const claims = parseObject(Buffer.from(token.split('.')[1] ?? '', 'base64url'));
  const keySet = typeof claims.iss === 'string' ? keySets.get(claims.iss) : undefined;
  if (!keySet) throw jwtRefused('the issuer of the token (iss) is not one of KEYWAY_JWT_ISSUERS');
  const { issuer } = keySet;
  if (token.length > issuer.largestTokenBytes)
    throw jwtRefused('the token is longer than largestTokenBytes of its issuer');
  if (!issuer.algorithms.some((name) => name === header.alg))
    throw jwtRefused('the algorithm of the token (alg) is not listed for its issuer');
  const identified = readClaims(claims, issuer, nowMs);
  await verifyJws(token, await keySet.keysFor(header), issuer.algorithms);
  return identified;
}

const jwtRefused = (reason: string) => new KeywayError('UNAUTHENTICATED', undefined, { cause: reason });

// RFC 7515, section 4.1.9: media types, where «application/» may be left out; RFC 9068 for access tokens.
const isType = (type: unknown): boolean =>
  type === undefined || (typeof type === 'string' && /^(application\/)?(at\+)?jwt$/i.test(type));

function readClaims(claims: Record<string, unknown>, issuer: JwtIssuer, nowMs: number): Identified {
  const { aud, exp, iat, nbf, events, cnf } = claims;
  // RFC 8417: what happened to a subject, a logout for one. Not every issuer gives such a token a type of its own.
  if (events !== undefined) throw jwtRefused('the token tells of an event (events), and lets nobody call');
  // RFC 7800: it is good only with a key that its bearer proves to have (DPoP, RFC 9449; mutual TLS, RFC 8705). Nobody is
  // asked for that here, and whoever has copied such a token is to get nothing by it.
  if (cnf !== undefined) throw jwtRefused('the token is bound to a key (cnf), and a bearer of it is nobody');
  const subject = subjectOf(claims, issuer);
  const meantFor: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (
    !meantFor.every((one) => typeof one === 'string') ||
    !issuer.audiences.some((audience) => meantFor.includes(audience))
  )
    throw jwtRefused('the token is for another audience (aud)');
  if (!isTime(exp) || !isTime(iat) || (nbf !== undefined && !isTime(nbf)))
    throw jwtRefused('the token lacks exp or iat, or one of exp, iat and nbf is no number');
  const lifetimeMs = (exp - iat) * 1000;
  if (lifetimeMs <= 0 || lifetimeMs > issuer.longestLifetimeHours * hourMs)
    throw jwtRefused('the token lives longer than longestLifetimeHours of its issuer (iat to exp)');
  if (nowMs >= exp * 1000 + leewayMs) throw jwtRefused('the token has expired (exp)');
  if (iat * 1000 > nowMs + leewayMs || (nbf !== undefined && nbf * 1000 > nowMs + leewayMs))
    throw jwtRefused('the token is not valid yet (iat or nbf): compare the clocks');
  const lacking = issuer.require.find((required) => !says(claims, required, issuer));
  if (lacking)
    throw jwtRefused(`the token lacks what require of its issuer asks for (${lacking.claim.join('.')})`);
  return {
    issuer: issuer.issuer,
    subject,
    expiresAtMs: exp * 1000,
    untilMs: exp * 1000 + leewayMs,
    roles: issuer.roles.filter((role) => says(claims, role, issuer)),
    newcomer: newcomerIn(claims, issuer),
  };
}

/** Who the token is for, by the claim that is configured for that. */
function subjectOf(claims: Record<string, unknown>, { claim, unverifiedEmail }: JwtIssuer): string {
  const subject = claimAt(claims, claim);
  // What is no text in the database is nobody's subject.
  if (typeof subject !== 'string' || !/^[^\p{Cc}\p{Cs}]{1,255}$/u.test(subject))
    throw jwtRefused(`the token has no subject (${claim.join('.')}) of 1 to 255 characters`);
  if (isUnverified(claims, claim, { unverifiedEmail }))
    throw jwtRefused('the issuer does not say that it has verified the address (email_verified)');
  return subject;
}

function newcomerIn(claims: Record<string, unknown>, issuer: JwtIssuer): Newcomer | undefined {
  const { accounts: rule } = issuer;
  if (!rule?.when.every((required) => says(claims, required, issuer))) return undefined;
  return { rule, title: claimAt(claims, rule.title) };
}

/** Whether it is an address that the issuer has not verified: at some, people write there what they like. */
const isUnverified = (
  claims: Record<string, unknown>,
  path: ClaimPath,
  { unverifiedEmail }: Pick<JwtIssuer, 'unverifiedEmail'>,
): boolean => path.length === 1 && path[0] === 'email' && !unverifiedEmail && claims.email_verified !== true;

/** Whether the claim is there, one that counts, and one of its values will do. */
function says(claims: Record<string, unknown>, { claim, is }: RequiredClaim, issuer: JwtIssuer): boolean {
  if (isUnverified(claims, claim, issuer)) return false;
  const value = claimAt(claims, claim);
  const said: unknown[] = Array.isArray(value) ? value : [value, ...scopesIn(claim, value)];
  return is.some((one) => said.includes(one));
}

/** The scopes of a token, which stand in one text (RFC 6749, section 3.3; RFC 8693, section 4.2; `scp` at Entra and Okta). */
const scopesIn = (claim: ClaimPath, value: unknown): string[] =>
  claim.length === 1 && /^(scope|scp)$/.test(claim[0] ?? '') && typeof value === 'string'
    ? value.split(' ').filter((scope) => scope !== '')
    : [];

/** What stands there; undefined where nothing does. */
function claimAt(claims: Record<string, unknown>, path: ClaimPath): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

const isTime = (value: unknown): value is number => Number.isFinite(value);
