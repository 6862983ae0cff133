import { Arg, Args, Ctx, Field, FieldResolver, ID, ObjectType, Query, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import { Account } from '../accounts/account.js';
import type { Row } from '../database/columns.js';
import { Needs } from '../inputs/declared.js';
import { Forward } from '../lists/page-args.js';
import { connectionType } from '../lists/paging.js';
import { grantLoader } from '../roles/find.js';
import { Grant } from '../roles/grant.js';
import { listHolders, type Holding } from './who.js';

@ObjectType({
  simpleResolvers: true,
  description: 'An account that holds a permission at a place, with what it holds it by.',
})
export class Holder {
  @Field(() => Boolean, {
    description: 'Whether it holds the permission as the owner of the credential, also without a grant.',
  })
  asOwner: boolean;
}

export const HolderConnection = connectionType('Holder', () => Holder);

@Resolver(() => Holder)
export class WhoResolver {
  @Query(() => HolderConnection, {
    description:
      'Which accounts hold a permission at a place, by the grants that the viewer may see or as the owner of a credential, in the order of their names. With ROLE_READ or ROLE_MANAGE everywhere it is all of them; otherwise grants elsewhere that reach this place are missing. Disabled accounts are left out, as they can do nothing; so is what tokens of other issuers bring. A token or key of an account can be narrowed to less than the account holds.',
  })
  @Needs(Permission.ROLE_READ)
  who(
    @Ctx() ctx: RequestContext,
    @Arg('can', () => Permission, { description: 'The permission.' }) can: Permission,
    @Arg('on', () => ID, {
      description: 'The place: the id of an account, a project, a credential or a store.',
    })
    on: string,
    @Args(() => Forward) page: Forward,
  ) {
    return listHolders(ctx, can, on, page);
  }

  @FieldResolver(() => Account, { description: 'The account that holds the permission.' })
  account(@Root() holder: Row<Holding>): Account {
    return holder;
  }

  @FieldResolver(() => [Grant], {
    description:
      'The grants by which it holds the permission there, oldest first. Empty if it holds it as the owner alone.',
  })
  async grants(@Ctx() ctx: RequestContext, @Root() holder: Row<Holding>): Promise<Grant[]> {
    const grants = await Promise.all(holder.grantIds.map((id) => grantLoader(ctx).load(id)));
    return grants.flatMap((grant) => grant ?? []);
  }
}
