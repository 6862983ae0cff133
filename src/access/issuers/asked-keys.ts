import { unavailable } from '../../errors.js';
import type { JwtIssuer } from '../../config/jwt-issuers.js';
import { largestKeySet, longestBearer, slowestIssuerMs } from '../../config/limits.js';
import type { CallOptions, Outbound } from '../../outbound/outbound.js';
import { Secret } from '../../secret.js';
import { readSmallFile } from './files.js';
import { parseObject } from './jws.js';
import type { KeySource } from './key-source.js';
import { metadataPlaces, readMetadata } from './metadata.js';

const addressKeptMs = 60 * 60_000;
const mostCertificateBytes = 256 * 1_024;

/**
 * Keys that the issuer is asked for, at its address, or at the one that it tells itself (OpenID Connect Discovery 1.0,
 * section 4; RFC 8414). What it told is believed for an hour, and while its keys are there. Each reading takes 3 s at most,
 * with all that has to be asked. The token of the issuer's file is shown to the host that the configuration names, and to
 * no other that the issuer may send to; its files are read each time, since they are replaced while Keyway runs.
 */
export function openAskedKeys(issuer: JwtIssuer, address: string | undefined, outbound: Outbound): KeySource {
  const { origin } = new URL(address ?? issuer.issuer);
  let told: { address: string; atMs: number } | undefined;

  return {
    read: async () => {
      const call = await openCall(issuer, origin, outbound);
      if (address !== undefined) return keysIn(await call(address, keySetTypes));
      if (!told || performance.now() - told.atMs >= addressKeptMs)
        told = { address: await discover(issuer.issuer, call), atMs: performance.now() };
      try {
        return keysIn(await call(told.address, keySetTypes));
      } catch (error) {
        told = undefined;
        throw error;
      }
    },
  };
}

type Call = (address: string, accept: string) => Promise<{ status: number; body: Buffer }>;

/** A way to ask the issuer, for as long as one reading may take. */
async function openCall(
  { bearerFile, certificateAuthorityFile }: JwtIssuer,
  origin: string,
  outbound: Outbound,
): Promise<Call> {
  const endsAtMs = performance.now() + slowestIssuerMs;
  const bearer = bearerFile === undefined ? undefined : await readBearer(bearerFile);
  const trusted =
    certificateAuthorityFile === undefined ? undefined : await readCertificates(certificateAuthorityFile);
  return async (address, accept) => {
    const url = new URL(address);
    const timeoutMs = Math.ceil(endsAtMs - performance.now());
    if (timeoutMs <= 0) throw unavailable('the issuer took too long');
    const options: CallOptions = { timeoutMs, mostBytes: largestKeySet, trusted };
    const headers = {
      accept,
      ...(bearer && url.origin === origin && { authorization: `Bearer ${bearer.expose()}` }),
    };
    return outbound.get(url, { ...options, headers });
  };
}

async function discover(issuer: string, call: Call): Promise<string> {
  const statuses = [];
  for (const place of metadataPlaces(issuer)) {
    const { status, body } = await call(place, 'application/json');
    if (status === 200) return readMetadata(parseObject(body), issuer);
    statuses.push(status);
  }
  throw unavailable(`the issuer does not tell where its keys are: it answers with ${statuses.join(' and ')}`);
}

// Kubernetes answers 406 to whoever asks for JSON alone (RFC 7517, section 8.5.2).
const keySetTypes = 'application/jwk-set+json, application/json';

function keysIn({ status, body }: { status: number; body: Buffer }): Record<string, unknown> {
  if (status !== 200) throw unavailable(`the issuer answers with ${status}`);
  return parseObject(body);
}

async function readBearer(path: string): Promise<Secret> {
  const text = (await readSmallFile(path, longestBearer)).toString('latin1').trim();
  if (!/^[!-~]+$/.test(text)) throw unavailable('the file of the bearer holds no token');
  return Secret.of(text);
}

// Without any certificate in it, the well-known authorities would be trusted.
async function readCertificates(path: string): Promise<string> {
  const text = (await readSmallFile(path, mostCertificateBytes)).toString('utf8');
  if (!/-----BEGIN CERTIFICATE-----/.test(text))
    throw unavailable('the file of the certificate authority holds no certificate in PEM');
  return text;
}
