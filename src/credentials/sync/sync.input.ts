import { Field, ID, InputType } from 'type-graphql';
import { IdempotencyKeyField, IdRule } from '../../inputs/rules.js';

@InputType({ description: 'What `syncStore` takes.' })
export class SyncStoreInput {
  @Field(() => ID, { description: 'The store to sync.' })
  @IdRule()
  id: string;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}
