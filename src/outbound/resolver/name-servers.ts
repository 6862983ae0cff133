import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { askOne } from './question.js';

/** How long one name server is waited for: at first, and as many times that the second time. */
const slowestAnswerMs = 300;
const rounds = 2;

/** How long one that heard neither of two questions is asked after all others, before it is tried in its place again. */
export const serverRestMs = 10_000;

export interface NameServersOptions {
  /** With their ports; those of the system, as they are by then, where left out. */
  servers?: readonly string[] | undefined;
  /** A clock in milliseconds. */
  now?: (() => number) | undefined;
  /** Whether an IPv6 address is of use here; found out where left out. */
  hasIpv6?: boolean | undefined;
}

/** The name servers of this machine, with what is known of those that are dead. */
export class NameServers {
  readonly #restingUntil = new Map<string, number>();

  constructor(private readonly options: NameServersOptions) {}

  /**
   * The addresses of one name, of both kinds where both come soon; none where there is no such name.
   * @throws where that is not known.
   */
  async addressesOf(name: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
    const order = this.#inOrder(this.options.servers ?? new Resolver().getServers());
    const hasIpv6 = () => this.options.hasIpv6 ?? hasIpv6Address();
    let failure: unknown = new Error('no name server');
    let unreachable: readonly LookupAddress[] = [];
    for (let round = 1; round <= rounds; round++) {
      for (const server of order) {
        const timeoutMs = round * slowestAnswerMs;
        const answer = await askOne({ server, name, timeoutMs, hasIpv6 }, signal);
        if (!signal.aborted) this.#note(server, answer.heard);
        if (answer.isEnough) return answer.addresses;
        failure = answer.failure;
        if (signal.aborted) throw failure;
        if (answer.addresses.length > 0) unreachable = answer.addresses;
      }
    }
    if (unreachable.length > 0) return unreachable;
    throw failure;
  }

  /** Those that rest come last. One whose rest is over is tried in its place again, by one lookup alone. */
  #inOrder(all: readonly string[]): string[] {
    const now = this.#now();
    for (const server of this.#restingUntil.keys())
      if (!all.includes(server)) this.#restingUntil.delete(server);
    const rests = (server: string) => (this.#restingUntil.get(server) ?? 0) > now;
    const order = [...all.filter((server) => !rests(server)), ...all.filter(rests)];
    for (const server of this.#restingUntil.keys())
      if (!rests(server)) this.#restingUntil.set(server, now + serverRestMs);
    return order;
  }

  #note(server: string, heard: boolean): void {
    if (heard) this.#restingUntil.delete(server);
    else this.#restingUntil.set(server, this.#now() + serverRestMs);
  }

  #now(): number {
    return (this.options.now ?? (() => performance.now()))();
  }
}

const hasIpv6Address = (): boolean =>
  Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .some(({ family, internal, address }) => family === 'IPv6' && !internal && !/^fe[89ab]/i.test(address));
