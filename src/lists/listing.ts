import type { DataSource, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import type { RequestContext } from '../context.js';
import type { Condition } from '../database/database.js';
import {
  Connection,
  keyset,
  ordered,
  pageParameters,
  readPage,
  type Order,
  type Ordered,
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
 * The same page of the lists under many parents, by one statement.
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
  const statement = ctx.db.statement(
    `${listing.name} under ${under}:${where.shape}:${page.shape}`,
    (source) =>
      listing
        .select(source)
        .addSelect(`CAST(${order.expression} AS text)`, 'orderedBy')
        .where(under)
        .andWhere(where.sql)
        .andWhere(keyset(order, page)),
    (sql) => `SELECT parent.id AS "of", listed.*
      FROM unnest(CAST(:parents AS uuid[])) AS parent (id) CROSS JOIN LATERAL (${sql} ${ordered(order, page)}) listed`,
    false,
  );
  const groups = new Map(parents.map((id) => [id, [] as (Row & Ordered)[]]));
  const parameters = { ...where.parameters, ...pageParameters(page), parents };
  for (const row of await ctx.db.rows<Row & Ordered & { of: string }>(statement, parameters))
    groups.get(row.of)?.push(row);
  const totals = once(() => countUnder(ctx, listing, where, under, parents));
  return parents.map(
    (id) =>
      new Connection(ctx, order, page, {
        rows: groups.get(id) ?? [],
        total: async () => (await totals()).get(id) ?? 0,
      }),
  );
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
