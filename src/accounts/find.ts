import type { Permission } from '../access/principal.js';
import { heldByEach, type Held } from '../access/rights.js';
import { accountScope, identityScope } from '../access/scope.js';
import { anyOfIds } from '../database/among.js';
import { selectRows } from '../database/columns.js';
import type { RequestContext } from '../access/context.js';
import { condition, every, sql, type Condition, type Tx } from '../database/database.js';
import type { Part } from '../database/joined.js';
import { notFound } from '../errors.js';
import { decodeId, decodeIds } from '../inputs/decode-id.js';
import { list, listUnder, type Listing } from '../lists/listing.js';
import { loadEach, loadLists, loadOne, loadOneBy } from '../lists/loading.js';
import type { Connection, Order, Ordered, PageArgs } from '../lists/paging.js';
import { searching } from '../lists/search.js';
import { Account, type AccountKind } from './account.js';
import { Identity } from './identity.js';

export interface AccountFilterArgs {
  kind?: AccountKind[] | null;
  parent?: string[] | null;
  search?: string | null;
}

/**
 * The account behind a public id, where the caller may see it.
 * @param by the permission of the verb at hand: it shows the account too.
 * @throws NOT_FOUND if there is none that the caller may see, BAD_USER_INPUT naming `path` for another type's id.
 */
export async function findAccount(
  ctx: RequestContext,
  id: string,
  path: string,
  by?: Permission,
): Promise<Account> {
  const uuid = decodeId('Account', id, path);
  const account = await accountFor(ctx, by).load(uuid);
  if (!account) throw notFound();
  return account;
}

const accountFor = loadOneBy<Account, Permission>((ctx, by) => {
  const scope = accountScope(ctx.principal, by);
  const statement = ctx.db.statement(`account found:${scope.shape}`, (source) =>
    selectRows(source, Account, 'a').where(`a.id = ${anyOfIds}`).andWhere(live.sql).andWhere(scope.sql),
  );
  return { statement, parameters: scope.parameters };
});

/** The account of that name, or null if there is none that the caller may see. */
export async function findAccountByName(ctx: RequestContext, name: string): Promise<Account | null> {
  const where = every(condition('a.name = :name', { name }), live, accountScope(ctx.principal));
  const statement = ctx.db.statement(`account:${where.shape}`, (source) =>
    selectRows(source, Account, 'a').where(where.sql),
  );
  const [account] = await ctx.db.rows<Account>(statement, where.parameters);
  return account ?? null;
}

/**
 * The account as it is at this instant, locked to the end of the transaction.
 * @throws NOT_FOUND where the caller's hold on it ended meanwhile.
 */
export async function lockAccount(ctx: RequestContext, tx: Tx, id: string, by: Permission): Promise<Account> {
  const where = every(condition('a.id = :id', { id }), live, accountScope(ctx.principal, by));
  const statement = ctx.db.statement(
    `account locked:${where.shape}`,
    (source) => selectRows(source, Account, 'a').where(where.sql),
    (sql) => `${sql} FOR UPDATE OF a`,
  );
  const [account] = await tx.rows<Account>(statement, where.parameters);
  if (!account) throw notFound();
  return account;
}

/**
 * Keeps accounts that a new row is to name from being deleted, to the end of the transaction.
 * @throws NOT_FOUND where one is gone already.
 */
export async function holdAccounts(tx: Tx, ids: readonly string[]): Promise<void> {
  const { statement, parameters } = accountsHeld([...new Set(ids)]);
  if ((await tx.rows(statement, parameters)).length < new Set(ids).size) throw notFound();
}

/** The same as part of a statement, which brings a row for each account that is there. */
export const accountsHeld = (ids: readonly string[]): Part => ({
  statement: liveAccounts,
  parameters: { ids },
});

/** Keeps the row of an account, as part of a statement, for another row that is to name it. */
export const accountKept = (id: string): Part => ({ statement: keptAccount, parameters: { id } });

