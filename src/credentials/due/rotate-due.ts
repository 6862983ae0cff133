import type { Account } from '../../accounts/account.js';
import { nobody, type Actor } from '../../audit/decision.js';
import type { Ending } from '../../audit/ending.js';
import { recordAs } from '../../audit/record.js';
import { selectRows } from '../../database/columns.js';
import { mint } from '../../connectors/built-in.js';
import { sql, type Database, type Sql, type Tx } from '../../database/database.js';
import { KeywayError } from '../../errors.js';
import { newId } from '../../ids.js';
import type { StoreParts } from '../../stores/open.js';
import { Slots } from '../../shares/slots.js';
import { StoreKind } from '../../stores/store.js';
import { Credential } from '../record/credential.js';
import { DueLine, turnable, type Due } from './due-line.js';
import { keepSecret, prepare } from '../secret/keep-secret.js';
import { together } from '../../database/joined.js';
import { durationMs } from '../../time.js';
import { advance } from '../outside/advance.js';
import type { Lease } from '../outside/lease.js';
import { expectRotatable, planRotation, presentAt } from '../rotate-outside.js';
import { nextOutsideWish } from '../outside/outside-wish.js';
import { heldTurn, switchTo, turnHeld } from '../rotate-here.js';
import { paceMs, turnsPerMs } from '../record/policy.js';
import { isNewest, newestOf, type Newest } from '../record/versions.js';
import { wishForNext } from '../secret/wish.js';

/** How long after one credential of an owner the next may turn, where its policies leave time for that. */
export const apartMs = 600_000;
/** How soon a rotation is tried again that could not begin, or failed. */
const againMs = 60_000;
const mostAtOnce = 20;

/**
 * Rotates what its policy wants rotated by now, where the new secret can be had afterwards. The tenants are served in
 * turn, and of each what is late the longest comes first. Of what one owner answers for, one at a time, so that linked
 * credentials never turn together; and no more in one store than its limit of calls leaves room for. What could not be
 * begun, whatever the reason, keeps nothing else waiting, and is tried ever more rarely. Once among all replicas: whoever
 * takes an owner's turn has it.
 */
export class DueRotations {
  readonly #slots = new Slots(mostAtOnce);
  readonly #line: DueLine;

  /** @param apart the longest time between two of one owner, in milliseconds: less, where its policies ask for more. */
  constructor(
    readonly parts: StoreParts,
    readonly apart = apartMs,
  ) {
    this.#line = new DueLine(parts.db);
  }

