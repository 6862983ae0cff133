import { sql, type Sql } from '../../database/database.js';
import type { Keyring } from '../../keyring/keyring.js';
import { isSigned, type Checkpoint } from './line.js';
import type { ReadLines } from './place.js';

/** The first event at which a chain is not what it was. */
export interface Break {
  account: string;
  number: string;
  reason: string;
}

/**
 * Which of these lines have another event in their place, or none. One statement for each ten thousand, by the index of
 * the chains.
 * @param reasons what is told of either
 */
export async function unlikeTheirRows(
  db: Sql,
  lines: readonly Pick<Checkpoint, 'account' | 'number' | 'hash'>[],
  reasons: { another: string; missing: string } = ofLines,
): Promise<Break[]> {
  const breaks: Break[] = [];
  for (let first = 0; first < lines.length; first += linesAtOnce) {
    const some = lines.slice(first, first + linesAtOnce);
    const found = await db.rows<{ account: string; number: string; there: boolean }>(unlike, {
      accounts: some.map(({ account }) => account),
      numbers: some.map(({ number }) => number),
      hashes: some.map(({ hash }) => hash),
    });
    for (const { account, number, there } of found)
      breaks.push({ account, number, reason: there ? reasons.another : reasons.missing });
  }
  return breaks;
}

/** So many lines are looked up by one statement. */
export const linesAtOnce = 10_000;

/** A part of the lines, by whether the database has the event that each is of. */
export interface ComparedLines {
  readonly held: Checkpoint[];
  readonly lost: Checkpoint[];
  /** How many these keys did not sign. What is no line, such as one that a crash cut off, does not count. */
  readonly unsigned: number;
}

/** Compares all lines with the database, part by part. */
export async function* linesHeld(
  db: Sql,
  keyring: Keyring,
  all: AsyncIterable<ReadLines['lines']>,
): AsyncGenerator<ComparedLines> {
  for await (const lines of all) yield comparedWithRows(db, keyring, lines);
}

/** Compares a part of the lines with the database. */
export async function comparedWithRows(
  db: Sql,
  keyring: Keyring,
  lines: ReadLines['lines'],
): Promise<ComparedLines> {
  const signed = lines.flatMap((line) => (line && isSigned(keyring, line) ? [line.checkpoint] : []));
  const unlike = new Set((await unlikeTheirRows(db, signed)).map(keyOf));
  const isLost = (line: Checkpoint) => unlike.has(keyOf(line));
  return {
    held: signed.filter((line) => !isLost(line)),
    lost: signed.filter(isLost),
    unsigned: lines.filter((line) => line !== undefined).length - signed.length,
  };
}

/**
 * The place of the latest epoch that lines name, among those that these keys know: no event that they do not cover is of
 * an earlier one.
 */
export const floorOf = (keyring: Keyring, lines: Iterable<Pick<Checkpoint, 'epoch'>>): number => {
  const epochs = keyring.auditEpochs();
  let floor = -1;
  for (const { epoch = '' } of lines) floor = Math.max(floor, epochs.indexOf(epoch));
  return floor;
};

export const belowFloor = 'is of an earlier epoch than checkpoints from before it name';
/** What is told against a checkpoint, and against the head of a chain. */
export const ofLines = {
  another: 'is not what its checkpoint says',
  missing: 'is missing, and a checkpoint knows of it',
};
export const ofHeads = {
  another: 'cannot be told: the head of the chain is another',
  missing: 'is missing, and the head of the chain knows of it',
};

/** What a chain's head itself tells against a line. */
export function behind(
  { account, number, hash }: Pick<Checkpoint, 'account' | 'number' | 'hash'>,
  head: Checkpoint | undefined,
): Break[] {
  if (!head) return [{ account, number: '1', reason: ofLines.missing }];
  if (BigInt(head.number) < BigInt(number))
    return [{ account, number: String(BigInt(head.number) + 1n), reason: ofLines.missing }];
  return head.number === number && head.hash !== hash ? [{ account, number, reason: ofLines.another }] : [];
}

export function firstOfEach(breaks: readonly Break[]): Break[] {
  const first = new Map<string, Break>();
  for (const one of breaks) {
    const known = first.get(one.account);
    if (!known || BigInt(one.number) < BigInt(known.number)) first.set(one.account, one);
  }
  return [...first.values()];
}

const keyOf = ({ account, number }: Pick<Checkpoint, 'account' | 'number'>): string => `${account} ${number}`;

const unlike = sql(`
  SELECT line.account, line.number::text AS number, e.hash IS NOT NULL AS there
  FROM unnest(CAST(:accounts AS uuid[]), CAST(:numbers AS bigint[]), CAST(:hashes AS text[])) AS line (account, number, hash)
  LEFT JOIN audit_events e ON e.account_id = line.account AND e.number = line.number
  WHERE e.hash IS DISTINCT FROM decode(line.hash, 'hex')`);
