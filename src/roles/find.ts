import { roleGrantScope, roleScope } from '../access/scope.js';
import { anyOfIds } from '../database/among.js';
import { columnsFor, selectRows } from '../database/columns.js';
import type { RequestContext } from '../access/context.js';
import { condition, every, type Condition, type Database, type Sql, type Tx } from '../database/database.js';
import type { Part } from '../database/joined.js';
import { badInput, notFound } from '../errors.js';
import { decodeId, decodeIds } from '../inputs/decode-id.js';
import { list, listUnder, type Listing } from '../lists/listing.js';
import type { Shareable } from '../database/sharing.js';
import { loadEach, loadLists, loadOne } from '../lists/loading.js';
import type { Connection, Order, Ordered, PageArgs } from '../lists/paging.js';
import { searching } from '../lists/search.js';
import { Grant } from './grant.js';
import { Role } from './role.js';

/** @throws NOT_FOUND if there is none that the caller may see, BAD_USER_INPUT naming `path` for another type's id. */
export async function findRole(ctx: RequestContext, id: string, path: string): Promise<Role> {
  const role = await oneRole(ctx, condition('r.id = :id', { id: decodeId('Role', id, path) }));
  if (!role) throw notFound();
  return role;
}

/**
 * The role of that name, or null if there is none that the caller may see: the one that is for all accounts, or else the
 * only one.
 * @throws BAD_USER_INPUT where several accounts or stores have one.
 */
export async function findRoleByName(ctx: RequestContext, name: string): Promise<Role | null> {
  const where = every(condition('r.name = :name', { name }), roleScope(ctx.principal));
  const statement = ctx.db.statement(
    `role named:${where.shape}`,
    (source) =>
      selectRows(source, Role, 'r')
        .where(where.sql)
        .orderBy('(r.account_id IS NULL AND r.store_id IS NULL)', 'DESC'),
    (sql) => `${sql} LIMIT 2`,
  );
  const [role, other] = await ctx.db.rows<Role>(statement, where.parameters);
  if (role && other && (role.accountId !== null || role.storeId !== null))
    throw badInput('name', 'is the name of several roles: look for it in the roles of its account or store');
  return role ?? null;
}

/**
 * The roles behind public ids, each once.
 * @throws NOT_FOUND if the caller may not see one of them; BAD_USER_INPUT naming `path` for another type's id, or one
 * twice.
 */
export async function findRoles(ctx: RequestContext, ids: readonly string[], path: string): Promise<Role[]> {
  const uuids = decodeIds('Role', ids, path);
  if (new Set(uuids).size < uuids.length) throw badInput(path, 'must not name a role twice');
  const roles = await Promise.all(uuids.map((uuid) => roleById(ctx).load(uuid)));
  return roles.map((role) => {
    if (!role) throw notFound();
    return role;
  });
}

/**
 * Roles, kept from change to the end of the transaction, as part of a statement that locks them in the order of their ids,
 * as others do, and brings them in that of their names.
 */
export const rolesHeld = (db: Database, ids: readonly string[]): Part => ({
  statement: db.statement(
    'roles held',
    (source) =>
      selectRows(source, Role, 'r')
        .addSelect('r.sort_name', 'sortName')
        .where(`r.id = ${anyOfIds}`)
        .orderBy('r.id'),
    (text) => `SELECT * FROM (${text} FOR SHARE) held ORDER BY held."sortName"`,
  ),
  parameters: { ids },
});

/** What is read of roles only where it is asked for. */
export const roleColumns = columnsFor({
  whole: {
    columns: ['description', 'permissions', 'builtIn', 'accountId', 'storeId', 'edition', 'updatedAt'],
    fields: ['description', 'permissions', 'builtIn', 'account', 'store', 'grants', 'updatedAt'],
  },
});

export const roleById = loadOne<Role>((ctx) => {
  const scope = roleScope(ctx.principal);
  const statement = ctx.db.statement(`roles by id:${scope.shape}`, (source) =>
    selectRows(source, Role, 'r').where(`r.id = ${anyOfIds}`).andWhere(scope.sql),
  );
  return { statement, parameters: scope.parameters };
});

/** The roles of grants, by UUID: a caller who was shown a grant may see its role. */
export const roleNamed = loadOne<Role>((ctx) => {
  const statement = ctx.db.statement('roles named', (source) =>
    selectRows(source, Role, 'r').where(`r.id = ${anyOfIds}`),
  );
  return { statement, parameters: {} };
});

export interface RoleFilterArgs {
  account?: string[] | null;
  store?: string[] | null;
  search?: string | null;
}

/** A page of roles in the order of their names. */
export function listRoles(
  ctx: RequestContext,
  filter: RoleFilterArgs,
  args: PageArgs,
): Promise<Connection<Role & Ordered>> {
  const where: Condition[] = [roleScope(ctx.principal)];
  if (filter.account) {
    const account = decodeIds('Account', filter.account, 'filter.account');
    where.push(condition('r.account_id = ANY(:account)', { account }));
  }
  if (filter.store) {
    const store = decodeIds('CredentialStore', filter.store, 'filter.store');
    where.push(condition('r.store_id = ANY(:store)', { store }));
  }
  if (filter.search) where.push(searching(words, filter.search));
  return list(ctx, roles, rolesByName, every(...where), args);
}

