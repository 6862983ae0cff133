import { ArgsType, Field, Int } from 'type-graphql';
import { Expects } from '../inputs/declared.js';
import { largestPage, longestCursor, usualPage } from '../config/limits.js';
import { readPage, type Order } from './paging.js';
import { AsTyped, expectRules, Line, Optional } from '../inputs/rules.js';

/** Which part of a list, forwards. */
@ArgsType()
export class Forward {
  @Field(() => Int, {
    nullable: true,
    defaultValue: usualPage,
    description: `How many items the page has at most: 1 to ${largestPage}.`,
  })
  @Optional()
  @AsTyped()
  first?: number | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The cursor of an item: the page starts with the item after it. Left out or null: the start of the list.',
  })
  @Optional()
  @Line(1, longestCursor)
  after?: string | null;
}

/** Declares a list below the root, in this order. */
export const Paged = (order: Order) =>
  Expects((given, ctx) => {
    const page = Object.assign(new Forward(), given);
    expectRules([{ path: '', input: page }]);
    readPage(ctx, order, page);
  });