  /**
   * Begins what comes next, without waiting for the stores; to be called every second.
   * @returns for each whether it was begun in the end.
   */
  tick(): Promise<Promise<boolean>[]> {
    const { parts, apart } = this;
    return this.#slots.fill(
      async (asked) => {
        const wanted = { ...asked, running: this.#slots.running() };
        return withinBudgets(parts, await this.#line.next(wanted, Math.min(againMs, apart)));
      },
      (due) => tryOne(parts, due, apart),
    );
  }

  /** Waits for what is under way. */
  stop(): Promise<void> {
    return this.#slots.end();
  }
}

/** Leaves out what a store that limits its calls has no room for in one second. */
function withinBudgets({ connectors }: StoreParts, all: readonly Due[]): Due[] {
  const planned = new Map<string, number>();
  return all.filter(({ storeId, storeKind }) => {
    const budget = connectors[storeKind]?.budget;
    const already = planned.get(storeId) ?? 0;
    planned.set(storeId, already + 1);
    return !budget || already < Math.ceil(1_000 * turnsPerMs(budget));
  });
}

async function tryOne(parts: StoreParts, due: Due, apart: number): Promise<boolean> {
  const { db, log } = parts;
  const told = { credential: due.id };
  try {
    return await rotateOne(parts, due, apart);
  } catch (error) {
    const again = 'a rotation that is due could not begin, and will be tried again';
    if (error instanceof KeywayError) log.warn({ ...told, code: error.code }, again);
    else log.error({ ...told, error }, again);
  }
  try {
    // The owner's turn is still to be had: its other credentials are not to wait for one that cannot turn.
    await db.rows(noteTried, { id: due.id });
  } catch (error) {
    log.error({ ...told, error }, 'a rotation that is due could not be put off');
  }
  return false;
}

async function rotateOne(parts: StoreParts, due: Due, apart: number): Promise<boolean> {
  const { db, keyring } = parts;
  const found = await credentialOf(db, db, due.id);
  const wanting = nobody(newId());
  if (due.storeKind === StoreKind.BUILT_IN) {
    const { wish } = wishForNext(found, { kind: due.accountKind } as Account, null);
    const prepared = await prepare(keyring, [due.tenant], found.kind, mint(wish));
    return db.transaction(async (tx) => {
      const credential = await takeTurn(db, tx, due, found, apart);
      if (!credential) return false;
      const graceMs = durationMs(credential.rotateGrace ?? 'PT0S');
      const { turn } = heldTurn(await together(db, tx, turnHeld(credential.id)));
      const { kind, retrievable } = credential;
      const kept = await keepSecret(parts, credential, turn.to, kind, retrievable, prepared);
      const next = { ...turn, wish, minted: prepared.minted, kept, graceMs, by: null, atMs: db.now() };
      await switchTo(db, tx, credential, next);
      await tell(parts, tx, wanting, credential, ['secret'], { secretsBefore: turn.to });
      return true;
    });
  }
  const connector = parts.connectors[due.storeKind];
  if (!connector) return false;
  expectRotatable(connector, found);
  const wish = nextOutsideWish(connector, found, null);
  const before = await presentAt(parts, connector, found);
  const lease = await db.transaction(async (tx): Promise<Lease | undefined> => {
    const credential = await takeTurn(db, tx, due, found, apart);
    if (!credential) return undefined;
    const lives = connector.rotation?.previous === 'lives';
    const graceMs = lives ? durationMs(credential.rotateGrace ?? 'PT0S') : 0;
    const planned = await planRotation(parts, tx, wanting, credential, wish, { graceMs, before });
    await tell(parts, tx, wanting, credential, []);
    return planned.lease;
  });
  if (lease) await advance(parts, lease, false);
  return lease !== undefined;
}

/** The credential, locked, where it is still due, has the secret that was found, and its owner's turn is had. */
async function takeTurn(
  db: Database,
  tx: Tx,
  { id, ownerId }: Due,
  found: Newest,
  apart: number,
): Promise<Credential | undefined> {
  const [locked] = await tx.rows(stillDue, { id });
  if (!locked || !(await isNewest(tx, found))) return undefined;
  const [turn] = await tx.rows(claimTurn, { ownerId, apart: await paceMs(tx, ownerId, apart) });
  if (!turn) return undefined;
  await tx.rows(noteTried, { id });
  return credentialOf(tx, db, id);
}

const tell = (
  parts: StoreParts,
  tx: Tx,
  wanting: Actor,
  credential: Credential,
  changed: string[],
  ends?: Ending,
) => {
  const { id, accountId, projectId } = credential;
  const target = { type: 'Credential' as const, id };
  return recordAs(parts.keyring, tx, wanting, {
    action: 'credential:rotate-due',
    target,
    accountId,
    projectId,
    changed,
    ends,
  });
};

async function credentialOf(on: Sql, db: Database, id: string): Promise<Credential & Newest> {
  const statement = db.statement('credential due', (source) =>
    selectRows(source, Credential, 'c').addSelect(newestOf, 'newest').where('c.id = :id'),
  );
  const [credential] = await on.rows<Credential & Newest>(statement, { id });
  if (!credential) throw new KeywayError('NOT_FOUND');
  return credential;
}

const noteTried = sql('UPDATE credentials SET rotation_tried_at = now() WHERE id = :id');
const stillDue = sql(
  `SELECT c.id FROM credentials c WHERE c.id = :id AND ${turnable} FOR UPDATE SKIP LOCKED`,
);
const claimTurn = sql(`
  INSERT INTO rotation_turns AS t (owner_id, next_at)
  VALUES (:ownerId, now() + CAST(:apart AS double precision) * interval '1 millisecond')
  ON CONFLICT (owner_id) DO UPDATE SET next_at = excluded.next_at WHERE t.next_at <= now() RETURNING owner_id`);
