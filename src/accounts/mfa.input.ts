import { Field, InputType } from 'type-graphql';
import { Line, Optional } from '../inputs/rules.js';

@InputType()
export class EnrolMfaInput {
  @Field(() => String, {
    nullable: true,
    description: 'What the authenticator app shows it under; the name of the account where left out.',
  })
  @Optional()
  @Line(1, 64)
  label?: string | null;
}

@InputType()
export class ConfirmMfaInput {
  @Field(() => String, { description: 'The code that the authenticator app shows now.' })
  @Line(1, 64)
  code: string;
}

@InputType()
export class RemoveMfaInput {
  @Field(() => String, { description: 'A code of the authenticator app, or a recovery code.' })
  @Line(1, 64)
  code: string;
}
