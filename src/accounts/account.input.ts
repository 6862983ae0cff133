import { Field, ID, InputType } from 'type-graphql';
import {
  AsTyped,
  IdempotencyKeyField,
  MfaCodeField,
  IdRule,
  Line,
  ListOf,
  Name,
  Nested,
  NotNull,
  Optional,
  SearchField,
} from '../inputs/rules.js';
import { EmailAddress } from '../inputs/scalars.js';
import { longestName, mostIdentities, mostListed } from '../config/limits.js';
import { AccountKind } from './account.js';

@InputType({
  description:
    'Which accounts: those that match every field that is given. A list matches if one of its items does.',
})
export class AccountFilter {
  @Field(() => [AccountKind], { nullable: true, description: 'What the account stands for.' })
  @Optional()
  @ListOf(mostListed)
  kind?: AccountKind[] | null;

  @Field(() => [ID], { nullable: true, description: 'Ids of accounts that it is directly part of.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  parent?: string[] | null;

  @SearchField('its name, title or e-mail address')
  search?: string | null;
}

@InputType({ description: 'A user of an issuer of tokens (JWTs), or several.' })
export class IdentityInput {
  @Field(() => String, {
    description:
      'The issuer: the claim `iss` of its tokens. It must be one that this Keyway is configured with.',
  })
  @Line(1, 255)
  issuer: string;

  @Field(() => String, {
    description:
      'The user at that issuer: the claim `sub` of its tokens, or the one that is configured for the issuer.',
  })
  @Line(1, 255)
  subject: string;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether `subject` is a pattern, for all users that match it: `*` stands for one or more characters other than `/` and `:`, and `**` for one or more of any. Two names with a `/` or `:` behind each must come before the first `*`. To give one takes ACCOUNT_MANAGE everywhere. An identity that is no pattern is used before one that is; of several patterns that match, the one with more characters before its first `*`.',
  })
  @Optional()
  pattern?: boolean | null;
}

@InputType({ description: 'What `createAccount` takes.' })
export class CreateAccountInput {
  @Field(() => AccountKind, { description: 'What the account stands for.' })
  @AsTyped()
  kind: AccountKind;

  @Field(() => String, {
    description:
      'Unique among all accounts. 1 to 64 letters, digits, dots, underscores and hyphens, starting with a letter or digit, such as `onward`.',
  })
  @Name()
  name: string;

  @Field(() => String, { description: 'The name shown to people, such as `Onward, Inc.`' })
  @Line(1, longestName)
  title: string;

  @Field(() => EmailAddress, { nullable: true, description: 'The e-mail address.' })
  @Optional()
  @AsTyped()
  email?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'The account that the new one is part of; none, if left out.',
  })
  @Optional()
  @IdRule()
  parent?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description:
      'Whether a code of the second factor (TOTP) is needed to be shown secrets (create, rotate, reveal and issue credentials), to let others act as an account (identities), to lower this setting, and to give a store whose secrets Keyway keeps another connection.',
  })
  @Optional()
  @AsTyped()
  mfaRequired?: boolean | null;

  @Field(() => [IdentityInput], {
    nullable: true,
    description: `The users of other issuers that may call Keyway as this account: at most ${mostIdentities}.`,
  })
  @Optional()
  @ListOf(mostIdentities)
  @Nested()
  identities?: IdentityInput[] | null;

  @MfaCodeField(
    'Needed if the account of the caller requires a second factor, to give the new one identities.',
  )
  mfaCode?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'A field that is left out keeps its value; null removes it, or is an error if the field must have a value.',
})
export class UpdateAccountInput {
  @Field(() => ID, { description: 'The account to change.' })
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true, description: 'The name shown to people.' })
  @NotNull()
  @Line(1, longestName)
  title?: string;

  @Field(() => EmailAddress, { nullable: true, description: 'The e-mail address; null removes it.' })
  @Optional()
  @AsTyped()
  email?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether the account may call Keyway. While it is false, the credentials of the account and those that it owns do not work.',
  })
  @NotNull()
  enabled?: boolean;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether a code of the second factor (TOTP) is needed to be shown secrets (create, rotate, reveal and issue credentials), to let others act as an account (identities), to lower this setting, and to give a store whose secrets Keyway keeps another connection.',
  })
  @NotNull()
  mfaRequired?: boolean;

  @MfaCodeField(
    'Needed if the account of the caller requires a second factor, to set `mfaRequired` of an account to false and to give it identities.',
  )
  mfaCode?: string | null;

  @Field(() => [IdentityInput], {
    nullable: true,
    description: `The users of other issuers that may call Keyway as this account: at most ${mostIdentities}. They replace all that there are; null or an empty list removes all.`,
  })
  @Optional()
  @ListOf(mostIdentities)
  @Nested()
  identities?: IdentityInput[] | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'The account must have no stores. If it has or owns credentials, projects or sub-accounts, `transferTo` or `revokeCredentials` must say what happens to them; otherwise the error is CONFLICT.',
})
export class DeleteAccountInput {
  @Field(() => ID, { description: 'The account to delete.' })
  @IdRule()
  id: string;

  @Field(() => ID, {
    nullable: true,
    description:
      'The account that gets its credentials, projects and sub-accounts. Its tokens and temporary credentials are revoked and deleted in any case.',
  })
  @Optional()
  @IdRule()
  transferTo?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'Whether its credentials are revoked and deleted.',
  })
  @Optional()
  @AsTyped()
  revokeCredentials?: boolean | null;

  @MfaCodeField('Needed with `transferTo` if the account of the caller requires a second factor.')
  mfaCode?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}
