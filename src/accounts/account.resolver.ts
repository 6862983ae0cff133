import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { Permission } from '../access/principal.js';
import type { RequestContext } from '../access/context.js';
import { notFound } from '../errors.js';
import { Needs } from '../inputs/declared.js';
import { Takes } from '../inputs/takes.js';
import { ByName } from '../inputs/name-args.js';
import { Forward, Paged } from '../lists/page-args.js';
import { connectionType } from '../lists/paging.js';
import { Account } from './account.js';
import { AccountFilter, CreateAccountInput, UpdateAccountInput } from './account.input.js';
import { createAccount } from './create.js';
import {
  accountById,
  accountsByName,
  findAccountByName,
  identitiesOfAccount,
  listAccounts,
  subAccounts,
} from './find.js';
import { Identity } from './identity.js';
import { updateAccount } from './update.js';
import type { Row } from '../database/columns.js';

export const AccountConnection = connectionType('Account', () => Account);

@ObjectType({ simpleResolvers: true, description: 'What `createAccount` answers.' })
export class CreateAccountPayload {
  @Field(() => Account, { description: 'The new account.' })
  account: Account;
}

@ObjectType({ simpleResolvers: true, description: 'What `updateAccount` answers.' })
export class UpdateAccountPayload {
  @Field(() => Account, { description: 'The account, as it is after the change.' })
  account: Account;
}

@Resolver(() => Account)
export class AccountResolver {
  @Query(() => Account, { description: 'The account that this request is authenticated as.' })
  @Needs('OWN')
  async viewer(@Ctx() ctx: RequestContext): Promise<Account> {
    const account = await accountById(ctx).load(ctx.principal.accountId);
    if (!account) throw notFound();
    return account;
  }

  @Query(() => Account, {
    nullable: true,
    description: 'The account with this name; null if there is none that the viewer may see.',
  })
  @Needs(Permission.ACCOUNT_READ)
  account(@Ctx() ctx: RequestContext, @Args(() => ByName) { name }: ByName): Promise<Account | null> {
    return findAccountByName(ctx, name);
  }

  @Query(() => AccountConnection, {
    description: 'The accounts that the viewer may see, in the order of their names.',
  })
  @Needs(Permission.ACCOUNT_READ)
  accounts(
    @Ctx() ctx: RequestContext,
    @Arg('filter', () => AccountFilter, {
      nullable: true,
      description: 'Which accounts; all that the viewer may see, if left out.',
    })
    filter: AccountFilter | null,
    @Args(() => Forward) page: Forward,
  ) {
    return listAccounts(ctx, filter ?? {}, page);
  }

  @FieldResolver(() => Account, {
    nullable: true,
    description: 'The account that this one is part of; null if there is none or the viewer may not see it.',
  })
  parent(@Ctx() ctx: RequestContext, @Root() account: Row<Account>): Promise<Account | null> | null {
    return account.parentId === null ? null : accountById(ctx).load(account.parentId);
  }

  @FieldResolver(() => AccountConnection, {
    description:
      'The accounts that are directly part of this one and that the viewer may see, in the order of their names.',
  })
  @Paged(accountsByName)
  subAccounts(@Ctx() ctx: RequestContext, @Root() account: Row<Account>, @Args(() => Forward) page: Forward) {
    return subAccounts(ctx, account.id, page);
  }

  @FieldResolver(() => [Identity], {
    description:
      'The identities at other issuers of tokens that may call Keyway as this account, in the order of issuer and subject. Empty unless the viewer is this account or has ACCOUNT_MANAGE on it.',
  })
  identities(@Ctx() ctx: RequestContext, @Root() account: Row<Account>): Promise<Identity[]> {
    return identitiesOfAccount(ctx).load(account.id);
  }

  @Mutation(() => CreateAccountPayload, { description: 'Creates an account.' })
  @Needs(Permission.ACCOUNT_MANAGE, 'account:create')
  async createAccount(
    @Ctx() ctx: RequestContext,
    @Takes(() => CreateAccountInput) input: CreateAccountInput,
  ): Promise<CreateAccountPayload> {
    return { account: await createAccount(ctx, input) };
  }

  @Mutation(() => UpdateAccountPayload, { description: 'Changes an account.' })
  @Needs(Permission.ACCOUNT_MANAGE, 'account:update')
  async updateAccount(
    @Ctx() ctx: RequestContext,
    @Takes(() => UpdateAccountInput) input: UpdateAccountInput,
  ): Promise<UpdateAccountPayload> {
    return { account: await updateAccount(ctx, input) };
  }
}
