import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Parameters, Statement } from '../../src/database/database.js';

/** What stands between what it has read and what it does of it. */
export interface HeldReads {
  /** Waits until so many stand, in the order in which they came. */
  standing(count: number): Promise<void>;
  /** Lets one of them go on: the first that came is 0. */
  release(index: number): void;
  /** Holds no more of those that come from now on. */
  end(): void;
  /** Lets all go on that still stand. */
  releaseAll(): void;
}

/**
 * Holds whoever reads the row of this id outside of a transaction: it has read what there was, and others go on.
 * Within one, nobody could go on where there is one connection.
 * @param when `before` holds it before it has read anything.
 */
export function holdReads(db: Database, id: string, when: 'before' | 'after' = 'after'): HeldReads {
  const held: (() => void)[] = [];
  const came = new EventEmitter();
  const read = db.rows.bind(db);
  db.rows = async <Row extends object>(statement: Statement, parameters: Parameters = {}): Promise<Row[]> => {
    const holds = Object.values(parameters).flat().includes(id);
    const stand = () =>
      new Promise<void>((resolve) => {
        held.push(resolve);
        came.emit('came');
      });
    if (holds && when === 'before') await stand();
    const rows = await read<Row>(statement, parameters);
    if (holds && when === 'after') await stand();
    return rows;
  };
  return {
    standing: async (count) => {
      while (held.length < count) await once(came, 'came');
    },
    release: (index) => held[index]?.(),
    end: () => void (db.rows = read),
    releaseAll: () => {
      for (const release of held) release();
    },
  };
}

/**
 * Has statements outside of transactions take some time, so that those who ask meanwhile come together, however slow the
 * machine is.
 * @returns what ends that
 */
export function slowReads(
  db: Database,
  tookMs: number,
  which: (statement: Statement) => boolean = () => true,
): () => void {
  const read = db.rows.bind(db);
  db.rows = async (statement, parameters) => {
    if (which(statement)) await sleep(tookMs);
    return read(statement, parameters);
  };
  return () => void (db.rows = read);
}

/** The same database by another name: what holds reads of one holds none of the other. */
export const another = (db: Database): Database =>
  Object.create(db, {
    rows: { value: db.rows.bind(db), writable: true },
    transaction: { value: db.transaction.bind(db) },
    statement: { value: db.statement.bind(db) },
    now: { value: db.now.bind(db) },
  }) as Database;
