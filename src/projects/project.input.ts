import { Field, ID, InputType } from 'type-graphql';
import {
  IdempotencyKeyField,
  IdRule,
  Line,
  Lines,
  ListOf,
  Name,
  NotNull,
  Optional,
  SearchField,
} from '../inputs/rules.js';
import { longestDescription, longestName, mostListed } from '../config/limits.js';

@InputType({
  description:
    'Which projects: those that match every field that is given. A list matches if one of its items does.',
})
export class ProjectFilter {
  @Field(() => [ID], { nullable: true, description: 'Ids of the accounts that they belong to.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  account?: string[] | null;

  @SearchField('their name or title')
  search?: string | null;
}

@InputType({ description: 'What `createProject` takes.' })
export class CreateProjectInput {
  @Field(() => ID, { description: 'The account that the project belongs to.' })
  @IdRule()
  account: string;

  @Field(() => String, {
    description:
      'Unique among all projects. 1 to 64 letters, digits, dots, underscores and hyphens, starting with a letter or digit, such as `MyProject`.',
  })
  @Name()
  name: string;

  @Field(() => String, {
    nullable: true,
    description: 'The name shown to people; the same as `name`, if left out.',
  })
  @Optional()
  @Line(1, longestName)
  title?: string | null;

  @Field(() => String, { nullable: true, description: 'What the project is for.' })
  @Optional()
  @Lines(longestDescription)
  description?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'A field that is left out keeps its value; null removes it, or is an error if the field must have a value.',
})
export class UpdateProjectInput {
  @Field(() => ID, { description: 'The project to change.' })
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true, description: 'The name shown to people.' })
  @NotNull()
  @Line(1, longestName)
  title?: string;

  @Field(() => String, { nullable: true, description: 'What the project is for; null removes the text.' })
  @Optional()
  @Lines(longestDescription)
  description?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description: 'The project must have no credentials that are not deleted; otherwise the error is CONFLICT.',
})
export class DeleteProjectInput {
  @Field(() => ID, { description: 'The project to delete.' })
  @IdRule()
  id: string;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}
