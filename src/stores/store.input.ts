import { Field, ID, InputType } from 'type-graphql';
import { IdempotencyKeyRule, IdRule, Name, Nested, NotNull, Optional } from '../inputs/rules.js';
import { StoreConnectionInput } from './connections/connection.input.js';

@InputType()
export class CreateStoreInput {
  @Field(() => ID, {
    nullable: true,
    description:
      "Whose the store is, and whose its credentials are; the caller's own account, where left out.",
  })
  @Optional()
  @IdRule()
  account?: string | null;

  @Field(() => String, { description: 'Unique, fit for a URL: landscape-prod.' })
  @Name()
  name: string;

  @Field(() => StoreConnectionInput)
  @Nested()
  connection: StoreConnectionInput;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}

@InputType({ description: 'A field left out keeps its value. Another connection is given whole.' })
export class UpdateStoreInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @NotNull()
  @Name()
  name?: string;

  @Field(() => StoreConnectionInput, { nullable: true, description: 'Of the same kind of system.' })
  @NotNull()
  @Nested()
  connection?: StoreConnectionInput;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'Refused with CONFLICT while something is under way there, and while Keyway alone has secrets of its credentials.',
})
export class DeleteStoreInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}

@InputType()
export class CheckStoreInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}
