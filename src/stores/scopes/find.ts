import { scopeGrantScope } from '../../access/scope.js';
import { anyOfIds } from '../../database/among.js';
import { selectRows } from '../../database/columns.js';
import { loadEach } from '../../lists/loading.js';
import { ScopeGrant } from './scope-grant.js';

/** Which accounts have which scopes of each store, as far as the caller may see it, oldest first. */
export const scopeGrantsOfStore = loadEach<ScopeGrant & { of: string }>((ctx) => {
  const scope = scopeGrantScope(ctx.principal);
  const statement = ctx.db.statement(`scope grants of stores:${scope.shape}`, (source) =>
    selectRows(source, ScopeGrant, 'g')
      .addSelect('g.store_id', 'of')
      .where(`g.store_id = ${anyOfIds}`)
      .andWhere(scope.sql)
      .orderBy('g.created_at')
      .addOrderBy('g.account_id')
      .addOrderBy('g.scope'),
  );
  return { statement, parameters: scope.parameters };
});
