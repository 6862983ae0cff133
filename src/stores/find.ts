import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { storeScope } from '../access/scope.js';
import { anyOfIds } from '../database/among.js';
import { selectRows } from '../database/columns.js';
import type { RequestContext } from '../access/context.js';
import { condition, every, sql, type Tx } from '../database/database.js';
import { notFound, unsupported } from '../errors.js';
import { decodeId } from '../inputs/decode-id.js';
import { loadEach, loadOne } from '../lists/loading.js';
import { builtInStoreId, CredentialStore, StoreKind, StoreSync } from './store.js';

/**
 * The store behind a public id; the built-in one where none is named.
 * @throws NOT_FOUND if there is none that the caller may see, BAD_USER_INPUT for another type's id.
 */
export async function findStore(
  ctx: RequestContext,
  id: string | null | undefined,
  path = 'input.store',
): Promise<CredentialStore> {
  const uuid = id ? decodeId('CredentialStore', id, path) : builtInStoreId;
  const store = await storeById(ctx).load(uuid);
  if (!store || store.deletedAt !== null) throw notFound();
  return store;
}

/**
 * An outside store that the caller manages.
 * @throws NOT_FOUND, FORBIDDEN without STORE_MANAGE there, UNSUPPORTED for Keyway's own.
 */
export async function findManaged(ctx: RequestContext, id: string): Promise<CredentialStore> {
  const store = await findStore(ctx, id, 'input.id');
  expectManaged(ctx, store);
  return store;
}

/**
 * The same as it is at this instant, locked to the end of the transaction.
 * @throws as `findManaged` does, where the caller's hold on it ended meanwhile.
 */
export async function lockManaged(ctx: RequestContext, tx: Tx, id: string): Promise<CredentialStore> {
  const where = every(condition('s.id = :id', { id }), live, storeScope(ctx.principal));
  const statement = ctx.db.statement(
    `store locked:${where.shape}`,
    (source) => selectRows(source, CredentialStore, 's').where(where.sql),
    (sql) => `${sql} FOR UPDATE OF s`,
  );
  const [store] = await tx.rows<CredentialStore>(statement, where.parameters);
  if (!store) throw notFound();
  expectManaged(ctx, store);
  return store;
}

/** Keeps a store from being disconnected, to the end of the transaction. @throws NOT_FOUND where it is gone already. */
export async function holdStore(tx: Tx, storeId: string): Promise<void> {
  const [held] = await tx.rows(connected, { storeId });
  if (!held) throw notFound();
}

function expectManaged(ctx: RequestContext, { id, kind, accountId }: CredentialStore): void {
  const about = { type: 'CredentialStore' as const, id };
  authorize(ctx.principal, Permission.STORE_MANAGE, { accountId, about });
  if (kind === StoreKind.BUILT_IN)
    throw unsupported("This is Keyway's own store: it cannot be changed, checked or deleted.");
}

/** The store that a verb has just changed, as it now is: who may do the verb may see what it did. */
export async function changedStore(ctx: RequestContext, id: string): Promise<CredentialStore> {
  const store = await storeNamed(ctx).clear(id).load(id);
  if (!store) throw notFound();
  return store;
}

/** Stores by UUID, deleted ones too: what belonged to one still says so. */
export const storeById = loadOne<CredentialStore>((ctx) => {
  const scope = storeScope(ctx.principal);
  const statement = ctx.db.statement(`stores by id:${scope.shape}`, (source) =>
    selectRows(source, CredentialStore, 's').where(`s.id = ${anyOfIds}`).andWhere(scope.sql),
  );
  return { statement, parameters: scope.parameters };
});

/** The stores of credentials, by UUID: a caller who was shown a credential may see its store. */
export const storeNamed = loadOne<CredentialStore>((ctx) => {
  const statement = ctx.db.statement('stores named', (source) =>
    selectRows(source, CredentialStore, 's').where(`s.id = ${anyOfIds}`),
  );
  return { statement, parameters: {} };
});

/** The store of that name, or null if there is none that the caller may see. */
export async function findStoreByName(ctx: RequestContext, name: string): Promise<CredentialStore | null> {
  const where = every(condition('s.name = :name', { name }), live, storeScope(ctx.principal));
  const statement = ctx.db.statement(`store:${where.shape}`, (source) =>
    selectRows(source, CredentialStore, 's').where(where.sql),
  );
  const [store] = await ctx.db.rows<CredentialStore>(statement, where.parameters);
  return store ?? null;
}

/** All stores that the caller may see, in the order of their names. */
export function listStores(ctx: RequestContext): Promise<CredentialStore[]> {
  const where = every(live, storeScope(ctx.principal));
  const statement = ctx.db.statement(`stores:${where.shape}`, (source) =>
    selectRows(source, CredentialStore, 's').where(where.sql).orderBy('s.sort_name'),
  );
  return ctx.db.rows(statement, where.parameters);
}

/** The last sync of each store, for a caller who was shown the store; at most one. */
export const lastSyncOfStore = loadEach<StoreSync & { of: string }>((ctx) => {
  const statement = ctx.db.statement('last sync of stores', (source) =>
    selectRows(source, StoreSync, 'y')
      .addSelect('y.store_id', 'of')
      .where(
        `y.id IN (SELECT DISTINCT ON (l.store_id) l.id FROM syncs l WHERE l.store_id = ${anyOfIds}
        ORDER BY l.store_id, l.started_at DESC, l.id DESC)`,
      ),
  );
  return { statement, parameters: {} };
});

const live = condition('s.deleted_at IS NULL');
const connected = sql('SELECT id FROM stores WHERE id = :storeId AND deleted_at IS NULL FOR SHARE');
