import { Field, ObjectType, type ClassType } from 'type-graphql';
import type { RequestContext } from '../access/context.js';
import { badInput } from '../errors.js';
import { NonNegativeInt } from '../inputs/scalars.js';
import { largestPage, usualPage } from '../config/limits.js';

/** How a list is ordered: by an SQL expression that is never null, then by id. */
export interface Order {
  /** Names the order in its cursors: a cursor of one order is none of another. */
  readonly name: string;
  readonly expression: string;
  readonly type: 'timestamptz' | 'text';
  readonly id: string;
  readonly direction: 'ASC' | 'DESC';
}

/** Which part of a list is asked for. */
export interface PageArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

/** A page, checked: so many rows from this place on, forwards or backwards. */
export interface Page {
  readonly limit: number;
  readonly backward: boolean;
  readonly from: { value: string; id: string } | undefined;
  /** Tells apart the statements that pages need. */
  readonly shape: string;
}

/** What rows of a list carry besides their columns: the value they are ordered by, as text. */
export interface Ordered {
  id: string;
  orderedBy: string;
}

const macBytes = 32;

/**
 * Checks the arguments of a page.
 * @throws BAD_USER_INPUT for a size below 1 or over the largest page, a forged or edited cursor, and one of another order.
 */
export function readPage(ctx: RequestContext, order: Order, { first, after, last, before }: PageArgs): Page {
  const backward = typeof last === 'number';
  const size = backward ? last : (first ?? usualPage);
  if (size < 1 || size > largestPage)
    throw badInput(backward ? 'last' : 'first', `must be from 1 to ${largestPage}`);
  if (after && (backward || before)) throw badInput('after', 'goes with first alone');
  if (before && !backward) throw badInput('before', 'goes with last');
  const cursor = after ?? before;
  const from = cursor ? readCursor(ctx, order, cursor, backward ? 'before' : 'after') : undefined;
  return { limit: size, backward, from, shape: `${order.name}${backward ? '<' : '>'}${from ? 'from' : ''}` };
}

/**
 * The condition that holds for the rows from the page's place on; `true` at the list's end.
 * @param from SQL for the place: the value that rows are ordered by, and the id
 */
export function keyset(
  order: Order,
  page: Page,
  from = { value: `CAST(:fromValue AS ${order.type})`, id: 'CAST(:fromId AS uuid)' },
): string {
  if (!page.from) return 'true';
  const sign = (order.direction === 'ASC') === page.backward ? '<' : '>';
  return `(${order.expression}, ${order.id}) ${sign} (${from.value}, ${from.id})`;
}

/** ORDER BY and LIMIT of the page: one row more than asked for tells whether there are more. */
export function ordered(order: Order, page: Page): string {
  const direction = page.backward === (order.direction === 'ASC') ? 'DESC' : 'ASC';
  return `ORDER BY ${order.expression} ${direction}, ${order.id} ${direction} LIMIT CAST(:limit AS integer)`;
}

export const pageParameters = (page: Page) => ({
  limit: page.limit + 1,
  ...(page.from && { fromValue: page.from.value, fromId: page.from.id }),
});

/** What is left to the connection: its rows, and how many there are in all, asked for only when wanted. */
export interface ListedRows<Row> {
  rows: Row[];
  total: () => Promise<number>;
}

/** A list of Relay's kind, around the rows of one page. */
export class Connection<Row extends Ordered> {
  readonly nodes: Row[];
  readonly #more: boolean;

  constructor(
    private readonly ctx: RequestContext,
    private readonly order: Order,
    private readonly page: Page,
    listed: ListedRows<Row>,
  ) {
    this.#more = listed.rows.length > page.limit;
    const rows = this.#more ? listed.rows.slice(0, page.limit) : listed.rows;
    this.nodes = page.backward ? rows.reverse() : rows;
    this.count = listed.total;
  }

  readonly count: () => Promise<number>;

  get edges(): { cursor: string; node: Row }[] {
    return this.nodes.map((node) => ({ cursor: writeCursor(this.ctx, this.order, node), node }));
  }

  get pageInfo(): PageInfo {
    const { page, nodes } = this;
    const cursor = (node: Row | undefined) => (node ? writeCursor(this.ctx, this.order, node) : null);
    return {
      hasNextPage: page.backward ? page.from !== undefined : this.#more,
      hasPreviousPage: page.backward ? this.#more : page.from !== undefined,
      startCursor: cursor(nodes[0]),
      endCursor: cursor(nodes.at(-1)),
    };
  }
}

@ObjectType({ simpleResolvers: true, description: 'Which part of the list this page is.' })
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether the list goes on after this page.' })
  hasNextPage: boolean;

  @Field(() => Boolean, { description: 'Whether the list has items before this page.' })
  hasPreviousPage: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'The cursor of the first item, for `before`; null if the page is empty.',
  })
  startCursor: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The cursor of the last item, for `after`; null if the page is empty.',
  })
  endCursor: string | null;
}

/** The GraphQL types of a connection over `Node`, named after it. */
export function connectionType<Node extends object>(name: string, node: () => ClassType<Node>) {
  @ObjectType(`${name}Edge`, { simpleResolvers: true, description: 'One item of a page, with its cursor.' })
  class Edge {
    @Field(() => String, {
      description:
        'The place of this item in its list. Pass it as `after` or `before` to get the items that follow or precede it.',
    })
    cursor: string;

    @Field(node, { description: 'The item.' })
    node: Node;
  }

  @ObjectType(`${name}Connection`, {
    description: 'One page of a list. What the viewer may not see is left out.',
  })
  class Page {
    @Field(() => [Edge], {
      simple: true,
      description: 'The items of this page with their cursors, in the order of the list.',
    })
    edges: Edge[];

    @Field(() => [node()], {
      simple: true,
      description: 'The items of this page, in the order of the list: the same as `edges`, without cursors.',
    })
    nodes: Node[];

    @Field(() => PageInfo, { simple: true, description: 'Which part of the list this page is.' })
    pageInfo: PageInfo;

    @Field(() => NonNegativeInt, {
      description:
        'How many items the whole list has. It is counted only if asked for, by a separate database query.',
    })
    totalCount(): Promise<number> {
      return (this as unknown as { count: () => Promise<number> }).count();
    }
  }
  return Page;
}

function writeCursor(ctx: RequestContext, order: Order, { orderedBy, id }: Ordered): string {
  const payload = Buffer.from(JSON.stringify([orderedBy, id]));
  const mac = ctx.keyring.mac('cursor', order.name, payload).subarray(0, macBytes);
  return Buffer.concat([mac, payload]).toString('base64url');
}

function readCursor(
  ctx: RequestContext,
  order: Order,
  cursor: string,
  path: string,
): { value: string; id: string } {
  const bytes = Buffer.from(cursor, 'base64url');
  const payload = bytes.subarray(macBytes);
  const whole = bytes.length > macBytes && bytes.toString('base64url') === cursor;
  if (!whole || !ctx.keyring.macMatches('cursor', bytes.subarray(0, macBytes), order.name, payload)) {
    throw badInput(path, 'must be a cursor of this list, in this order');
  }
  const [value, id] = JSON.parse(payload.toString()) as [string, string];
  return { value, id };
}
