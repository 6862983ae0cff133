import { Field, ID, InputType } from 'type-graphql';
import { IdempotencyKeyRule, IdRule, Optional } from '../../inputs/rules.js';

@InputType({ description: 'Takes stock of a store: brings what it lists into the inventory.' })
export class SyncStoreInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}
