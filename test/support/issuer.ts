import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose';
import { unique } from './make.js';

/** A key that signs tokens, and what is published of it. */
export interface Signer {
  alg: string;
  kid: string;
  jwk: JWK;
  key: CryptoKey;
}

export async function makeSigner(alg = 'ES256', kid = unique('key')): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }, key: privateKey };
}

/** A token with these claims, or with this text in their place; members of the header that are undefined are left out. */
export async function signed(
  { alg, kid, key }: Pick<Signer, 'alg' | 'kid' | 'key'>,
  claims: unknown,
  header: Record<string, unknown> = {},
): Promise<string> {
  const text = typeof claims === 'string' ? claims : JSON.stringify(claims);
  const all = Object.entries({ alg, kid, ...header }).filter(([, value]) => value !== undefined);
  return new CompactSign(Buffer.from(text))
    .setProtectedHeader(Object.fromEntries(all) as { alg: string })
    .sign(key);
}

/** Claims that are as they should be, at this time in milliseconds, but for those that are given. */
export const claimsAt = (
  nowMs: number,
  issuer: string,
  subject: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> => {
  const now = Math.floor(nowMs / 1000);
  return { iss: issuer, sub: subject, aud: 'keyway', iat: now, exp: now + 300, ...more };
};

/** A stand-in for who vouches for callers: it publishes keys on loopback, and counts how often it is asked. */
export interface TestIssuer {
  readonly name: string;
  /** Where it answers, which may be its name too: then it tells where its keys are. */
  readonly address: string;
  /** Where its keys are. */
  readonly jwks: string;
  /** What it publishes. */
  keys: JWK[];
  /** How it answers, where not with its keys. */
  answer: RequestListener | undefined;
  /** What it was asked. */
  readonly asked: IncomingMessage[];
  /** It, as the configuration of Keyway names it. */
  settings(more?: Record<string, unknown>): Record<string, unknown>;
  /** Goes away, and comes back at the same address. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export async function startIssuer(...signers: Signer[]): Promise<TestIssuer> {
  const asked: IncomingMessage[] = [];
  let server = createServer();
  let port = 0;
  const name = `https://${unique('id')}.example.com`;
  const issuer: TestIssuer = {
    name,
    get address() {
      return `http://127.0.0.1:${port}`;
    },
    get jwks() {
      return `${issuer.address}/keys?tenant=query-mark`;
    },
    keys: signers.map(({ jwk }) => jwk),
    answer: undefined,
    asked,
    settings: (more = {}) => ({
      issuer: name,
      jwks: issuer.jwks,
      audience: 'keyway',
      algorithms: ['EdDSA', 'ES256', 'PS256', 'RS256'],
      ...more,
    }),
    resume: async () => {
      server = createServer((request, response) => {
        asked.push(request);
        if (issuer.answer) issuer.answer(request, response);
        else if (request.url?.endsWith('/.well-known/openid-configuration'))
          response.end(JSON.stringify({ issuer: issuer.address, jwks_uri: issuer.jwks }));
        else response.end(JSON.stringify({ keys: issuer.keys }));
      });
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      ({ port } = server.address() as AddressInfo);
    },
    pause: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    stop: () => issuer.pause(),
  };
  await issuer.resume();
  return issuer;
}

/** The environment of a Keyway that takes the tokens of these issuers. */
export const trusting = (...issuers: Record<string, unknown>[]): Record<string, string> => ({
  KEYWAY_OUTBOUND_LOCAL: 'true',
  KEYWAY_JWT_ISSUERS: JSON.stringify(issuers),
});
