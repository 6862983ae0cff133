import { Field, ID, InputType } from 'type-graphql';
import { Permission } from '../access/principal.js';
import { IdempotencyKeyRule, IdRule, Lines, ListOf, Name, NotNull, Optional } from '../inputs/rules.js';
import { longestDescription, mostListed } from '../config/limits.js';

@InputType({ description: 'Nobody gives a permission that they do not hold.' })
export class CreateRoleInput {
  @Field(() => String, { description: 'Unique: API_USER.' })
  @Name()
  name: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @Lines(longestDescription)
  description?: string | null;

  @Field(() => [Permission])
  @ListOf(mostListed)
  permissions: Permission[];

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}

@InputType({
  description: 'Nobody gives a permission that they do not hold. A field left out keeps its value.',
})
export class UpdateRoleInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @Lines(longestDescription)
  description?: string | null;

  @Field(() => [Permission], { nullable: true })
  @NotNull()
  @ListOf(mostListed)
  permissions?: Permission[];

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}

@InputType({ description: 'Refused with CONFLICT while an account holds it or a credential carries it.' })
export class DeleteRoleInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}

@InputType({ description: 'On an account, on a project, or, with neither, everywhere.' })
export class GrantRoleInput {
  @Field(() => ID)
  @IdRule()
  account: string;

  @Field(() => ID)
  @IdRule()
  role: string;

  @Field(() => ID, { nullable: true, description: 'Reaches its sub-accounts and their projects too.' })
  @Optional()
  @IdRule()
  onAccount?: string | null;

  @Field(() => ID, { nullable: true, description: 'On the admin project: everywhere.' })
  @Optional()
  @IdRule()
  onProject?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}

@InputType()
export class WithdrawRoleInput {
  @Field(() => ID)
  @IdRule()
  grant: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}
