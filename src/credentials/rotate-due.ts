import type { Account } from '../accounts/account.js';
import { works } from '../access/works.js';
import { nobody, type Actor } from '../audit/decision.js';
import { recordAs } from '../audit/record.js';
import { selectRows } from '../database/columns.js';
import { mint } from '../connectors/built-in.js';
import { sql, type Database, type Sql, type Tx } from '../database/database.js';
import { KeywayError } from '../errors.js';
import { newId } from '../ids.js';
import type { StoreParts } from '../stores/open.js';
import { StoreKind } from '../stores/store.js';
import { Credential } from './record/credential.js';
import { prepare } from './secret/keep-secret.js';
import { durationMs } from '../time.js';
import { advance } from './outside/advance.js';
import type { Lease } from './outside/lease.js';
import { expectRotatable, planRotation, presentAt } from './rotate-outside.js';
import { nextOutsideWish } from './outside/outside-wish.js';
import { switchTo } from './rotate-here.js';
import { isNewest, newestOf, type Newest } from './record/versions.js';
import { wishForNext } from './secret/wish.js';

/** How long after one credential of an owner the next may turn. */
export const apartMs = 600_000;
const mostAtOnce = 20;

interface Due {
  id: string;
  ownerId: string;
  storeKind: StoreKind;
  accountKind: Account['kind'];
}

/**
 * Rotates what its policy wants rotated by now, where the new secret can be had afterwards; of what one owner answers
 * for, one at a time, so that linked credentials never turn together. Once among all replicas: whoever takes an owner's
 * turn has it. Returns how many it began.
 */
export async function rotateDue(parts: StoreParts, apart = apartMs): Promise<number> {
  let begun = 0;
  for (const due of await parts.db.rows<Due>(dueNow, { most: mostAtOnce })) {
    try {
      if (await rotateOne(parts, due, apart)) begun++;
    } catch (error) {
      if (!(error instanceof KeywayError)) throw error;
      const { code } = error;
      // Its turn is over all the same: others of the owner's are not to wait for a store that is down.
      await parts.db.rows(claimTurn, { ownerId: due.ownerId, apart });
      parts.log.warn(
        { credential: due.id, code },
        'a rotation that is due could not begin, and will be tried again',
      );
    }
  }
  return begun;
}

async function rotateOne(parts: StoreParts, due: Due, apart: number): Promise<boolean> {
  const { db, keyring } = parts;
  const found = await credentialOf(db, db, due.id);
  const wanting = nobody(newId());
  if (due.storeKind === StoreKind.BUILT_IN) {
    const { wish } = wishForNext(found, { kind: due.accountKind } as Account, null);
    const prepared = await prepare(keyring, found.kind, mint(wish));
    return db.transaction(async (tx) => {
      const credential = await takeTurn(db, tx, due, found, apart);
      if (!credential) return false;
      const graceMs = durationMs(credential.rotateGrace ?? 'PT0S');
      await switchTo(keyring, tx, credential, { wish, prepared, graceMs, by: null, atMs: db.now() });
      await tell(parts, tx, wanting, credential, ['secret']);
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
  const [turn] = await tx.rows(claimTurn, { ownerId, apart });
  return turn ? credentialOf(tx, db, id) : undefined;
}

const tell = (parts: StoreParts, tx: Tx, wanting: Actor, credential: Credential, changed: string[]) => {
  const { id, accountId, projectId } = credential;
  const target = { type: 'Credential' as const, id };
  return recordAs(parts.keyring, tx, wanting, {
    action: 'credential:rotate-due',
    target,
    accountId,
    projectId,
    changed,
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

// Keys of a provider are for the caller to bring, what Keyway reaches a store with is for those who manage the store, and
// a secret that nobody could fetch would be lost to those who use it.
const turnable = `c.rotation_due_at <= now() AND c.retrievable AND c.kind <> 'PROVIDER_KEYS'
  AND NOT c.reaches_store AND c.parent_id IS NULL AND ${works}
  AND NOT EXISTS (SELECT 1 FROM intents i WHERE i.credential_id = c.id AND i.state = 'OPEN' AND i.verb <> 'RETIRE')`;

const dueNow = sql(`
  SELECT DISTINCT ON (coalesce(c.owner_id, c.account_id)) c.id, coalesce(c.owner_id, c.account_id) AS "ownerId",
    s.kind AS "storeKind", a.kind AS "accountKind"
  FROM credentials c JOIN stores s ON s.id = c.store_id JOIN accounts a ON a.id = c.account_id
  LEFT JOIN rotation_turns t ON t.owner_id = coalesce(c.owner_id, c.account_id)
  WHERE ${turnable} AND coalesce(t.next_at, '-infinity') <= now()
  ORDER BY coalesce(c.owner_id, c.account_id), random() LIMIT CAST(:most AS integer)`);
const stillDue = sql(
  `SELECT c.id FROM credentials c WHERE c.id = :id AND ${turnable} FOR UPDATE SKIP LOCKED`,
);
const claimTurn = sql(`
  INSERT INTO rotation_turns AS t (owner_id, next_at)
  VALUES (:ownerId, now() + CAST(:apart AS double precision) * interval '1 millisecond')
  ON CONFLICT (owner_id) DO UPDATE SET next_at = excluded.next_at WHERE t.next_at <= now() RETURNING owner_id`);
