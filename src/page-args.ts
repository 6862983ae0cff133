import { ArgsType, Field, Int } from 'type-graphql';
import { AsTyped, Line, Optional } from './rules.js';

/** Which part of a list, forwards. */
@ArgsType()
export class Forward {
  @Field(() => Int, { nullable: true, defaultValue: 20, description: 'How many: 1 to 100.' })
  @Optional()
  @AsTyped()
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'The cursor to go on after.' })
  @Optional()
  @Line(1, 2000)
  after?: string | null;
}
