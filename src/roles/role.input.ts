import { Field, ID, InputType } from 'type-graphql';
import { Permission } from '../access/principal.js';
import {
  IdempotencyKeyField,
  MfaCodeField,
  IdRule,
  Lines,
  ListOf,
  Name,
  NotNull,
  Optional,
  SearchField,
} from '../inputs/rules.js';
import { longestDescription, mostListed } from '../config/limits.js';

@InputType({
  description:
    'Which roles: those that match every field that is given. A list matches if one of its items does.',
})
export class RoleFilter {
  @Field(() => [ID], { nullable: true, description: 'Ids of the accounts whose roles they are.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  account?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Ids of the outside stores whose roles they are.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  store?: string[] | null;

  @SearchField('their name')
  search?: string | null;
}

@InputType({
  description:
    'Either `account` or `store` says whose role it is; if both are left out, it is for all accounts. The caller must have every permission that the role gets, and have it there: in the account, or everywhere.',
})
export class CreateRoleInput {
  @Field(() => ID, {
    nullable: true,
    description: 'The account whose role it is. It can be used in that account and its sub-accounts.',
  })
  @Optional()
  @IdRule()
  account?: string | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'The outside store whose role it is. It can be given to credentials of that store, and has no permissions in Keyway.',
  })
  @Optional()
  @IdRule()
  store?: string | null;

  @Field(() => String, {
    description:
      'Not in use by another role of the store; or else by a role for all accounts, or of the account, one above it or one below it. 1 to 64 letters, digits, dots, underscores and hyphens, starting with a letter or digit, such as `API_USER`.',
  })
  @Name()
  name: string;

  @Field(() => String, { nullable: true, description: 'What the role is for.' })
  @Optional()
  @Lines(longestDescription)
  description?: string | null;

  @Field(() => [Permission], {
    description: 'What the role allows. May be empty, for a role that only services understand.',
  })
  @ListOf(mostListed)
  permissions: Permission[];

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'A field that is left out keeps its value. The caller must have every permission that is added, and have it where the role can be used: in its account, or everywhere.',
})
export class UpdateRoleInput {
  @Field(() => ID, { description: 'The role to change.' })
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true, description: 'What the role is for; null removes the text.' })
  @Optional()
  @Lines(longestDescription)
  description?: string | null;

  @Field(() => [Permission], {
    nullable: true,
    description: 'What the role allows. The list replaces the one before.',
  })
  @NotNull()
  @ListOf(mostListed)
  permissions?: Permission[];

  @MfaCodeField('Needed if the account of the caller requires a second factor, to add a permission.')
  mfaCode?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'The role must not be granted to an account, and no credential may have it; otherwise the error is CONFLICT.',
})
export class DeleteRoleInput {
  @Field(() => ID, { description: 'The role to delete.' })
  @IdRule()
  id: string;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'Either `onAccount` or `onProject` says where the role holds; if both are left out, it holds everywhere, or, if it is the role of a store, on the account of that store. Who holds a role may also give it there; to hold the role of a store is to be allowed that, and nothing else.',
})
export class GrantRoleInput {
  @Field(() => ID, { description: 'The account that gets the role.' })
  @IdRule()
  account: string;

  @Field(() => ID, { description: 'The role to grant.' })
  @IdRule()
  role: string;

  @Field(() => ID, {
    nullable: true,
    description:
      'The account that the role holds on, with its projects, its sub-accounts and their projects.',
  })
  @Optional()
  @IdRule()
  onAccount?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'The project that the role holds on. On the admin project it holds everywhere.',
  })
  @Optional()
  @IdRule()
  onProject?: string | null;

  @MfaCodeField()
  mfaCode?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({ description: 'What `withdrawRole` takes.' })
export class WithdrawRoleInput {
  @Field(() => ID, { description: 'The id of the grant to remove.' })
  @IdRule()
  grant: string;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}
