import { idsGiven } from '../database/among.js';
import type { RequestContext } from '../access/context.js';
import { condition, every, sql, type Condition } from '../database/database.js';
import { notFound } from '../errors.js';
import type { Directory } from './directory.js';
import { filtering, uuidIn, type Comparables } from './filter-sql.js';
import { instantSql, versionSql } from './find-users.js';
import type { FoundGroup } from './group.js';
import { listed, type ListQuestion, type Listed } from './list.js';
import { unfit } from './refusal.js';

/** Members that one answer may have: of all groups in it. */
const mostTold = 10_000;

/** The attributes of groups that lists may be filtered by, in small letters. */
const comparables: Comparables = {
  id: { sql: 'g.id', as: 'uuid' },
  displayname: { sql: 'g.name_key', as: 'name' },
  externalid: { sql: 'g.external_id', as: 'text' },
};

/** A page of the groups of a directory. @throws what `filtering` and `listed` throw */
export function listGroups(
  ctx: RequestContext,
  directory: Directory,
  asked: ListQuestion,
): Promise<Listed<FoundGroup>> {
  const where = every(
    inDirectory(directory),
    ...(asked.filter ? [filtering(asked.filter, comparables)] : []),
  );
  return listed<FoundGroup>(ctx, { name: 'groups', columns, from, order: 'g.id' }, where, asked);
}

/** A group by its id. @throws NOT_FOUND for one of another directory too */
export async function groupById(ctx: RequestContext, directory: Directory, id: string): Promise<FoundGroup> {
  const group = uuidIn(id);
  if (group === undefined) throw notFound();
  const where = every(inDirectory(directory), condition('g.id = :group', { group }));
  const statement = ctx.db.statement(
    `scim group:${where.shape}`,
    () => `SELECT ${columns} FROM ${from} WHERE ${where.sql}`,
  );
  const [found] = await ctx.db.rows<FoundGroup>(statement, where.parameters);
  if (!found) throw notFound();
  return found;
}

/**
 * The members of each of these groups, by the group's id: accounts, by UUID.
 * @throws ScimRefusal tooMany where they are more than one answer may have
 */
export async function membersOf(
  { db }: RequestContext,
  groups: readonly FoundGroup[],
): Promise<ReadonlyMap<string, string[]>> {
  const ids = groups.map(({ id }) => id);
  const rows = await db.rows<{ of: string; account: string }>(membersOfGroups, { ids, most: mostTold + 1 });
  if (rows.length > mostTold)
    throw unfit('tooMany', 'There are too many members for one answer: ask with excludedAttributes=members.');
  const members = new Map(ids.map((id): [string, string[]] => [id, []]));
  for (const { of, account } of rows) members.get(of)?.push(account);
  return members;
}

const inDirectory = ({ id }: Directory): Condition =>
  condition('g.directory_id = :directory', { directory: id });

const from = 'scim_groups g';

const columns = `
  g.id, g.display_name AS "displayName", g.external_id AS "externalId", ${instantSql('g.created_at')} AS created,
  ${instantSql('g.updated_at')} AS "lastModified", ${versionSql('g')} AS version`;

const membersOfGroups = sql(`
  SELECT m.group_id AS "of", m.account_id AS account FROM scim_members m
  WHERE m.group_id = ANY(${idsGiven}) ORDER BY m.group_id, m.account_id LIMIT CAST(:most AS integer)`);
