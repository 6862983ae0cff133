import { Field, ID, InputType } from 'type-graphql';
import { longestName } from '../../config/limits.js';
import { IdempotencyKeyField, IdRule, Line, MfaCodeField, Optional } from '../../inputs/rules.js';

@InputType({ description: 'What `grantScope` takes.' })
export class GrantScopeInput {
  @Field(() => ID, { description: 'The outside store.' })
  @IdRule()
  store: string;

  @Field(() => ID, { description: 'The account that may create credentials there.' })
  @IdRule()
  account: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The scope, letter by letter as credentials are created with it. If left out: where the store puts a credential that is created without `scope`.',
  })
  @Optional()
  @Line(1, longestName)
  scope?: string | null;

  @MfaCodeField()
  mfaCode?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({ description: 'What `withdrawScope` takes.' })
export class WithdrawScopeInput {
  @Field(() => ID, { description: 'The outside store.' })
  @IdRule()
  store: string;

  @Field(() => ID, { description: 'The account that has the scope.' })
  @IdRule()
  account: string;

  @Field(() => String, { nullable: true, description: 'The scope, as it was granted.' })
  @Optional()
  @Line(1, longestName)
  scope?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}
