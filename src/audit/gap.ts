import { sql, type Sql } from '../database/database.js';
import type { Keyring } from '../keyring/keyring.js';
import { linesHeld } from './breaks.js';
import type { Checkpoint } from './checkpoint-file.js';
import type { KeptEnding } from './ending.js';

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
 * Reads what the file of checkpoints has of events that the database does not have.
 * @param path the file
 */
export async function gapOf(db: Sql, keyring: Keyring, path: string): Promise<Gap> {
  const heads = new Map((await db.rows<Head>(readNumbers)).map(({ account, number }) => [account, number]));
  const chains = new Map<string, Checkpoint[]>();
  const forked = new Map<string, bigint>();
  let unsigned = 0;
  for await (const { line, holds } of linesHeld(db, keyring, path)) {
    if (!line) unsigned++;
    else if (holds) forked.set(line.account, BigInt(line.number));
    else chains.set(line.account, [...(chains.get(line.account) ?? []), line]);
  }
  const ended: EndedSince[] = [];
  const untold: { account: string; first: string; last: string }[] = [];
  for (const [account, lines] of chains) {
    const head = BigInt(heads.get(account) ?? 0);
    // Of a chain that went on otherwise all counts that comes after the last event that both have.
    const isFork = lines.some(({ number }) => BigInt(number) <= head);
    const since = isFork ? (forked.get(account) ?? 0n) : head;
    untold.push(...untoldIn(lines, since).map((events) => ({ account, ...events })));
    const numbers = new Set<string>();
    for (const one of lines.flatMap((line) => line.ended ?? [])) {
      if (BigInt(one.number) <= since || numbers.has(one.number)) continue;
      numbers.add(one.number);
      ended.push({ ...one, account });
    }
  }
  return { ended: ended.sort((one, other) => (one.at < other.at ? -1 : 1)), untold, unsigned };
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
