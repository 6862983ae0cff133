import { longestCode } from '../config/limits.js';
import { Field, InputType } from 'type-graphql';
import { Line, Optional } from '../inputs/rules.js';

@InputType({ description: 'What `enrolMfa` takes.' })
export class EnrolMfaInput {
  @Field(() => String, {
    nullable: true,
    description: 'The name that the authenticator app shows; the name of the account, if left out.',
  })
  @Optional()
  @Line(1, longestCode)
  label?: string | null;
}

@InputType({ description: 'What `confirmMfa` takes.' })
export class ConfirmMfaInput {
  @Field(() => String, { description: 'The code of 6 digits that the authenticator app shows now.' })
  @Line(1, longestCode)
  code: string;
}

@InputType({ description: 'What `removeMfa` takes.' })
export class RemoveMfaInput {
  @Field(() => String, { description: 'A code of the authenticator app, or a recovery code.' })
  @Line(1, longestCode)
  code: string;
}
