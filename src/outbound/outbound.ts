import type { LookupAddress } from 'node:dns';
import type { IncomingHttpHeaders } from 'node:http';
import { connect as connectPlain, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import ipaddr from 'ipaddr.js';
import { Client, type buildConnector } from 'undici';
import { KeywayError, unavailable } from '../errors.js';
import { slowestConnectMs } from '../config/limits.js';
import { openResolver, type Resolve } from './resolver/resolve.js';

/** Where Keyway may call to, besides public addresses by https. */
export interface OutboundOptions {
  /** Addresses and CIDR blocks that are not public and may be called all the same. */
  allowedRanges: readonly string[];
  /** Addresses and CIDR blocks that may be called by http too. */
  httpRanges?: readonly string[];
  /** Whether loopback addresses may be called, and http be spoken: for trials and tests. */
  local: boolean;
  /** What a name resolves to; as `openResolver` finds it, where left out. */
  resolve?: Resolve;
}

export interface CallOptions {
  /** How long all of it may take, from the name's lookup to the last byte. */
  timeoutMs: number;
  /** How much of an answer is read. */
  mostBytes: number;
  headers?: Readonly<Record<string, string>>;
  /** Certificates in PEM, the only ones that others are trusted by; the well-known authorities, where left out. */
  trusted?: string | undefined;
  /** Ends the call when it is aborted. */
  signal?: AbortSignal | undefined;
}

/** An answer as it came, of whatever status: a redirect is one too, and is not followed. */
export interface OutboundAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Calls to others. */
export interface Outbound {
  /** @throws as `call` does. */
  get(url: URL, options: CallOptions): Promise<OutboundAnswer>;
  /**
   * Sends one request, once, on a connection of its own, and by no proxy.
   * @throws UNAVAILABLE for whatever goes wrong: an address that may not be called, a certificate that does not hold, no
   * connection within 1 s, no whole answer within `timeoutMs`, one larger than `mostBytes`. The request may have arrived
   * nevertheless.
   */
  call(
    method: Method,
    url: URL,
    options: CallOptions & { body?: string | Buffer | undefined },
  ): Promise<OutboundAnswer>;
  /** Ends the calls under way, and refuses new ones. */
  close(): Promise<void>;
}

/** The cause of a call that cannot have arrived, since there was no connection to send it over. */
export class NotConnected extends Error {}

/** The cause of a call whose certificate did not hold: `why` is what is wrong with it. */
export class CertificateRefused extends NotConnected {
  constructor(
    readonly why: 'AUTHORITY' | 'NAME' | 'TIME',
    cause: unknown,
  ) {
    super('no connection', { cause });
  }
}

/** The cause of a call that goes to an address that is not public and not allowed, or to a name that leads to one. */
export class AddressRefused extends NotConnected {
  constructor() {
    super('no connection', { cause: 'the address is not one that calls may go to' });
  }
}

/** The one way out of Keyway: to https addresses that are public or allowed, each checked before it is connected to. */
export function openOutbound({
  allowedRanges,
  httpRanges = [],
  local,
  resolve = openResolver(),
}: OutboundOptions): Outbound {
  const plainRanges = httpRanges.map(parseRange);
  const ranges = [...allowedRanges.map(parseRange), ...plainRanges];
  const clients = new Set<Client>();
  let closed = false;

  function mayCall(text: string, protocol: string): boolean {
    if (isIP(text) === 0) return false;
    // An IPv4-mapped IPv6 address is the IPv4 address that it leads to.
    const address = ipaddr.process(text);
    if (protocol !== 'https:' && !local) return isWithin(address, plainRanges);
    if (isPublic(address) || (local && address.range() === 'loopback')) return true;
    return isWithin(address, ranges);
  }

  async function addressesOf(
    hostname: string,
    protocol: string,
    signal: AbortSignal,
  ): Promise<LookupAddress[]> {
    const addresses = [...(await resolve(hostname, signal))];
    if (addresses.length === 0 || !addresses.every(({ address }) => mayCall(address, protocol)))
      throw refusedAddress();
    return addresses;
  }

  // The socket connects to what this answers and asks nobody else: a name that means another address later is of no use.
  const lookupFor =
    (protocol: string, signal: AbortSignal): LookupFunction =>
    (hostname, { all }, answer) => {
      addressesOf(hostname, protocol, signal).then(
        (addresses) => {
          const [first] = addresses;
          if (all || !first) answer(null, addresses);
          else answer(null, first.address, first.family);
        },
        (error: Error) => answer(error, ''),
      );
    };

  async function call(
    method: Method,
    url: URL,
    { timeoutMs, mostBytes, headers = {}, body, trusted, signal: given }: Parameters<Outbound['call']>[2],
  ): Promise<OutboundAnswer> {
    if (closed) throw connectionRefused('no calls are made any more');
    expectFit(url, local || plainRanges.length > 0);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // Of an address there is no lookup that could refuse it.
    if (isIP(host) !== 0 && !mayCall(host, url.protocol)) throw refusedAddress();
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = given ? AbortSignal.any([timeout, given]) : timeout;
    let isConnected = false;
    const connectMs = Math.min(slowestConnectMs, timeoutMs);
    const client = new Client(url.origin, {
      connect: (to, done) => {
        // The lookup ends with the socket that it is for.
        const ended = new AbortController();
        const lookup = lookupFor(url.protocol, ended.signal);
        connected(to, { lookup, withinMs: connectMs, trusted }).then(
          (socket) => {
            isConnected = true;
            done(null, socket);
          },
          (error: Error) => {
            ended.abort();
            done(error, null);
          },
        );
      },
    });
    clients.add(client);
    try {
      const path = `${url.pathname}${url.search}`;
      const answer = await client.request({ method, path, headers, body: body ?? null, reset: true, signal });
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: await readBody(answer.body, mostBytes),
      };
    } catch (error) {
      if (error instanceof KeywayError) throw error;
      throw unavailable(isConnected ? error : notConnected(error));
    } finally {
      clients.delete(client);
      await client.destroy();
    }
  }

  return {
    call,
    get: (url, options) => call('GET', url, options),
    close: async () => {
      closed = true;
      await Promise.all([...clients].map((client) => client.destroy()));
    },
  };
}

