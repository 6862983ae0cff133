import { setTimeout as sleep } from 'node:timers/promises';
import { record } from '../../audit/record.js';
import type { RequestContext } from '../../access/context.js';
import { sql } from '../../database/database.js';
import { unsupported } from '../../errors.js';
import { once } from '../../idempotency/once.js';
import { changedStore, findManaged, holdStore } from '../../stores/find.js';
import type { CredentialStore } from '../../stores/store.js';
import { begin } from './syncs.js';
import type { SyncStoreInput } from './sync.input.js';

const patienceMs = 10_000;
const glanceMs = 50;

/**
 * Syncs a store now. Answers when it is done, or after ten seconds while it goes on; `lastSync` tells how far
 * it has come. One that is under way already is waited for.
 * @throws NOT_FOUND; FORBIDDEN without STORE_MANAGE; UNSUPPORTED for Keyway's own store, which is its own inventory.
 */
export async function syncStore(ctx: RequestContext, input: SyncStoreInput): Promise<CredentialStore> {
  const { id, accountId } = await findManaged(ctx, input.id);
  if (accountId === null) throw unsupported("This is Keyway's own store: there is nothing to sync.");
  await once(ctx, 'store:sync', input, async (tx) => {
    await holdStore(tx, id);
    await begin(tx, id);
    await record(ctx, tx, { action: 'store:sync', target: { type: 'CredentialStore', id }, accountId });
    return { id };
  });
  await ctx.elsewhere(async () => {
    await ctx.syncs.goOn();
    for (const until = performance.now() + patienceMs; performance.now() < until; await sleep(glanceMs)) {
      const [open] = await ctx.db.rows(underWay, { id });
      if (!open || ctx.left.aborted) break;
    }
  });
  return changedStore(ctx, id);
}

// One that waits for the store to be back is not waited for.
const underWay = sql(`
  SELECT 1 AS one FROM syncs WHERE store_id = :id AND finished_at IS NULL AND next_at <= now()`);
