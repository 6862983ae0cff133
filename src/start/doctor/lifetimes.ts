import type { Finding, Findings } from './finding.js';

/** The last day on which a major version gets fixes of security holes. */
type LastDays = ReadonlyMap<number, string>;

/** https://github.com/nodejs/Release#release-schedule; odd versions live for half a year. */
const lastDaysOfNode: LastDays = new Map([
  [20, '2026-04-30'],
  [22, '2027-04-30'],
  [24, '2028-04-30'],
]);

/** https://www.postgresql.org/support/versioning/ */
const lastDaysOfPostgres: LastDays = new Map([
  [14, '2026-11-12'],
  [15, '2027-11-11'],
  [16, '2028-11-09'],
  [17, '2029-11-08'],
  [18, '2030-11-14'],
]);

/**
 * What to say of a version of Node that gets no fixes any more; undefined while it does.
 * @param version as in `process.versions.node`
 * @param at a time, in milliseconds since 1970
 */
export function endOfNode(version: string, at: number): string | undefined {
  const major = Number.parseInt(version, 10);
  const last = lastDaysOfNode.get(major);
  if (last === undefined && (major % 2 === 0 || major > 26)) return undefined;
  if (last !== undefined && !isPast(last, at)) return undefined;
  const since = last === undefined ? '' : ` since ${last}`;
  return `Node ${major} has had no security fixes${since}: install Node 24`;
}

/** The version of a PostgreSQL, and whether it gets fixes and is one that Keyway is tested with. */
export function ofPostgres(number: number, at: number, say: Findings): Finding {
  const major = Math.floor(number / 10_000);
  const name = `PostgreSQL ${major}.${number % 10_000}`;
  const last = lastDaysOfPostgres.get(major);
  if (last === undefined)
    return say.warning(
      `${name} is newer than those that this Keyway was made for`,
      'look for a newer Keyway',
    );
  if (isPast(last, at))
    return say.warning(`${name} has had no fixes since ${last}`, 'move to a newer version, up to 18');
  return say.ok(name);
}

const dayMs = 86_400_000;
const isPast = (last: string, at: number): boolean => at >= Date.parse(last) + dayMs;
