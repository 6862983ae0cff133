import { Ctx, Field, FieldResolver, Mutation, ObjectType, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../../access/context.js';
import { Permission } from '../../access/principal.js';
import { Account } from '../../accounts/account.js';
import { accountNamed } from '../../accounts/find.js';
import type { Row } from '../../database/columns.js';
import { Needs } from '../../inputs/declared.js';
import { Takes } from '../../inputs/takes.js';
import { storeNamed } from '../find.js';
import { CredentialStore } from '../store.js';
import { scopeGrantsOfStore } from './find.js';
import { grantScope } from './grant-scope.js';
import { ScopeGrant } from './scope-grant.js';
import { GrantScopeInput, WithdrawScopeInput } from './scope.input.js';
import { withdrawScope } from './withdraw-scope.js';

@ObjectType({ simpleResolvers: true, description: 'What `grantScope` answers.' })
export class GrantScopePayload {
  @Field(() => ScopeGrant, {
    description: 'The new grant.',
  })
  grant: ScopeGrant;
}

@ObjectType({ simpleResolvers: true, description: 'What `withdrawScope` answers.' })
export class WithdrawScopePayload {
  @Field(() => CredentialStore, { description: 'The store that the scope is of.' })
  store: CredentialStore;
}

@Resolver(() => ScopeGrant)
export class ScopeGrantResolver {
  @FieldResolver(() => Account, { description: 'The account that has the scope.' })
  account(@Ctx() ctx: RequestContext, @Root() grant: Row<ScopeGrant>): Promise<Account | null> {
    return accountNamed(ctx).load(grant.accountId);
  }

  @FieldResolver(() => CredentialStore, { description: 'The store that the scope is of.' })
  store(@Ctx() ctx: RequestContext, @Root() grant: Row<ScopeGrant>): Promise<CredentialStore | null> {
    return storeNamed(ctx).load(grant.storeId);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'The scope: an account, workspace, user, project or sub account of the store. Null for where the store puts a credential that is created without `scope`.',
  })
  scope(@Root() { scope }: Row<ScopeGrant>): string | null {
    return scope || null;
  }

  @Mutation(() => GrantScopePayload, {
    description:
      'Lets an account create credentials in one scope of an outside store, without managing the store. The account also needs CREDENTIAL_CREATE.',
  })
  @Needs(Permission.STORE_MANAGE, 'scope:grant')
  async grantScope(
    @Ctx() ctx: RequestContext,
    @Takes(() => GrantScopeInput) input: GrantScopeInput,
  ): Promise<GrantScopePayload> {
    return { grant: await grantScope(ctx, input) };
  }

  @Mutation(() => WithdrawScopePayload, {
    description:
      'Takes a granted scope from an account, from the next request on. Credentials that it created stay as they are.',
  })
  @Needs(Permission.STORE_MANAGE, 'scope:withdraw')
  async withdrawScope(
    @Ctx() ctx: RequestContext,
    @Takes(() => WithdrawScopeInput) input: WithdrawScopeInput,
  ): Promise<WithdrawScopePayload> {
    return { store: await withdrawScope(ctx, input) };
  }
}

/** What granted scopes add to stores. */
@Resolver(() => CredentialStore)
export class StoreScopeGrantsResolver {
  @FieldResolver(() => [ScopeGrant], {
    description:
      'Which accounts may create credentials in which scopes of the store, besides those that manage it, oldest first. Only those that the viewer may see: with STORE_MANAGE, ROLE_READ or ROLE_MANAGE all, and else its own.',
  })
  scopeGrants(@Ctx() ctx: RequestContext, @Root() store: Row<CredentialStore>): Promise<ScopeGrant[]> {
    return scopeGrantsOfStore(ctx).load(store.id);
  }
}
