import { Field, ID, InputType } from 'type-graphql';
import { IdempotencyKeyRule, IdRule, Line, Lines, Name, NotNull, Optional } from '../inputs/rules.js';
import { longestDescription, longestName } from '../config/limits.js';

@InputType()
export class CreateProjectInput {
  @Field(() => ID)
  @IdRule()
  account: string;

  @Field(() => String, { description: 'Unique, fit for a URL: MyProject.' })
  @Name()
  name: string;

  @Field(() => String, { nullable: true, description: 'The name, where left out.' })
  @Optional()
  @Line(1, longestName)
  title?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @Lines(longestDescription)
  description?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}

@InputType({ description: 'A field left out keeps its value; null clears it.' })
export class UpdateProjectInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @NotNull()
  @Line(1, longestName)
  title?: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @Lines(longestDescription)
  description?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}

@InputType({ description: 'Refused with CONFLICT while it has credentials that are not deleted.' })
export class DeleteProjectInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}
