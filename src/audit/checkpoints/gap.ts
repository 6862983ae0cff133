import { sql, type Sql } from '../../database/database.js';
import type { Keyring } from '../../keyring/keyring.js';
import { linesHeld } from './breaks.js';
import type { Checkpoint } from './line.js';
import type { ReadLines } from './place.js';
import type { KeptEnding } from '../ending.js';

/** What checkpoints tell of a database that was put back to an earlier state, or is another one. */
export interface Gap {
  /** What ended since, the oldest first. */
  readonly ended: readonly EndedSince[];
  /** Events of which nothing says what ended by them: these numbers and all between. */
  readonly untold: readonly { account: string; first: string; last: string }[];
  /** Lines that these keys did not sign. */
  readonly unsigned: number;
}

/** What ended, and in whose chain that stood. */
export type EndedSince = KeptEnding & { readonly account: string };

/**
 * Reads what checkpoints have of events that the database does not have.
 * @param lines all of them, part by part
 */
export async function gapOf(
  db: Sql,
  keyring: Keyring,
  lines: AsyncIterable<ReadLines['lines']>,
): Promise<Gap> {
  const heads = new Map((await db.rows<Head>(readNumbers)).map(({ account, number }) => [account, number]));
  const chains = new Map<string, Checkpoint[]>();
  const held = new Map<string, number[]>();
  let unsigned = 0;
  for await (const part of linesHeld(db, keyring, lines)) {
    unsigned += part.unsigned;
    for (const line of part.held) addTo(held, line.account, Number(line.number));
    for (const line of part.lost) addTo(chains, line.account, line);
  }
  const ended: Timed[] = [];
  const untold: { account: string; first: string; last: string }[] = [];
  for (const [account, lines] of chains) {
    lines.sort((one, other) => (BigInt(one.number) < BigInt(other.number) ? -1 : 1));
    // What is ended that had ended already stays as it is. What holds beyond the first that was lost came after that.
    const lost = Number(lines[0]?.number);
    const common = (held.get(account) ?? []).filter((number) => number < lost);
    const since =
      common.length > 0
        ? BigInt(common.reduce((most, number) => Math.max(most, number)))
        : beginning(lines, BigInt(heads.get(account) ?? 0));
    untold.push(...untoldIn(lines, since).map((events) => ({ account, ...events })));
    ended.push(...endedIn(account, lines, since));
  }
  ended.sort((one, other) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0));
  return { ended: ended.map((one) => one.ended), untold, unsigned };
}

/** Where the lines begin, if the database goes as far as that. */
function beginning(lines: readonly Checkpoint[], head: bigint): bigint {
  const first = lines.reduce(
    (least, { from, number }) => {
      const start = BigInt(from ?? number);
      return least === undefined || start < least ? start : least;
    },
    undefined as bigint | undefined,
  );
  return first !== undefined && first < head ? first : head;
}

/** What ended, with a time that is never before that of an earlier event of its chain, whatever the clock did. */
interface Timed {
  readonly time: string;
  readonly ended: EndedSince;
}

function endedIn(account: string, lines: readonly Checkpoint[], since: bigint): Timed[] {
  const each = new Map<bigint, KeptEnding[]>();
  for (const { from, number, ended = [] } of lines) {
    // A line of before lines had this is signed without it.
    if (from === undefined) continue;
    const own = new Map<bigint, KeptEnding[]>();
    for (const one of ended) {
      const at = BigInt(one.number);
      if (at > since && at > BigInt(from) && at <= BigInt(number)) own.set(at, [...(own.get(at) ?? []), one]);
    }
    for (const [at, ones] of own) each.set(at, [...(each.get(at) ?? []), ...ones]);
  }
  let time = '';
  return [...each]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([, ones]) =>
      ones.map((one) => {
        if (one.at > time) time = one.at;
        return { time, ended: { ...one, account } };
      }),
    );
}

function addTo<One>(all: Map<string, One[]>, account: string, one: One): void {
  const known = all.get(account);
  if (known) known.push(one);
  else all.set(account, [one]);
}

/** Which events after this one are covered by no line. */
function untoldIn(lines: readonly Checkpoint[], since: bigint): { first: string; last: string }[] {
  const spans = lines
    .map(({ from, number }) => ({ from: BigInt(from ?? number), to: BigInt(number) }))
    .sort((one, other) => (one.from < other.from ? -1 : 1));
  const untold: { first: string; last: string }[] = [];
  let told = since;
  for (const { from, to } of spans) {
    if (from > told) untold.push({ first: String(told + 1n), last: String(from) });
    if (from > told || to > told) told = to > from ? to : from;
  }
  return untold;
}

interface Head {
  account: string;
  number: string;
}

const readNumbers = sql('SELECT account_id AS account, number::text AS number FROM audit_heads');
