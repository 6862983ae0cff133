import { Field, ID, InputType } from 'type-graphql';
import { IdempotencyKeyRule, IdRule, Name, Nested, NotNull, Optional } from '../inputs/rules.js';
import type { StoreConnectionInput } from './connection.input.js';

/** What connects a store. Which kinds of stores there are, and so the type of `connection`, `connecting.resolver.ts` adds. */
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

  @Field(() => String, { description: 'Unique, fit for a URL: keys-prod.' })
  @Name()
  name: string;

  @Nested()
  connection: StoreConnectionInput;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}

/** What changes a store, without the type of `connection` too. */
@InputType()
export class UpdateStoreInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @NotNull()
  @Name()
  name?: string;

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