/** A page of the roles of each account, and of each store, in the order of their names. */
export const rolesOfAccount = rolesUnder('r.account_id = parent.id');
export const rolesOfStore = rolesUnder('r.store_id = parent.id');

function rolesUnder(under: string) {
  return loadLists(
    (args: PageArgs) => JSON.stringify(args),
    (ctx, parents, args) =>
      listUnder<Role>(ctx, roles, rolesByName, roleScope(ctx.principal), args, under, parents),
  );
}

/**
 * The role as it is at this instant, kept from change to the end of the transaction.
 * @throws NOT_FOUND if there is none that the caller may see.
 */
export async function lockRole(ctx: RequestContext, tx: Tx, id: string): Promise<Role> {
  const where = every(condition('r.id = :id', { id }), roleScope(ctx.principal));
  const statement = ctx.db.statement(
    `role locked:${where.shape}`,
    (source) => selectRows(source, Role, 'r').where(where.sql),
    (sql) => `${sql} FOR UPDATE OF r`,
  );
  const [role] = await tx.rows<Role>(statement, where.parameters);
  if (!role) throw notFound();
  return role;
}

/** The role that a verb has just changed, as it now is: who may do the verb may see what it did. */
export async function changedRole(ctx: RequestContext, id: string): Promise<Role> {
  const statement = ctx.db.statement('role changed', (source) =>
    selectRows(source, Role, 'r').where('r.id = :id'),
  );
  const [role] = await ctx.db.rows<Role>(statement, { id });
  if (!role) throw notFound();
  return role;
}

/** The grant behind a UUID, or undefined if there is none that the caller may see. */
export async function grantById(ctx: RequestContext, sql: Sql, id: string): Promise<Grant | undefined> {
  const { statement, parameters } = grantsAsked(ctx, `g.id = ${anyOfIds}`, 'g.id');
  const [grant] = await sql.rows<Grant>(statement, { ...parameters, ids: [id] });
  return grant;
}

/** The grant that a verb has just made: who may give it may see what they gave. */
export async function changedGrant(ctx: RequestContext, id: string): Promise<Grant> {
  const statement = ctx.db.statement('grant changed', (source) =>
    selectRows(source, Grant, 'g').where('g.id = :id'),
  );
  const [grant] = await ctx.db.rows<Grant>(statement, { id });
  if (!grant) throw notFound();
  return grant;
}

export const grantLoader = loadOne<Grant>((ctx) => grantsAsked(ctx, `g.id = ${anyOfIds}`, 'g.id'));

/** The grants of each account, of each role, on each account and on each project, oldest first. */
export const grantsOfAccount = loadEach<Grant & { of: string }>((ctx) =>
  grantsAsked(ctx, `g.account_id = ${anyOfIds}`, 'g.account_id'),
);
export const grantsOfRole = loadEach<Grant & { of: string }>((ctx) =>
  grantsAsked(ctx, `g.role_id = ${anyOfIds}`, 'g.role_id'),
);
export const grantsOnAccount = loadEach<Grant & { of: string }>((ctx) =>
  grantsAsked(ctx, `g.on_account_id = ${anyOfIds}`, 'g.on_account_id'),
);
export const grantsOnProject = loadEach<Grant & { of: string }>((ctx) =>
  grantsAsked(ctx, `g.on_project_id = ${anyOfIds}`, 'g.on_project_id'),
);

function grantsAsked(ctx: RequestContext, where: string, of: string): Shareable {
  const scope = roleGrantScope(ctx.principal);
  const statement = ctx.db.statement(`grants ${where}:${scope.shape}`, (source) =>
    selectRows(source, Grant, 'g')
      .addSelect(of, 'of')
      .where(where)
      .andWhere(scope.sql)
      .orderBy('g.created_at')
      .addOrderBy('g.id'),
  );
  return { statement, parameters: scope.parameters };
}

async function oneRole(ctx: RequestContext, which: Condition): Promise<Role | null> {
  const where = every(which, roleScope(ctx.principal));
  const statement = ctx.db.statement(`role:${where.shape}`, (source) =>
    selectRows(source, Role, 'r').where(where.sql),
  );
  const [role] = await ctx.db.rows<Role>(statement, where.parameters);
  return role ?? null;
}

const roles: Listing = { name: 'roles', select: (source) => selectRows(source, Role, 'r'), from: 'roles r' };
/** What a search looks in, as the index roles_search has it. */
const words = `(E'\\n' || keyway_words(r.name))`;
export const rolesByName: Order = {
  name: 'roles by name',
  expression: 'r.sort_name',
  type: 'text',
  id: 'r.id',
  direction: 'ASC',
};
