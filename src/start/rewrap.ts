import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database/database.js';
import { KeywayError } from '../errors.js';
import { keyKinds } from '../keyring/kek-file.js';
import type { Keyring } from '../keyring/keyring.js';
import type { Log } from '../log.js';
import { countOlder, type KeyCount } from './key-rows.js';
import { sealedTables, type SealedRow, type SealedTable } from './sealed-places.js';
import type { WrapCount } from './wrap-count.js';

const batch = 100;
/** Until the next look for what others may have sealed by an older key, and where something could not be opened. */
const restMs = 5_000;
const restAfterFaultMs = 60_000;
const countEveryMs = 60_000;
const toldAtMost = 10;

/** A record that could not be brought to the current key, by its table and row. */
interface Unreadable {
  table: string;
  id: string;
  number: number;
}

/**
 * Brings all that is sealed to the KEK that is current, a few records at a time; the secrets stay closed. What is left to
 * do is told by the rows themselves, so that any process goes on with it, and several at once do no harm. With a single KEK
 * it asks the database nothing.
 */
export class Rewrap {
  #restsUntil = 0;
  #for = '';
  #countsAgainAt = 0;
  #older = '';
  #counts: readonly KeyCount[] = [];
  #unreadable = 0;
  #stopped = false;

  constructor(private readonly parts: { db: Database; keyring: Keyring; wraps: WrapCount; log: Log }) {}

  /** How many rows named each key that is not current, when they were counted; of kinds with one key there is nothing. */
  get counts(): readonly KeyCount[] {
    return this.#counts;
  }

  /** How many records could not be opened when they were last tried. */
  get unreadable(): number {
    return this.#unreadable;
  }

  async tick(): Promise<void> {
    const { keyring } = this.parts;
    const current = keyring.currentId('kek');
    const now = performance.now();
    // Before all of it is done, which may take minutes.
    await this.#count();
    // Where its provider has not unwrapped it yet, nothing can be brought to it.
    if (!keyring.hasKek(current)) return;
    if (current !== this.#for || now >= this.#restsUntil) {
      this.#for = current;
      const done = await this.#pass(current);
      this.#restsUntil = performance.now() + (this.#unreadable > 0 ? restAfterFaultMs : restMs);
      if (done > 0) this.#countsAgainAt = 0;
      await this.#count();
    }
  }

  /** Counts what is left, once a minute, and less often where that takes long. */
  async #count(): Promise<void> {
    const { keyring, db } = this.parts;
    const older = keyKinds.map((kind) => keyring.olderIds(kind).join()).join(';');
    const began = performance.now();
    if (older === this.#older && began < this.#countsAgainAt) return;
    this.#older = older;
    this.#counts = await countOlder(db, keyring);
    const tookMs = performance.now() - began;
    this.#countsAgainAt = performance.now() + Math.max(countEveryMs, 100 * tookMs);
  }

  /** Ends what is under way after the records that it is at. */
  stop(): Promise<void> {
    this.#stopped = true;
    return Promise.resolve();
  }

  /** @returns how many records were brought to the current key */
  async #pass(current: string): Promise<number> {
    const { keyring, log } = this.parts;
    const older = keyring.olderIds('kek');
    const unreadable: Unreadable[] = [];
    let done = 0;
    for (const table of sealedTables)
      for (const kek of older) done += await this.#allOf(table, kek, current, unreadable);
    if (this.#stopped) return done;
    if (done > 0)
      log.info({ kek: current, records: done }, 'what was sealed by an older key is by this one now');
    if (unreadable.length > 0 && unreadable.length !== this.#unreadable)
      log.error(
        { kek: current, count: unreadable.length, records: unreadable.slice(0, toldAtMost) },
        'records could not be opened, and stay by the key that they name',
      );
    this.#unreadable = unreadable.length;
    return done;
  }

  async #allOf(table: SealedTable, kek: string, current: string, unreadable: Unreadable[]): Promise<number> {
    const { db, keyring, wraps } = this.parts;
    let done = 0;
    for (let after = first; !this.#stopped;) {
      const began = performance.now();
      const rows = await db.rows<SealedRow>(table.next, { kek, batch, ...after });
      const last = rows.at(-1);
      if (!last) break;
      await wraps.reserve(current);
      const made: { row: SealedRow; sealed: Buffer }[] = [];
      for (const row of rows) {
        const sealed = await this.#rewrapped(table, row);
        if (sealed) made.push({ row, sealed });
        else unreadable.push({ table: table.name, id: row.id, number: row.number });
      }
      // Another key has become current meanwhile: the next pass is for that one.
      if (keyring.currentId('kek') !== current) break;
      if (made.length > 0) done += await this.#keep(table, kek, current, made);
      after = { id: last.id, number: last.number };
      // As long as it took: requests go on beside it.
      await sleep(performance.now() - began);
    }
    return done;
  }

  /** @returns undefined where the record cannot be opened. @throws UNAVAILABLE where the current key is used up */
  async #rewrapped(table: SealedTable, row: SealedRow): Promise<Buffer | undefined> {
    try {
      return (await this.parts.keyring.rewrap(Buffer.from(row.sealed), table.placeOf(row))).sealed;
    } catch (error) {
      // Also of a KEK that is not here; where it can be opened, the current one cannot be used.
      const isUsedUp = error instanceof KeywayError && error.code === 'UNAVAILABLE';
      if (isUsedUp && (await this.#opens(table, row))) throw error;
      return undefined;
    }
  }

  async #opens(table: SealedTable, row: SealedRow): Promise<boolean> {
    try {
      (await this.parts.keyring.open(Buffer.from(row.sealed), table.placeOf(row))).wipe();
      return true;
    } catch {
      return false;
    }
  }

  async #keep(
    { keep }: SealedTable,
    kek: string,
    current: string,
    made: readonly { row: SealedRow; sealed: Buffer }[],
  ): Promise<number> {
    const put = await this.parts.db.rows(keep, {
      kek,
      current,
      ids: made.map(({ row }) => row.id),
      numbers: made.map(({ row }) => row.number),
      olds: made.map(({ row }) => Buffer.from(row.sealed)),
      nexts: made.map(({ sealed }) => sealed),
    });
    return put.length;
  }
}

const first = { id: '00000000-0000-0000-0000-000000000000', number: 0 };
