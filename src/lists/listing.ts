import type { DataSource, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import type { RequestContext } from '../access/context.js';
import type { Condition, Database, Statement } from '../database/database.js';
import { shared, type Shareable } from '../database/sharing.js';
import {
  Connection,
  keyset,
  ordered,
  pageParameters,
  readPage,
  type Order,
  type Ordered,
  type Page,
  type PageArgs,
} from './paging.js';

/** A kind of list: where its rows come from. */
export interface Listing {
  readonly name: string;
  /** SELECT and FROM, without conditions. */
  readonly select: (source: DataSource) => SelectQueryBuilder<ObjectLiteral>;
  /** The same FROM, for counting. */
  readonly from: string;
}

/**
 * One page of a list.
 * @throws BAD_USER_INPUT for the page's own faults.
 */
export async function list<Row extends object>(
  ctx: RequestContext,
  listing: Listing,
  order: Order,
  where: Condition,
  args: PageArgs,
): Promise<Connection<Row & Ordered>> {
  const page = readPage(ctx, order, args);
  const statement = ctx.db.statement(
    `${listing.name}:${where.shape}:${page.shape}`,
    (source) =>
      listing
        .select(source)
        .addSelect(`CAST(${order.expression} AS text)`, 'orderedBy')
        .where(where.sql)
        .andWhere(keyset(order, page)),
    (sql) => `${sql} ${ordered(order, page)}`,
    false,
  );
  const rows = await ctx.db.rows<Row & Ordered>(statement, { ...where.parameters, ...pageParameters(page) });
  const counted = ctx.db.statement(
    `${listing.name} counted:${where.shape}`,
    () => `SELECT count(*)::integer AS total FROM ${listing.from} WHERE ${where.sql}`,
    undefined,
    false,
  );
  const total = async () => (await ctx.db.rows<{ total: number }>(counted, where.parameters))[0]?.total ?? 0;
  return new Connection(ctx, order, page, { rows, total });
}

/**
 * The same page of the lists under many parents, by one statement, which requests that ask for it at the same time share.
 * @param under holds where a row belongs to `parent.id`.
 */
export async function listUnder<Row extends object>(
  ctx: RequestContext,
  listing: Listing,
  order: Order,
  where: Condition,
  args: PageArgs,
  under: string,
  parents: readonly string[],
): Promise<Connection<Row & Ordered>[]> {
  const page = readPage(ctx, order, args);
  const statement = underStatement(ctx, listing, order, where, page, under);
  const { limit } = pageParameters(page);
  const asked = { statement, parameters: { ...where.parameters, limit } };
  const found = await shared(
    ctx.db,
    asked,
    (db, keys) => pagesUnder<Row & Ordered>(db, asked, keys),
    parents.map((parent) => ({ parent, from: page.from })),
    Math.ceil(mostRows / limit),
  );
  const totals = once(() => countUnder(ctx, listing, where, under, parents));
  return parents.map(
    (id, index) =>
      new Connection(ctx, order, page, {
        rows: found[index] ?? [],
        total: async () => (await totals()).get(id) ?? 0,
      }),
  );
}

/** How many rows pages of several requests have that are read together: what is more would hold up the others. */
const mostRows = 800;

/** A list of a parent, from a place on. */
interface PageUnder {
  readonly parent: string;
  readonly from: Page['from'];
}

function underStatement(
  { db }: RequestContext,
  listing: Listing,
  order: Order,
  where: Condition,
  page: Page,
  under: string,
): Statement {
  const [places, names] = page.from
    ? [`, CAST(:fromValues AS ${order.type}[]), CAST(:fromIds AS uuid[])`, ', from_value, from_id']
    : ['', ''];
  const asked = `unnest(CAST(:parents AS uuid[])${places}) WITH ORDINALITY AS parent (id${names}, at)`;
  return db.statement(
    `${listing.name} under ${under}:${where.shape}:${page.shape}`,
    (source) =>
      listing
        .select(source)
        .addSelect(`CAST(${order.expression} AS text)`, 'orderedBy')
        .where(under)
        .andWhere(where.sql)
        .andWhere(keyset(order, page, { value: 'parent.from_value', id: 'parent.from_id' })),
    (sql) => `SELECT CAST(parent.at AS integer) - 1 AS "of", listed.*
      FROM ${asked} CROSS JOIN LATERAL (${sql} ${ordered(order, page)}) listed`,
    false,
  );
}

/** The rows of each page, in the order of the page. */
async function pagesUnder<Row extends Ordered>(
  db: Database,
  { statement, parameters }: Shareable,
  pages: readonly PageUnder[],
): Promise<Row[][]> {
  const rows = pages.map((): Row[] => []);
  const given = {
    ...parameters,
    parents: pages.map(({ parent }) => parent),
    fromValues: pages.map(({ from }) => from?.value),
    fromIds: pages.map(({ from }) => from?.id),
  };
  for (const row of await db.rows<Row & { of: number }>(statement, given))
    rows[row.of]?.push(Object.freeze(row));
  return rows;
}

async function countUnder(
  ctx: RequestContext,
  listing: Listing,
  where: Condition,
  under: string,
  parents: readonly string[],
): Promise<Map<string, number>> {
  const statement = ctx.db.statement(
    `${listing.name} under ${under} counted:${where.shape}`,
    () => `SELECT parent.id, (SELECT count(*)::integer FROM ${listing.from} WHERE ${under} AND ${where.sql}) AS total
      FROM unnest(CAST(:parents AS uuid[])) AS parent (id)`,
    undefined,
    false,
  );
  const rows = await ctx.db.rows<{ id: string; total: number }>(statement, { ...where.parameters, parents });
  return new Map(rows.map(({ id, total }) => [id, total]));
}

function once<Result>(make: () => Promise<Result>): () => Promise<Result> {
  let made: Promise<Result> | undefined;
  return () => (made ??= make());
}
