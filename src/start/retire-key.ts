import { isSigned, readCheckpoints } from '../audit/checkpoint-file.js';
import { sql, type Database, type Sql } from '../database/database.js';
import { takeKeyOut } from '../keyring/change-keys.js';
import { loadKeyFiles, type KeyKind } from '../keyring/kek-file.js';
import { openKeyring } from '../keyring/keyring.js';
import { rowsNaming, type NamingRows } from './key-rows.js';

export interface Retiring {
  readonly db: Database;
  /** Of the key files. */
  readonly directory: string;
  /** Of the file of checkpoints. */
  readonly checkpoints: string;
  readonly kind: KeyKind;
  readonly id: string;
  /** Whether verifiers and hashes that name the key are given up. */
  readonly abandon: boolean;
}

/**
 * Retires a key that nothing names any more: a start without it succeeds then, and nothing is made with it, by whatever
 * process still has it as its current one.
 * @returns what names it and was given up
 * @throws an Error to show, where it is current or needed; then it stays.
 */
export async function retireKey(retiring: Retiring): Promise<NamingRows[]> {
  const { db, directory, checkpoints, kind, id } = retiring;
  const files = loadKeyFiles(directory);
  if (files[kind].current === id)
    throw new Error(`${kind} ${id} is the current key: make another one current first.`);
  const [known] = await db.rows(knownKey, { kind, id });
  if (!known && !files[kind].keys.has(id)) throw new Error(`There is no key ${id} of the kind ${kind}.`);
  const expectNoLine = () => {
    if (kind === 'verifier') expectUnsigned(directory, checkpoints, id);
  };
  expectNoLine();
  const before = await db.transaction(async (tx) => {
    // Who names the key has this lock too, to the end of its transaction: all that has named it is counted, and what
    // comes after sees that it is retired.
    await tx.rows(alone, { kind, id });
    await tx.rows(retire, { kind, id });
    return expectUnneeded(tx, retiring);
  });
  expectNoLine();
  if (files[kind].keys.has(id)) takeKeyOut(directory, kind, id);
  return before;
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

/** @throws an Error to show, where checkpoints of the audit log are signed by this key alone. */
function expectUnsigned(directory: string, path: string, id: string): void {
  const files = loadKeyFiles(directory);
  if (!files.verifier.keys.has(id)) return;
  const keys = new Map([...files.verifier.keys].filter(([other]) => other !== id));
  const [all, without] = [
    openKeyring(files),
    openKeyring({ ...files, verifier: { ...files.verifier, keys } }),
  ];
  let count = 0;
  for (const { lines } of readCheckpoints(path, 0))
    for (const line of lines) if (line && !isSigned(without, line) && isSigned(all, line)) count++;
  if (count > 0)
    throw new Error(
      `verifier ${id} has signed ${count} lines of ${path}: move that file away first, and keep it with this key.`,
    );
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
