import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { namesFor, parseHosts, parseSearch } from './system-files.js';
import { watchedFile } from './watched-file.js';

/** What a name resolves to. @throws where it resolves to nothing, and where `signal` is aborted before it is known. */
export type Resolve = (hostname: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;

export interface ResolverOptions {
  /** The system's, where left out. */
  hosts?: string;
  resolvConf?: string;
  /** Name servers, with their ports; those of resolv.conf where left out. */
  servers?: readonly string[];
}

/** How long one name server is waited for, before it is asked again or the next one is. */
const slowestAnswerMs = 300;

/**
 * Resolves names by the hosts file and by DNS, as the system would for most. The system itself does it in the runtime's
 * few threads, which a name server that does not answer keeps for many seconds, from all others that need one, with no
 * way to end it.
 */
export function openResolver({
  hosts = '/etc/hosts',
  resolvConf = '/etc/resolv.conf',
  servers,
}: ResolverOptions = {}): Resolve {
  const known = watchedFile(hosts, parseHosts);
  const search = watchedFile(resolvConf, parseSearch);

  return async (hostname, signal) => {
    const family = isIP(hostname);
    if (family !== 0) return [{ address: hostname, family }];
    const name = hostname.toLowerCase();
    const bare = name.replace(/\.$/, '');
    const local = known().get(bare) ?? (/^(?:.+\.)?localhost$/.test(bare) ? loopback : undefined);
    if (local) return local;
    signal.throwIfAborted();
    // One for each name: it is cancelled by itself, and knows the name servers as they are by now.
    const resolver = new Resolver({ timeout: slowestAnswerMs, tries: 2 });
    if (servers) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      for (const each of namesFor(name, search())) {
        const found = await addressesOf(resolver, each);
        if (found.length > 0) return found;
        signal.throwIfAborted();
      }
    } finally {
      signal.removeEventListener('abort', cancel);
    }
    throw new Error('no such name');
  };
}

// RFC 6761, section 6.3: names under it never leave the machine.
const loopback: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** The addresses of one name, of both kinds; none where there is no such name. @throws where that is not known. */
async function addressesOf(resolver: Resolver, name: string): Promise<LookupAddress[]> {
  const answers = await Promise.allSettled([
    resolver.resolve4(name).then((all) => all.map((address) => ({ address, family: 4 }))),
    resolver.resolve6(name).then((all) => all.map((address) => ({ address, family: 6 }))),
  ]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const failed = answers.find((answer) => answer.status === 'rejected' && !isAbsent(answer.reason));
  if (found.length === 0 && failed?.status === 'rejected') throw failed.reason;
  return found;
}

// A name that a search domain makes too long is none.
const isAbsent = (error: unknown): boolean =>
  ['ENOTFOUND', 'ENODATA', 'EBADNAME'].includes(String((error as { code?: unknown }).code));
