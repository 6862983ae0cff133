import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { NameServers, type NameServersOptions } from './name-servers.js';
import { namesFor, parseHosts, parseSearch } from './system-files.js';
import { watchedFile } from './watched-file.js';

/** What a name resolves to. @throws where it resolves to nothing, and where `signal` is aborted before it is known. */
export type Resolve = (hostname: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;

export interface ResolverOptions extends NameServersOptions {
  /** The system's, where left out. */
  hosts?: string;
  resolvConf?: string;
}

/**
 * Resolves names by the hosts file and by DNS, as the system would for most. The system itself does it in the runtime's
 * few threads, which a name server that does not answer keeps for many seconds, from all others that need one, with no
 * way to end it.
 */
export function openResolver({
  hosts = '/etc/hosts',
  resolvConf = '/etc/resolv.conf',
  ...others
}: ResolverOptions = {}): Resolve {
  const known = watchedFile(hosts, parseHosts);
  const search = watchedFile(resolvConf, parseSearch);
  const servers = new NameServers(others);

  return async (hostname, signal) => {
    const family = isIP(hostname);
    if (family !== 0) return [{ address: hostname, family }];
    const name = hostname.toLowerCase();
    const bare = name.replace(/\.$/, '');
    const local = known().get(bare) ?? (/^(?:.+\.)?localhost$/.test(bare) ? loopback : undefined);
    if (local) return local;
    signal.throwIfAborted();
    for (const each of namesFor(name, search())) {
      const found = await servers.addressesOf(each, signal);
      if (found.length > 0) return found;
      signal.throwIfAborted();
    }
    throw new Error('no such name');
  };
}

// RFC 6761, section 6.3: names under it never leave the machine.
const loopback: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];
