import { Field, InputType } from 'type-graphql';
import { Nested, Optional } from '../../inputs/rules.js';
import { ApinizerConnectionInput } from './apinizer.js';
import { LandscapeConnectionInput } from './landscape.js';
import { NcloudConnectionInput } from './ncloud.js';
import { SeqeraConnectionInput } from './seqera.js';
import { VeracodeConnectionInput } from './veracode.js';

@InputType({
  description: 'Where the system is and what Keyway proves itself with there: exactly one.',
})
export class StoreConnectionInput {
  @Field(() => LandscapeConnectionInput, { nullable: true })
  @Optional()
  @Nested()
  landscape?: LandscapeConnectionInput;

  @Field(() => SeqeraConnectionInput, { nullable: true })
  @Optional()
  @Nested()
  seqera?: SeqeraConnectionInput;

  @Field(() => VeracodeConnectionInput, { nullable: true })
  @Optional()
  @Nested()
  veracode?: VeracodeConnectionInput;

  @Field(() => ApinizerConnectionInput, { nullable: true })
  @Optional()
  @Nested()
  apinizer?: ApinizerConnectionInput;

  @Field(() => NcloudConnectionInput, { nullable: true })
  @Optional()
  @Nested()
  ncloud?: NcloudConnectionInput;
}
