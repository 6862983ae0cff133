import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';

/** The addresses of the names in a hosts file (hosts(5)), by the names in small letters. */
export function parseHosts(text: string): ReadonlyMap<string, readonly LookupAddress[]> {
  const hosts = new Map<string, LookupAddress[]>();
  for (const [address = '', ...names] of wordsOf(text, /#.*/)) {
    const family = isIP(address);
    if (family === 0) continue;
    for (const name of names.map((each) => each.toLowerCase()))
      hosts.set(name, [...(hosts.get(name) ?? []), { address, family }]);
  }
  return hosts;
}

/** How a name is completed: with these domains in turn, and by itself first where it has so many dots. */
export interface Search {
  readonly domains: readonly string[];
  readonly ndots: number;
}

const mostNdots = 15;

/** What resolv.conf(5) says of that; of `search` and `domain` the last one counts. */
export function parseSearch(text: string): Search {
  let domains: readonly string[] = [];
  let ndots = 1;
  for (const [keyword, ...values] of wordsOf(text, /^[#;].*/)) {
    if (keyword === 'search') domains = values;
    if (keyword === 'domain') domains = values.slice(0, 1);
    const given = keyword === 'options' ? values.find((value) => /^ndots:\d+$/.test(value)) : undefined;
    if (given) ndots = Math.min(Number(given.slice('ndots:'.length)), mostNdots);
  }
  return {
    domains: domains.map((domain) => domain.replace(/\.$/, '')).filter((domain) => domain !== ''),
    ndots,
  };
}

/** The names that are asked for, one after another, until one is there. A dot at the end says that a name is whole. */
export function namesFor(name: string, { domains, ndots }: Search): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const completed = domains.map((domain) => `${name}.${domain}`);
  return name.split('.').length - 1 >= ndots ? [name, ...completed] : [...completed, name];
}

const wordsOf = (text: string, comment: RegExp): string[][] =>
  text
    .split('\n')
    .map((each) => each.replace(comment, '').trim())
    .flatMap((each) => (each === '' ? [] : [each.split(/\s+/)]));
