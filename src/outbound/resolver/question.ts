import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';

/** RFC 8305, section 3: how long the addresses of one kind wait for those of the other. */
const otherKindMs = 50;

interface Question {
  server: string;
  name: string;
  timeoutMs: number;
  /** Whether an IPv6 address is of use here. */
  hasIpv6: () => boolean;
}

interface Answer {
  addresses: LookupAddress[];
  /** Whether nothing more has to be asked: there are addresses of use, or there is no such name. */
  isEnough: boolean;
  /** Whether the server said anything at all. */
  heard: boolean;
  /** Why what is not known is not. */
  failure: unknown;
}

/** What came of one kind of addresses. */
interface Half {
  family: number;
  addresses: LookupAddress[];
  failure?: { code?: unknown };
}

/** Asks one name server once for the addresses of both kinds. Never throws. Ends where `signal` is aborted. */
export async function askOne(
  { server, name, timeoutMs, hasIpv6 }: Question,
  signal: AbortSignal,
): Promise<Answer> {
  // One for each question: it is cancelled by itself.
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  resolver.setServers([server]);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const soon = () =>
    new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), otherKindMs)));
  // What the other kind is worth no long wait for. Some servers say NXDOMAIN to every question for IPv6 (RFC 4074,
  // section 4.2): of those for IPv4 it is true.
  const settles = ({ family, addresses, failure }: Half) =>
    addresses.length > 0 ? family === 4 || hasIpv6() : family === 4 && failure?.code === 'ENOTFOUND';
  try {
    const v4 = half(4, resolver.resolve4(name));
    const v6 = half(6, resolver.resolve6(name));
    const first = await Promise.race([v4, v6]);
    const other = first.family === 4 ? v6 : v4;
    const second = await (settles(first) ? Promise.race([other, soon()]) : other);
    const halves = [first, ...(second ? [second] : [])].sort((a, b) => a.family - b.family);
    const addresses = halves.flatMap((each) => each.addresses);
    const failure = halves.find((each) => each.failure && !isAbsent(each.failure.code))?.failure;
    return {
      addresses,
      isEnough: !failure || halves.some(settles),
      heard: halves.some((each) => !silent.includes(String(each.failure?.code))),
      failure,
    };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
    resolver.cancel();
  }
}

const half = (family: number, asked: Promise<string[]>): Promise<Half> =>
  asked.then(
    (all) => ({ family, addresses: all.map((address) => ({ address, family })) }),
    (failure: unknown) => ({ family, addresses: [], failure: failure as { code?: unknown } }),
  );

// A name that a search domain makes too long is none.
const isAbsent = (code: unknown): boolean => ['ENOTFOUND', 'ENODATA', 'EBADNAME'].includes(String(code));

const silent = ['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED'];
