import { homesOf, may, mayGive, type Homed, type Place } from '../access/authorize.js';
import type { RequestContext } from '../access/context.js';
import { giverTo, type Principal } from '../access/principal.js';
import { sql, type Sql, type Tx } from '../database/database.js';
import { badInput, forbidden } from '../errors.js';
import { newId } from '../ids.js';
import { StoreKind, type CredentialStore } from '../stores/store.js';
import type { Role } from './role.js';

/** A credential that is to carry roles: where it is, and in which store. */
export interface Carrying extends Place {
  accountId: string;
  /** Who is to own it, where that gives the caller nothing yet. */
  receiver?: string | undefined;
  store: Pick<CredentialStore, 'id' | 'kind' | 'accountId'>;
}

/**
 * Nobody gives a role that is not theirs to give, nor a permission that they do not hold. In an outside store a role
 * stands for that store's role of its name, which is what the vendor is told. To what is the caller's own, only what its
 * account holds without its token's claims.
 * @param db the transaction at hand, where there is one: it may hold the only connection.
 * @param kept what it carries already: that is not given
 * @throws BAD_USER_INPUT for a role that cannot be used there; FORBIDDEN.
 */
export async function authorizeGiving(
  ctx: RequestContext,
  roles: readonly Role[],
  { store, receiver, ...place }: Carrying,
  kept: readonly string[] = [],
  db: Sql = ctx.db,
): Promise<void> {
  const given = roles.flatMap((role, index) =>
    kept.includes(role.id) ? [] : [{ role, path: `input.roles.${index}` }],
  );
  if (given.length === 0) return;
  const giver = giverTo(ctx.principal, place.accountId, place.owner, receiver);
  if (store.kind === StoreKind.BUILT_IN) {
    await expectUsable(db, given, place);
    for (const { role } of given) authorizeRole(giver, { ...role, storeAccountId: null }, role, place);
    return;
  }
  const names = namesOf(roles);
  const its = await db.rows<Pick<Role, 'id' | 'name'>>(storesNamed, { store: store.id, names });
  const home = { builtIn: false, accountId: null, storeId: store.id, storeAccountId: store.accountId };
  for (const { role, path } of given) {
    if (role.storeId !== null && role.storeId !== store.id)
      throw badInput(path, 'must not be a role of another store');
    const id = its.find(({ name }) => name === role.name)?.id ?? '';
    if (!mayGive(giver, { ...home, id }, place)) throw forbidden(notOfStore);
  }
}

/**
 * What a credential in this store carries for these roles: in Keyway's own, they themselves; in another, those of the
 * store by the same names, made where it has none.
 */
export async function rolesIn(tx: Tx, store: Carrying['store'], roles: readonly Role[]): Promise<Role[]> {
  if (store.kind === StoreKind.BUILT_IN || roles.length === 0) return [...roles];
  const names = namesOf(roles);
  await tx.rows(makeInStore, { store: store.id, ids: names.map(() => newId()), names });
  const its = await tx.rows<Role>(storesNamed, { store: store.id, names });
  return names.flatMap((name) => its.filter((role) => role.name === name));
}

/**
 * Nobody lets an account hold a role that is not theirs to give, as `authorizeGiving` says.
 * @throws BAD_USER_INPUT, FORBIDDEN
 */
export async function authorizeGranting(giver: Principal, tx: Tx, role: Role, place: Place): Promise<void> {
  const [home] = await homesOf(tx, [role.id]);
  if (!home) throw forbidden();
  const above = home.storeAccountId ?? home.accountId;
  if (above !== null) await expectWithin(tx, [{ home: above, path: 'input.role' }], place);
  authorizeRole(giver, home, role, place);
}

function authorizeRole(principal: Principal, home: Homed, { permissions }: Role, place: Place): void {
  if (!permissions.every((permission) => may(principal, permission, place))) throw forbidden(notHeld);
  if (!mayGive(principal, home, place)) throw forbidden(home.storeId === null ? notToGive : notOfStore);
}

/** @throws BAD_USER_INPUT for a role of a store, and for one of an account that this place is no part of. */
async function expectUsable(db: Sql, given: readonly Given[], place: Place): Promise<void> {
  for (const { role, path } of given)
    if (role.storeId !== null)
      throw badInput(path, 'must not be a role of a store: those are for its own credentials');
  const homes = given.flatMap(({ role, path }) =>
    role.accountId === null ? [] : [{ home: role.accountId, path }],
  );
  if (homes.length > 0) await expectWithin(db, homes, place);
}

interface Given {
  role: Role;
  /** Where it is named in the input. */
  path: string;
}

async function expectWithin(
  db: Sql,
  homes: readonly { home: string; path: string }[],
  { accountId }: Place,
): Promise<void> {
  const above = new Set(
    accountId ? (await db.rows<{ id: string }>(placesAbove, { account: accountId })).map(({ id }) => id) : [],
  );
  const foreign = homes.find(({ home }) => !above.has(home));
  if (foreign)
    throw badInput(foreign.path, 'must be a role that can be used there: it is for its account and below');
}

const namesOf = (roles: readonly Role[]): string[] => [...new Set(roles.map(({ name }) => name))];

const notHeld =
  'The role has permissions that you do not have there yourself: only somebody who has them can give it.';
const notToGive =
  'The role is not yours to give: that takes ROLE_GIVE where the role can be used (for a role of all accounts: everywhere), or to hold the role there yourself, with a token that is not narrowed.';
const notOfStore =
  'The roles of a store are given by who has STORE_MANAGE in its account, and by who holds the very role there.';

const placesAbove = sql(`
  WITH RECURSIVE above (id) AS (
    SELECT CAST(:account AS uuid)
    UNION
    SELECT a.parent_id FROM above b JOIN accounts a ON a.id = b.id WHERE a.parent_id IS NOT NULL
  )
  SELECT id FROM above`);
const makeInStore = sql(`
  INSERT INTO roles (id, name, permissions, store_id)
  SELECT e.id, e.name, '{}', :store FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[])) AS e (id, name) ORDER BY e.name
  ON CONFLICT (store_id, name) WHERE store_id IS NOT NULL DO NOTHING RETURNING id`);
const storesNamed = sql(`
  SELECT id, name, permissions, built_in AS "builtIn", account_id AS "accountId", store_id AS "storeId"
  FROM roles WHERE store_id = :store AND name = ANY(CAST(:names AS text[]))`);
