import { ArgsType, Field } from 'type-graphql';
import { longestName } from '../config/limits.js';
import { Line } from './rules.js';

/** Which one, by its name. A name that nothing can have is refused before the database is asked. */
@ArgsType()
export class ByName {
  @Field(() => String, { description: 'The exact name.' })
  @Line(1, longestName)
  name: string;
}
