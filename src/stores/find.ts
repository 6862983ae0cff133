import { storeScope } from '../access/scope.js';
import { selectRows } from '../columns.js';
import type { RequestContext } from '../context.js';
import { condition, every } from '../database.js';
import { notFound } from '../errors.js';
import { decodeId } from '../ids.js';
import { loadOne } from '../loading.js';
import { builtInStoreId, CredentialStore } from './store.js';

/**
 * The store behind a public id; the built-in one where none is named.
 * @throws NOT_FOUND where there is none for these eyes, BAD_USER_INPUT for another type's id.
 */
export async function findStore(
  ctx: RequestContext,
  id: string | null | undefined,
): Promise<CredentialStore> {
  const uuid = id ? decodeId('CredentialStore', id, 'input.store') : builtInStoreId;
  const store = await storeById(ctx).load(uuid);
  if (!store) throw notFound();
  return store;
}

export const storeById = loadOne<CredentialStore>((ctx, ids) => {
  const scope = storeScope(ctx.principal);
  const statement = ctx.db.statement(`stores by id:${scope.shape}`, (source) =>
    selectRows(source, CredentialStore, 's').where('s.id = ANY(:ids)').andWhere(scope.sql),
  );
  return ctx.db.rows(statement, { ...scope.parameters, ids });
});

/** The stores of credentials, by UUID: whoever was shown a credential may see its store. */
export const storeNamed = loadOne<CredentialStore>((ctx, ids) => {
  const statement = ctx.db.statement('stores named', (source) =>
    selectRows(source, CredentialStore, 's').where('s.id = ANY(:ids)'),
  );
  return ctx.db.rows(statement, { ids });
});

/** The store of that name, or null where there is none for these eyes. */
export async function findStoreByName(ctx: RequestContext, name: string): Promise<CredentialStore | null> {
  const where = every(condition('s.name = :name', { name }), storeScope(ctx.principal));
  const statement = ctx.db.statement(`store:${where.shape}`, (source) =>
    selectRows(source, CredentialStore, 's').where(where.sql),
  );
  const [store] = await ctx.db.rows<CredentialStore>(statement, where.parameters);
  return store ?? null;
}

/** All stores that the caller may see, in the order of their names. */
export function listStores(ctx: RequestContext): Promise<CredentialStore[]> {
  const scope = storeScope(ctx.principal);
  const statement = ctx.db.statement(`stores:${scope.shape}`, (source) =>
    selectRows(source, CredentialStore, 's').where(scope.sql).orderBy('s.name'),
  );
  return ctx.db.rows(statement, scope.parameters);
}
