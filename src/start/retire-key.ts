import { isSigned, lineText, sealOf } from '../audit/checkpoints/line.js';
import { allLines, linesByMonth, type CheckpointPlace } from '../audit/checkpoints/place.js';
import { sql, type Database, type Sql } from '../database/database.js';
import { takeKeyOut } from '../keyring/change-keys.js';
import { loadKeyFiles, type KeyKind } from '../keyring/kek-file.js';
import { idsOf } from '../keyring/key-file.js';
import { openKeyring, type Keyring } from '../keyring/keyring.js';
import { rowsNaming, type NamingRows } from './key-rows.js';

export interface Retiring {
  readonly db: Database;
  /** Of the key files. */
  readonly directory: string;
  /** Where the checkpoints lie. */
  readonly place: CheckpointPlace;
  readonly kind: KeyKind;
  readonly id: string;
  /** Whether verifiers and hashes that name the key are given up. */
  readonly abandon: boolean;
}

export interface Retired {
  /** What names the key and was given up. */
  readonly givenUp: readonly NamingRows[];
  /** Where checkpoints are that it has signed. */
  readonly kept: readonly string[];
}

/**
 * Retires a key that nothing names any more: a start without it succeeds then, and nothing is made with it, by whatever
 * process still has it as its current one.
 * Checkpoints that it alone has signed are signed anew.
 * @throws an Error to show, where it is current or needed; then it stays.
 */
export async function retireKey(retiring: Retiring): Promise<Retired> {
  const { db, directory, place, kind, id } = retiring;
  const files = loadKeyFiles(directory);
  if (files[kind].current === id)
    throw new Error(`${kind} ${id} is the current key: make another one current first.`);
  const [known] = await db.rows(knownKey, { kind, id });
  const isInFile = idsOf(files[kind]).includes(id);
  if (!known && !isInFile) throw new Error(`There is no key ${id} of the kind ${kind}.`);
  const givenUp = await db.transaction(async (tx) => {
    // Who names the key has this lock too, to the end of its transaction: all that has named it is counted, and what
    // comes after sees that it is retired.
    await tx.rows(alone, { kind, id });
    await tx.rows(retire, { kind, id });
    return expectUnneeded(tx, retiring);
  });
  const kept = kind === 'verifier' ? await signAnew(place, directory, id) : [];
  if (isInFile) await takeKeyOut(directory, kind, id);
  return { givenUp, kept };
}

async function expectUnneeded(db: Sql, { kind, id, abandon }: Retiring): Promise<NamingRows[]> {
  const rows = (await rowsNaming(db, kind, [id])).filter((one) => one.rows > 0);
  if (rows.length === 0) return rows;
  if (kind === 'audit')
    throw new Error(`audit ${id} is needed for as long as there are events of its time, to check them.`);
  const all = told(rows);
  if (kind === 'kek')
    throw new Error(
      `kek ${id} is still named by ${all}. A running Keyway seals them again by the current key: wait, and see its log for records that it could not open.`,
    );
  if (!abandon)
    throw new Error(
      `${kind} ${id} is still named by ${all}. What is used is renewed at its next use. With --abandon the key is retired all the same: then none of these can be verified any more.`,
    );
  return rows;
}

/**
 * Begins the checkpoints anew, where lines of them are signed by this key alone, with the same lines signed by the current
 * one. @returns where those of before are then
 */
async function signAnew(place: CheckpointPlace, directory: string, id: string): Promise<string[]> {
  const files = loadKeyFiles(directory);
  if (!files.verifier.keys.has(id)) return [];
  const keys = new Map([...files.verifier.keys].filter(([other]) => other !== id));
  const [all, without] = [
    openKeyring(files),
    openKeyring({ ...files, verifier: { ...files.verifier, keys } }),
  ];
  if (!(await needs(place, all, without))) return [];
  const signed = async function* () {
    for await (const { month, lines } of linesByMonth(place, sealOf(all)))
      yield {
        month,
        lines: lines.flatMap((line) =>
          line && isSigned(all, line) ? [lineText(without, line.checkpoint)] : [],
        ),
      };
  };
  return place.begin(signed(), { ...sealOf(all), of: sealOf(without).of }, () => Promise.resolve());
}

/** Whether there is a line that `all` keys have signed, and those `without` one have not. */
async function needs(place: CheckpointPlace, all: Keyring, without: Keyring): Promise<boolean> {
  const generation = async (keyring: Keyring) => (await place.segments(sealOf(keyring)))[0]?.identity;
  if ((await generation(without)) !== (await generation(all))) return true;
  for await (const lines of allLines(place, sealOf(all)))
    if (lines.some((line) => line && !isSigned(without, line) && isSigned(all, line))) return true;
  return false;
}

/** What there is of each thing, as a sentence has it. */
export const told = (rows: readonly NamingRows[]): string =>
  rows.map(({ what, rows: count }) => `${count} ${what}`).join(', ');

const knownKey = sql('SELECT id FROM keyring_keys WHERE kind = :kind AND id = :id');
const alone = sql(
  `SELECT pg_advisory_xact_lock(hashtextextended('keyway key ' || CAST(:kind AS text) || ' ' || CAST(:id AS text), 0))`,
);
const retire = sql(
  'UPDATE keyring_keys SET retired_at = coalesce(retired_at, now()) WHERE kind = :kind AND id = :id',
);
