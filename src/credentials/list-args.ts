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
  @Field(() => CredentialFilter, {
    nullable: true,
    description: 'Which credentials; all that the viewer may see, except deleted ones, if left out.',
  })
  @Optional()
  @Nested()
  filter?: CredentialFilter | null;

  @Field(() => CredentialOrder, {
    nullable: true,
    description: 'How the list is ordered; newest first, if left out.',
  })
  @Optional()
  @Nested()
  orderBy?: CredentialOrder | null;
}

/** The same, in both directions. */
@ArgsType()
export class AllCredentialsArgs extends CredentialsArgs {
  @Field(() => Int, {
    nullable: true,
    description: `How many items the page has at most, counted from the end of the list: 1 to ${largestPage}. If it is given, \`first\` has no effect.`,
  })
  @Optional()
  @AsTyped()
  last?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'The cursor of an item: the page ends with the item before it. Only together with `last`.',
  })
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
