import { fittingToken } from '../../access/presented-key.js';
import { isTimely, signerOf, signsBy } from '../../access/signed.js';
import type { RequestContext } from '../../access/context.js';
import type { Keyring } from '../../keyring/keyring.js';
import { isGeneratedKey, parseToken, type Token } from '../../keyring/token.js';
import { canonicalUsername } from '../../inputs/rules.js';
import { Secret } from '../../secret.js';
import type { Claim, SignatureScheme } from '../../signatures/scheme.js';
import { schemes } from '../../signatures/schemes.js';
import type { PresentedCredential } from './presented.js';
import type { VerifyCredentialInput } from './verification.input.js';

/** What was presented, and the access keys that it can be meant for. */
export type Proof =
  | { by: 'token'; keys: readonly string[]; token: Token }
  | {
      by: 'pair';
      keys: readonly string[];
      key: string;
      /** Undefined where it can be nobody's. */
      username: string | undefined;
      secret: Secret;
    }
  | { by: 'signature'; keys: readonly string[]; claim: Claim; scheme: SignatureScheme }
  | { by: 'nothing'; keys: readonly [] };

/** What a proof was found to be of. */
export interface Match {
  /** The secret that fitted. */
  version: PresentedCredential | undefined;
  /** That secret, as its verifier has it; undefined for signatures and passwords. */
  proven?: Secret | undefined;
  /** The credential that it was meant for, where none fitted. */
  about?: PresentedCredential | undefined;
  /** A password, which is still to be looked at. */
  password?: { secret: Secret; username: string; versions: readonly PresentedCredential[] };
  /** The password that fitted, if its hash should be replaced. */
  stale?: Secret | undefined;
  /** Whether there were too many tries to look at this one. */
  limited?: boolean;
}

/** Reads what was presented. What cannot be a proof of anything is `nothing`, without a question to the database. */
export function proofOf(ctx: RequestContext, input: VerifyCredentialInput): Proof {
  const { secret, signedRequest } = input.proof;
  if (signedRequest) {
    const { scheme, method, url, headers, body } = signedRequest;
    const claim = schemes[scheme].read({
      method,
      url,
      headers,
      body: typeof body === 'string' ? Buffer.from(body) : undefined,
    });
    if (!claim || !isTimely(claim, ctx.at)) return nothing;
    const named = input.accessKey;
    const keys = named ? claim.accessKeys.filter((key) => key === named) : claim.accessKeys;
    return keys.length === 0 ? nothing : { by: 'signature', keys, claim, scheme };
  }
  if (secret === undefined) return nothing;
  const token = parseToken(secret);
  if (token) {
    if (input.accessKey && input.accessKey !== token.id) return nothing;
    return { by: 'token', keys: [token.id], token };
  }
  if (!input.accessKey) return nothing;
  const key = input.accessKey;
  // Decided by the text alone, and not by whose it is: a wrong access key never waits for a hash (S25).
  const username = isGeneratedKey(key) ? undefined : canonicalUsername(key);
  const keys = username === undefined || username === key ? [key] : [key, username];
  return { by: 'pair', keys, key, username, secret: Secret.of(secret) };
}

/**
 * Finds the secret that a proof was made with. An unknown key costs what a wrong secret does (S25).
 * @throws UNAVAILABLE where the key that a signing secret is sealed under is missing.
 */
export async function matched(
  ctx: RequestContext,
  proof: Proof,
  found: ReadonlyMap<string, PresentedCredential[]>,
): Promise<Match> {
  const { keyring } = ctx;
  switch (proof.by) {
    case 'nothing':
      return { version: undefined };
    case 'token':
      return byToken(keyring, proof.token, ofKind('TOKEN', found.get(proof.token.id)));
    case 'signature':
      return bySignature(keyring, proof, found);
    case 'pair': {
      const { key, username, secret } = proof;
      const pairs = ofKind('ACCESS_KEY', found.get(key));
      if (pairs.length > 0 || username === undefined) return byVerifier(keyring, proof, pairs);
      const versions = ofKind('PASSWORD', found.get(username));
      return { version: undefined, password: { secret, username, versions } };
    }
  }
}

const nothing: Proof = { by: 'nothing', keys: [] };

const ofKind = (kind: PresentedCredential['kind'], versions: readonly PresentedCredential[] = []) =>
  versions.filter((version) => version.kind === kind);

function byVerifier(
  keyring: Keyring,
  { key, secret }: { key: string; secret: Secret },
  versions: readonly PresentedCredential[],
): Match {
  if (versions.length === 0) keyring.verifies(key, secret, keyring.unmatched());
  const version = versions.find(
    ({ verifier, verifierKeyId: keyId }) =>
      verifier && keyId && keyring.verifies(key, secret, { verifier, keyId }),
  );
  return { version, about: versions[0], proven: secret };
}

function byToken(keyring: Keyring, token: Token, versions: readonly PresentedCredential[]): Match {
  const fitting = fittingToken(keyring, token, versions);
  return { version: fitting?.version, about: versions[0], proven: fitting?.proven };
}

async function bySignature(
  keyring: Keyring,
  { claim, scheme, keys }: Extract<Proof, { by: 'signature' }>,
  found: ReadonlyMap<string, PresentedCredential[]>,
): Promise<Match> {
  const versions = keys.flatMap((key) => ofKind('ACCESS_KEY', found.get(key)));
  const version = await signerOf(keyring, claim, versions);
  if (version && signsBy(version, scheme)) return { version };
  return { version: undefined, about: versions[0] };
}