/** The account that a verb has just changed, as it now is, deleted since or not: who may do the verb may see what it did. */
export async function changedAccount(ctx: RequestContext, id: string): Promise<Account> {
  const account = await accountNamed(ctx).clear(id).load(id);
  if (!account) throw notFound();
  return account;
}

/** Accounts by UUID, deleted ones too: what belonged to one still says so. */
export const accountById = loadOne<Account>((ctx) => {
  const scope = accountScope(ctx.principal);
  const statement = ctx.db.statement(`accounts by id:${scope.shape}`, (source) =>
    selectRows(source, Account, 'a').where(`a.id = ${anyOfIds}`).andWhere(scope.sql),
  );
  return { statement, parameters: scope.parameters };
});

/** The accounts that rows must name, by UUID: a caller who was shown such a row may see them, by whatever path. */
export const accountNamed = loadOne<Account>((ctx) => {
  const statement = ctx.db.statement('accounts named', (source) =>
    selectRows(source, Account, 'a').where(`a.id = ${anyOfIds}`),
  );
  return { statement, parameters: {} };
});

/** What an account holds, to decide by: nobody is shown it. @throws BAD_USER_INPUT naming `path` for another type's id. */
export async function grantsHeld(ctx: RequestContext, id: string, path: string): Promise<Held[]> {
  const uuid = decodeId('Account', id, path);
  return heldByAccount(ctx).load(uuid);
}

const heldByAccount = loadEach<Held & { of: string }>(() => ({ statement: heldByEach, parameters: {} }));

/** A page of accounts in the order of their names. */
export function listAccounts(
  ctx: RequestContext,
  filter: AccountFilterArgs,
  args: PageArgs,
): Promise<Connection<Account & Ordered>> {
  const where: Condition[] = [live, accountScope(ctx.principal)];
  if (filter.kind) where.push(condition('a.kind = ANY(:kind)', { kind: filter.kind }));
  if (filter.parent) {
    const parent = decodeIds('Account', filter.parent, 'filter.parent');
    where.push(condition('a.parent_id = ANY(:parent)', { parent }));
  }
  if (filter.search) where.push(searching('a.search_text', filter.search));
  return list(ctx, accounts, accountsByName, every(...where), args);
}

/** A page of the accounts that are part of each account. */
export const subAccounts = loadLists(
  (args: PageArgs) => JSON.stringify(args),
  (ctx, parents, args) =>
    listUnder<Account>(
      ctx,
      accounts,
      accountsByName,
      every(live, accountScope(ctx.principal)),
      args,
      'a.parent_id = parent.id',
      parents,
    ),
);

/** The identities of each account, shown to itself and to those who manage it. */
export const identitiesOfAccount = loadEach<Identity & { of: string }>((ctx) => {
  const scope = identityScope(ctx.principal);
  const statement = ctx.db.statement(`identities of accounts:${scope.shape}`, (source) =>
    selectRows(source, Identity, 'i')
      .addSelect('i.account_id', 'of')
      .where(`i.account_id = ${anyOfIds}`)
      .andWhere(scope.sql)
      .orderBy('i.issuer')
      .addOrderBy('i.subject'),
  );
  return { statement, parameters: scope.parameters };
});

const liveAccounts = sql(`
  SELECT id FROM accounts WHERE id = ANY(CAST(:ids AS uuid[])) AND deleted_at IS NULL ORDER BY id FOR SHARE`);
const keptAccount = sql('SELECT id FROM accounts WHERE id = :id FOR KEY SHARE');
const live = condition('a.deleted_at IS NULL');
const accounts: Listing = {
  name: 'accounts',
  select: (source) => selectRows(source, Account, 'a'),
  from: 'accounts a',
};
/** The order of lists of accounts. */
export const accountsByName: Order = {
  name: 'accounts by name',
  expression: 'a.sort_name',
  type: 'text',
  id: 'a.id',
  direction: 'ASC',
};
