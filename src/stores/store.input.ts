import { Field, ID, InputType } from 'type-graphql';
import { IdempotencyKey, IdRule, Name, Nested, NotNull, Optional } from '../inputs/rules.js';
import { connectionInput, type StoreConnectionInput } from './connection.input.js';
import { connections } from './connections.js';

const StoreConnection = connectionInput(Object.values(connections));

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
  @Name(64)
  name: string;

  @Field(() => StoreConnection)
  @Nested()
  connection: StoreConnectionInput;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
  idempotencyKey?: string | null;
}

@InputType({ description: 'A field left out keeps its value. Another connection is given whole.' })
export class UpdateStoreInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @NotNull()
  @Name(64)
  name?: string;

  @Field(() => StoreConnection, { nullable: true, description: 'Of the same kind of system.' })
  @NotNull()
  @Nested()
  connection?: StoreConnectionInput;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
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
  @IdempotencyKey()
  idempotencyKey?: string | null;
}

@InputType()
export class CheckStoreInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
  idempotencyKey?: string | null;
}
