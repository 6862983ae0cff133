import { attemptIfNeeded, attemptWhere } from '../accounts/second-factor.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { sql, violates, type Tx } from '../database/database.js';
import { badInput, conflict } from '../errors.js';
import { answeredBefore, once } from '../idempotency/once.js';
import { tryConnection } from './check.js';
import { type StoreConnection, connectionOf } from './connection.js';
import { wipe } from './create.js';
import { changedStore, findManaged, lockManaged } from './find.js';
import { keepsSecrets, moveSecrets } from './sealed/move.js';
import { sealSecrets } from './open.js';
import { replaceOwnKeys } from './own-key.js';
import type { UpdateStoreInput } from './store.input.js';
import { CredentialStore } from './store.js';

/**
 * Changes the name of a store, or its connection, once the store has taken what Keyway is to prove itself with. What
 * Keyway keeps of its credentials goes by another connection only for those who may be shown all of it.
 * @throws NOT_FOUND, FORBIDDEN without STORE_MANAGE, and as `moveSecrets` does; UNSUPPORTED for Keyway's own,
 * BAD_USER_INPUT for a connection that cannot be one or is of another kind; STORE_REJECTED, UNAVAILABLE and RATE_LIMITED,
 * and nothing is changed; CONFLICT for a name in use.
 */
export async function updateStore(ctx: RequestContext, input: UpdateStoreInput): Promise<CredentialStore> {
  const found = await findManaged(ctx, input.id);
  // A repeated request has the code of its own moment.
  const { mfaCode, ...asked } = input;
  if (await answeredBefore(ctx, 'store:update', asked)) return changedStore(ctx, found.id);
  let connection = input.connection && connectionOf(ctx.connectors, input.connection, ctx.outboundHttp);
  try {
    if (connection) expectKind(input, connection, found);
    const isNeeded = connection !== undefined && (await keepsSecrets(ctx.db, found));
    const factor = await attemptWhere(ctx, isNeeded, mfaCode);
    if (connection) connection = await tryConnection(ctx, connection);
    const next = connection;
    const change = () =>
      once(ctx, 'store:update', asked, async (tx) => {
        const store = await lockManaged(ctx, tx, found.id);
        const changed = input.name !== undefined && input.name !== store.name ? ['name'] : [];
        if (input.name !== undefined && changed.length > 0) await rename(tx, store.id, input.name);
        if (next) {
          if (!factor.isProved && (await keepsSecrets(tx, store))) await attemptIfNeeded(ctx, null);
          await moveSecrets(ctx, tx, store, next);
          await reconnect(ctx, tx, store, next);
          changed.push('connection');
        }
        await factor.prove(tx);
        await record(ctx, tx, {
          action: 'store:update',
          target: { type: 'CredentialStore', id: store.id },
          accountId: store.accountId ?? ctx.principal.accountId,
          changed,
        });
        return { id: store.id };
      });
    await factor.during(change);
    // What failed at the place where it was before says nothing of where it is now.
    if (connection) ctx.gates.forget(found.id);
    return await changedStore(ctx, found.id);
  } finally {
    if (connection) wipe(connection);
  }
}

function expectKind(
  input: UpdateStoreInput,
  { kind }: StoreConnection,
  store: Pick<CredentialStore, 'kind'>,
): void {
  if (kind === store.kind) return;
  const [member = ''] = Object.keys(input.connection ?? {});
  throw badInput(`input.connection.${member}`, 'must be of the kind that the store is');
}

async function rename(tx: Tx, id: string, name: string): Promise<void> {
  try {
    await tx.em.getRepository(CredentialStore).update({ id }, { name, updatedAt: () => 'now()' });
  } catch (error) {
    if (violates(error, 'stores_name')) throw conflict('The name of the store is in use.');
    throw error;
  }
}

/** Each secret that is kept has a number of its own, which it is sealed to. */
async function reconnect(
  ctx: RequestContext,
  tx: Tx,
  { id, accountId, ...store }: CredentialStore,
  { addresses, settings, secrets, region, own }: StoreConnection,
): Promise<void> {
  const secretNumber = store.secretNumber + 1;
  const { sealed, kekId } = await sealSecrets(
    ctx.keyring,
    { id, accountId, secretNumber, addresses },
    secrets,
  );
  await tx.em.getRepository(CredentialStore).update(
    { id },
    {
      endpoint: addresses['endpoint'] ?? null,
      region,
      addresses,
      settings,
      sealed,
      kekId,
      secretNumber,
      reachable: true,
      problem: null,
      checkedAt: () => 'now()',
      updatedAt: () => 'now()',
    },
  );
  await replaceOwnKeys(tx, { id, accountId, ...store }, own);
  await tx.rows(beginAnew, { id });
}

// What a sync has seen so far was seen elsewhere, or in another order: it goes on from no place of before.
const beginAnew = sql(`
  UPDATE syncs SET resume_from = NULL, unread = '{}', fence = fence + 1, lease_until = now(), next_at = now()
  WHERE store_id = :id AND finished_at IS NULL RETURNING id`);
