import { ArgsType, Field, Int } from 'type-graphql';
import { Expects } from '../inputs/declared.js';
import { Forward } from '../lists/page-args.js';
import { readPage } from '../lists/paging.js';
import { AsTyped, expectRules, Line, Nested, Optional } from '../inputs/rules.js';
import { CredentialOrder, CredentialFilter } from './record/filter.input.js';
import { filtered, orderOf } from './record/filter.js';
import { largestPage, longestCursor } from '../config/limits.js';

/** Which credentials of a list, forwards. */
@ArgsType()
export class CredentialsArgs extends Forward {
  @Field(() => CredentialFilter, { nullable: true })
  @Optional()
  @Nested()
  filter?: CredentialFilter | null;

  @Field(() => CredentialOrder, { nullable: true })
  @Optional()
  @Nested()
  orderBy?: CredentialOrder | null;
}

/** The same, in both directions. */
@ArgsType()
export class AllCredentialsArgs extends CredentialsArgs {
  @Field(() => Int, { nullable: true, description: `How many, backwards from the end: 1 to ${largestPage}.` })
  @Optional()
  @AsTyped()
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'The cursor to go back from.' })
  @Optional()
  @Line(1, longestCursor)
  before?: string | null;
}

/** Declares a list of credentials below the root. */
export const PagedCredentials = () =>
  Expects(({ filter, orderBy, ...page }, ctx) => {
    const args = Object.assign(new CredentialsArgs(), page, {
      filter: filter ? Object.assign(new CredentialFilter(), filter) : null,
      orderBy: orderBy ? Object.assign(new CredentialOrder(), orderBy) : null,
    });
    expectRules([{ path: '', input: args }]);
    filtered(args.filter ?? {});
    readPage(ctx, orderOf(args.orderBy), args);
  });
