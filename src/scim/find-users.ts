import type { RequestContext } from '../access/context.js';
import { condition, every, type Condition, type Sql } from '../database/database.js';
import { notFound } from '../errors.js';
import type { Directory } from './directory.js';
import { accountIn, filtering, type Comparables } from './filter-sql.js';
import { listed, type ListQuestion, type Listed } from './list.js';
import type { FoundUser } from './user.js';

/** The attributes of users that lists may be filtered by, in small letters. */
const comparables: Comparables = {
  id: { sql: 'u.account_id', as: 'account' },
  username: { sql: 'u.user_key', as: 'name' },
  externalid: { sql: 'u.external_id', as: 'text' },
  displayname: { sql: 'lower(a.title)', as: 'name' },
  'name.givenname': { sql: 'lower(u.given_name)', as: 'name' },
  'name.familyname': { sql: 'lower(u.family_name)', as: 'name' },
  emails: { sql: 'lower(a.email)', as: 'name' },
  'emails.value': { sql: 'lower(a.email)', as: 'name' },
  active: { sql: 'a.enabled', as: 'boolean' },
};

/** A page of the users of a directory, in the order in which they were made. @throws what `filtering` and `listed` throw */
export function listUsers(
  ctx: RequestContext,
  directory: Directory,
  asked: ListQuestion,
): Promise<Listed<FoundUser>> {
  const where = every(
    inDirectory(directory),
    ...(asked.filter ? [filtering(asked.filter, comparables)] : []),
  );
  return listed<FoundUser>(ctx, { name: 'users', columns, from, order: 'u.account_id' }, where, asked);
}

/**
 * A user by its id, as SCIM has it.
 * @throws NOT_FOUND for one of another directory too
 */
export async function userById(ctx: RequestContext, directory: Directory, id: string): Promise<FoundUser> {
  const account = accountIn(id);
  if (account === undefined) throw notFound();
  const user = await readUser(
    ctx,
    ctx.db,
    every(inDirectory(directory), condition('u.account_id = :account', { account })),
  );
  if (!user) throw notFound();
  return user;
}

/** @param on the transaction at hand, where there is one */
export async function readUser(
  ctx: RequestContext,
  on: Sql,
  where: Condition,
): Promise<FoundUser | undefined> {
  const statement = ctx.db.statement(
    `scim user:${where.shape}`,
    () => `SELECT ${columns} FROM ${from} WHERE ${where.sql}`,
  );
  const [user] = await on.rows<FoundUser>(statement, where.parameters);
  return user;
}

/** The people of a directory alone: who was moved to another account is none of them any more. */
const inDirectory = ({ id }: Directory): Condition =>
  condition('u.directory_id = :directory AND a.parent_id = :directory AND a.deleted_at IS NULL', {
    directory: id,
  });

/** SQL: when a row was last changed, in microseconds. */
export const versionSql = (row: string): string =>
  `CAST(CAST(extract(epoch FROM ${row}.updated_at) * 1000000 AS bigint) AS text)`;

/** SQL: an instant as SCIM has it. */
export const instantSql = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const from = 'scim_users u JOIN accounts a ON a.id = u.account_id';

const columns = `
  u.account_id AS id, u.user_name AS "userName", u.external_id AS "externalId", a.title AS "displayName",
  u.given_name AS "givenName", u.family_name AS "familyName", a.email, a.enabled AS active,
  ${instantSql('a.created_at')} AS created, ${instantSql('a.updated_at')} AS "lastModified", ${versionSql('a')} AS version`;
