import { Field, ID, InputType } from 'type-graphql';
import {
  AsTyped,
  IdempotencyKeyField,
  MfaCodeField,
  IdRule,
  Name,
  Nested,
  NotNull,
  Optional,
} from '../inputs/rules.js';
import type { StoreConnectionInput } from './connection.input.js';

/**
 * What connects a store. Which kinds of stores there are, and so the type of `connection`, `connecting.resolver.ts`
 * adds.
 */
@InputType()
export class CreateStoreInput {
  @Field(() => ID, {
    nullable: true,
    description:
      'The account that the store and its credentials belong to; the account of the caller, if left out.',
  })
  @Optional()
  @IdRule()
  account?: string | null;

  @Field(() => String, {
    description:
      'Unique among all stores. 1 to 64 letters, digits, dots, underscores and hyphens, starting with a letter or digit, such as `keys-prod`.',
  })
  @Name()
  name: string;

  @Nested()
  connection: StoreConnectionInput;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

/** What changes a store, without the type of `connection` too. */
@InputType()
export class UpdateStoreInput {
  @Field(() => ID, { description: 'The store to change.' })
  @IdRule()
  id: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Unique among all stores. 1 to 64 letters, digits, dots, underscores and hyphens, starting with a letter or digit, such as `keys-prod`.',
  })
  @NotNull()
  @Name()
  name?: string;

  @NotNull()
  @Nested()
  connection?: StoreConnectionInput;

  @MfaCodeField(
    'Needed if the account of the caller requires a second factor, to give a store another connection while Keyway keeps secrets of its credentials.',
  )
  mfaCode?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'The error is CONFLICT while a change of one of its credentials is under way, while a previous secret of one has its grace period, and while Keyway keeps secrets of its credentials: revoke or delete those credentials first, or say `abandonCredentials`.',
})
export class DeleteStoreInput {
  @Field(() => ID, { description: 'The store to disconnect.' })
  @IdRule()
  id: string;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether to disconnect it also while something is to be done there, for a store that will never do it. What is under way is given up, and secrets that Keyway keeps of it are wiped: the credentials concerned become ABANDONED, as their secrets may still work in that system. Needs CREDENTIAL_REVOKE for each of them.',
  })
  @Optional()
  @AsTyped()
  abandonCredentials?: boolean | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({ description: 'What `checkStore` takes.' })
export class CheckStoreInput {
  @Field(() => ID, { description: 'The store to call.' })
  @IdRule()
  id: string;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}