const connectionRefused = (why: string) => unavailable(new NotConnected('no connection', { cause: why }));
const refusedAddress = () => unavailable(new AddressRefused());

/** Why there was no connection. */
function notConnected(cause: unknown): NotConnected {
  const code = String((cause as { code?: unknown } | null)?.code);
  const why = certificateFaults.get(code);
  return why ? new CertificateRefused(why, cause) : new NotConnected('no connection', { cause });
}

// What Node and OpenSSL say of a certificate (nodejs.org/api/tls.html, X509 certificate error codes).
const certificateFaults = new Map<string, CertificateRefused['why']>([
  ...[
    ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_SIGNATURE_FAILURE', 'INVALID_CA'],
    ...['CERT_UNTRUSTED', 'CERT_REJECTED', 'CERT_REVOKED', 'CERT_CHAIN_TOO_LONG', 'PATH_LENGTH_EXCEEDED'],
    ...['INVALID_PURPOSE', 'UNABLE_TO_DECRYPT_CERT_SIGNATURE', 'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY'],
  ].map((code) => [code, 'AUTHORITY'] as const),
  ...['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'].map((code) => [code, 'NAME'] as const),
  ...[
    ...['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
    ...['ERROR_IN_CERT_NOT_BEFORE_FIELD', 'ERROR_IN_CERT_NOT_AFTER_FIELD'],
  ].map((code) => [code, 'TIME'] as const),
]);

function expectFit(url: URL, plain: boolean): void {
  if (url.protocol !== 'https:' && !(plain && url.protocol === 'http:'))
    throw connectionRefused('only https addresses are called');
  if (url.username !== '' || url.password !== '') throw connectionRefused('the address names a user');
}

/** A connection that is ready to be spoken over, by TLS where the scheme is https; its certificate is held to the name. */
async function connected(
  { protocol, hostname, port }: buildConnector.Options,
  { lookup, withinMs, trusted }: { lookup: LookupFunction; withinMs: number; trusted: string | undefined },
): Promise<Socket> {
  const to = { host: hostname, lookup, autoSelectFamily: true, noDelay: true };
  const isTls = protocol === 'https:';
  const socket = isTls
    ? connectTls({
        ...to,
        port: Number(port || 443),
        ...(isIP(hostname) === 0 && { servername: hostname }),
        ALPNProtocols: ['http/1.1'],
        rejectUnauthorized: true,
        // What is trusted need not be a root: an authority in between, or the server's own certificate, will do.
        ...(trusted !== undefined && { ca: trusted, allowPartialTrustChain: true }),
      })
    : connectPlain({ ...to, port: Number(port || 80) });
  const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), withinMs);
  try {
    return await new Promise<Socket>((resolve, reject) => {
      socket.once(isTls ? 'secureConnect' : 'connect', () => resolve(socket));
      socket.on('error', reject);
    });
  } finally {
    clearTimeout(timer);
  }
}

interface Range {
  network: ipaddr.IPv4 | ipaddr.IPv6;
  bits: number;
}

const isWithin = (address: ipaddr.IPv4 | ipaddr.IPv6, ranges: readonly Range[]): boolean =>
  ranges.some(({ network, bits }) => network.kind() === address.kind() && address.match(network, bits));

function parseRange(text: string): Range {
  const [network, bits] = ipaddr.parseCIDR(
    text.includes('/') ? text : `${text}/${isIP(text) === 4 ? 32 : 128}`,
  );
  return { network, bits };
}

// What the host of a virtual machine in Azure tells it is at an address that looks public
// (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
const hostAddresses = new Set(['168.63.129.16']);
// All that is assigned for global unicast (RFC 4291, section 2.4, and IANA's registry): IPv4 in IPv6 is elsewhere.
const globalUnicast = ipaddr.IPv6.parse('2000::');

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast' || hostAddresses.has(address.toString())) return false;
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast, 3);
}

async function readBody(body: AsyncIterable<Buffer>, mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > mostBytes) throw unavailable('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
