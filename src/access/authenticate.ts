import { sql, type Database } from '../database/database.js';
import { KeywayError } from '../errors.js';
import type { Keyring } from '../keyring/keyring.js';
import { parseToken } from '../keyring/token.js';
import { gatherOn } from '../database/gather.js';
import { longestBearer } from '../config/limits.js';
import { type Claim, type SignedRequest, SignatureScheme } from '../signatures/scheme.js';
import { schemes } from '../signatures/schemes.js';
import { callerColumns, principalBy, type Caller } from './caller.js';
import { renewVerifiers } from './renew-verifiers.js';
import { authenticateJwt, type Admit } from './identity.js';
import { isJwt } from './issuers/jwt.js';
import type { KeySets } from './issuers/key-sets.js';
import { takeNonces } from './nonces.js';
import type { Principal } from './principal.js';
import { askedFor, byKey, fittingToken, presentedBy } from './presented-key.js';
import { isTimely, signerOf, signsBy } from './signed.js';

/** A request to Keyway itself, as far as it tells who sent it. */
export interface Call extends SignedRequest {
  /** The client's address, where it can be trusted. */
  ip: string | undefined;
  /** When it came, by the clock of the database, in milliseconds since 1970. */
  at: number;
}

/** What callers are known by. */
export interface Means {
  db: Database;
  keyring: Keyring;
  keySets: KeySets;
  /** The hosts that signed requests to Keyway are sent to. */
  hosts: readonly string[];
  /** Who has no account gets one by this, where it is given. */
  admit?: Admit;
}

/** Who is calling, and what its body must be for that to be true. */
export interface Proven {
  principal: Principal;
  /** Whether this is the body that was signed; undefined where the body is not part of the proof. */
  bodyMatches?: (body: Buffer) => boolean;
}

/**
 * Who is behind a request: by a token of Keyway's or of an issuer's, or by a signature.
 * @throws UNAUTHENTICATED for every reason alike: no proof, more than one, an unknown one, one that has ended, a wrong
 * address, a signature that was seen before or that is for another host. UNAVAILABLE where an issuer's keys cannot be
 * had. The cause, where it is a text, is for the log.
 */
export async function authenticate(
  { db, keyring, keySets, hosts, admit }: Means,
  call: Call,
): Promise<Proven> {
  const { bearer, scheme } = proofIn(call);
  if (bearer !== undefined && bearer.length > longestBearer) throw callerRefused('the token is too long');
  if (bearer !== undefined && isJwt(bearer))
    return { principal: await authenticateJwt(db, keySets, bearer, call.at, admit) };
  if (bearer !== undefined) return { principal: await byToken(db, keyring, bearer, call) };
  if (scheme === undefined) throw callerRefused();
  const claim = schemes[scheme].read(call);
  if (!claim) throw callerRefused();
  // Who was sent a request to verify could send it on to here otherwise, and so call as its signer.
  const host = hostOf(call);
  if (!isOwnHost(host, hosts)) throw callerRefused(`the request is signed for another host: ${host}`);
  const principal = await bySignature(db, keyring, scheme, claim, call);
  if (scheme !== SignatureScheme.HTTP_MESSAGE_SIGNATURES) return { principal };
  return { principal, bodyMatches: (body) => schemes[scheme].read({ ...call, body }) !== undefined };
}

const bearerProof = /^Bearer ([!-~]+)$/i;

/** The one proof that a request carries: neither where there is none, or more than one. */
function proofIn({ headers }: Call): { bearer?: string | undefined; scheme?: SignatureScheme } {
  const count = (pattern: RegExp) => headers.filter(({ name }) => pattern.test(name)).length;
  const authorization = headers.filter(({ name }) => /^authorization$/i.test(name));
  const ncp = count(/^x-ncp-(apigw-(timestamp|signature-v\d)|iam-access-key)$/i) > 0;
  const message = count(/^signature(-input)?$/i) > 0;
  if (authorization.length + Number(ncp) + Number(message) !== 1) return {};
  if (ncp) return { scheme: SignatureScheme.NCP_SIGNATURE_V2 };
  if (message) return { scheme: SignatureScheme.HTTP_MESSAGE_SIGNATURES };
  const value = authorization[0]?.value ?? '';
  if (/^VERACODE-HMAC-SHA-256 /i.test(value)) return { scheme: SignatureScheme.VERACODE_HMAC_SHA_256 };
  return { bearer: bearerProof.exec(value)?.[1] };
}

async function byToken(db: Database, keyring: Keyring, presented: string, { ip }: Call): Promise<Principal> {
  const token = parseToken(presented);
  if (!token) throw callerRefused("the token is neither of Keyway's form nor a signed JWT");
  const found = (await callers(db, token.id)).filter(({ kind }) => kind === 'TOKEN');
  const fitting = fittingToken(keyring, token, found);
  const principal = fitting && principalBy(fitting.version, ip);
  if (!principal) throw callerRefused();
  await renewVerifiers(db, keyring, [{ ...fitting.version, lookupId: token.id, secret: fitting.proven }]);
  return principal;
}

async function bySignature(
  db: Database,
  keyring: Keyring,
  scheme: SignatureScheme,
  claim: Claim,
  call: Call,
): Promise<Principal> {
  if (!isTimely(claim, call.at)) throw callerRefused();
  const found = (await Promise.all(claim.accessKeys.map((key) => callers(db, key)))).flat();
  const keys = found.filter(({ kind }) => kind === 'ACCESS_KEY');
  const version = await signerOf(keyring, claim, keys);
  const principal = version && signsBy(version, scheme) ? principalBy(version, call.ip) : undefined;
  if (!version || !principal) throw callerRefused();
  const [taken] = await takeNonces(db, [{ credentialId: version.id, nonce: claim.nonce }]);
  if (!taken) throw callerRefused();
  return principal;
}

const callerRefused = (cause?: string) => new KeywayError('UNAUTHENTICATED', undefined, { cause });

// Whether it works is the database's to say, by its own clock. One statement, since every request pays for it.
const presentedCallers = { ...sql(presentedBy('true', callerColumns)), name: 'presented-callers' };

const callers = gatherOn<string, Caller[]>(async (db, keys) => {
  const found = byKey(await db.rows<Caller>(presentedCallers, askedFor(keys.map((key) => ({ key })))));
  return keys.map((key) => found.get(key) ?? []);
});

/** The host that a request was sent to by its one Host header, in lower case; undefined for none, and for two. */
function hostOf({ headers }: Pick<SignedRequest, 'headers'>): string | undefined {
  const [host, ...others] = headers.filter(({ name }) => name.toLowerCase() === 'host');
  return others.length > 0 ? undefined : host?.value.trim().toLowerCase();
}

/** Whether a host is one of Keyway's `own`: of those without a port, at whatever port. */
const isOwnHost = (host: string | undefined, own: readonly string[]): boolean =>
  host !== undefined && (own.includes(host) || own.includes(host.replace(/:\d+$/, '')));
