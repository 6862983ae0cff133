import { Field, ID, InputType } from 'type-graphql';
import {
  AsTyped,
  IdempotencyKeyRule,
  IdRule,
  Line,
  ListOf,
  Name,
  Nested,
  NotNull,
  Optional,
} from '../inputs/rules.js';
import { EmailAddress } from '../inputs/scalars.js';
import { longestName, mostIdentities, mostListed } from '../config/limits.js';
import { AccountKind } from './account.js';

@InputType({ description: 'Which accounts: those that fit every member given.' })
export class AccountFilter {
  @Field(() => [AccountKind], { nullable: true })
  @Optional()
  @ListOf(mostListed)
  kind?: AccountKind[] | null;

  @Field(() => [ID], { nullable: true })
  @Optional()
  @ListOf(mostListed, IdRule())
  parent?: string[] | null;

  @Field(() => String, { nullable: true, description: 'Case-insensitive part of name, title or e-mail.' })
  @Optional()
  @Line(1, longestName)
  search?: string | null;
}

@InputType()
export class IdentityInput {
  @Field(() => String, { description: 'One of the issuers that this Keyway is configured with.' })
  @Line(1, 255)
  issuer: string;

  @Field(() => String)
  @Line(1, 255)
  subject: string;
}

@InputType()
export class CreateAccountInput {
  @Field(() => AccountKind)
  @AsTyped()
  kind: AccountKind;

  @Field(() => String, { description: 'Unique, fit for a URL: onward.' })
  @Name()
  name: string;

  @Field(() => String)
  @Line(1, longestName)
  title: string;

  @Field(() => EmailAddress, { nullable: true })
  @Optional()
  @AsTyped()
  email?: string | null;

  @Field(() => ID, { nullable: true, description: 'The organization or main account it is part of.' })
  @Optional()
  @IdRule()
  parent?: string | null;

  @Field(() => Boolean, { nullable: true, defaultValue: false })
  @Optional()
  @AsTyped()
  mfaRequired?: boolean | null;

  @Field(() => [IdentityInput], {
    nullable: true,
    description: `Who calls as this account; at most ${mostIdentities}.`,
  })
  @Optional()
  @ListOf(mostIdentities)
  @Nested()
  identities?: IdentityInput[] | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}

@InputType({ description: 'A field left out keeps its value; null clears it.' })
export class UpdateAccountInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @NotNull()
  @Line(1, longestName)
  title?: string;

  @Field(() => EmailAddress, { nullable: true })
  @Optional()
  @AsTyped()
  email?: string | null;

  @Field(() => Boolean, { nullable: true })
  @NotNull()
  enabled?: boolean;

  @Field(() => Boolean, { nullable: true })
  @NotNull()
  mfaRequired?: boolean;

  @Field(() => [IdentityInput], {
    nullable: true,
    description: `In the place of all that there are; at most ${mostIdentities}. Null, as an empty list, leaves none.`,
  })
  @Optional()
  @ListOf(mostIdentities)
  @Nested()
  identities?: IdentityInput[] | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'Refused with CONFLICT while it owns credentials, projects or sub-accounts, unless transferTo or revokeCredentials says what becomes of them.',
})
export class DeleteAccountInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => ID, {
    nullable: true,
    description: 'The account that takes over its credentials, projects and sub-accounts.',
  })
  @Optional()
  @IdRule()
  transferTo?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'Revokes and deletes its credentials.',
  })
  @Optional()
  @AsTyped()
  revokeCredentials?: boolean | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}
