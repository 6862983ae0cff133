import { Matches } from 'class-validator';
import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql';
import { Permission } from '../access/principal.js';
import type { SecretFormat as Format } from '../keyring/token.js';
import {
  AsTyped,
  DurationBetween,
  DurationUpTo,
  IdempotencyKey,
  IdRule,
  Line,
  Lines,
  ListOf,
  Nested,
  NotNull,
  Optional,
  PositiveDuration,
  SecretText,
  Username,
} from '../inputs/rules.js';
import { DateTime, Duration, EmailAddress, IPRange } from '../inputs/scalars.js';
import { SignatureScheme } from '../signatures/schemes.js';
import { CredentialKind, CredentialStatus } from './record/credential.js';
import { Provider, ProviderKeysInput } from './secret/provider-keys.input.js';

export enum CredentialOrderBy {
  CREATED_AT = 'CREATED_AT',
  NAME = 'NAME',
  EXPIRES_AT = 'EXPIRES_AT',
  LAST_USED_AT = 'LAST_USED_AT',
}

export enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}

export enum SecretFormat {
  BASE62 = 'BASE62',
  HEX = 'HEX',
  BASE64 = 'BASE64',
}

registerEnumType(CredentialOrderBy, {
  name: 'CredentialOrderBy',
  description: 'What a list of credentials is ordered by.',
  valuesConfig: {
    EXPIRES_AT: { description: 'What never expires comes after all that does.' },
    LAST_USED_AT: { description: 'What was never used comes before all that was.' },
  },
});
registerEnumType(OrderDirection, { name: 'OrderDirection' });
registerEnumType(SecretFormat, {
  name: 'SecretFormat',
  description: 'How a generated secret is written. HEX is what signers of VERACODE_HMAC_SHA_256 need.',
});

/** The longest that a previous secret may go on working. */
export const longestGrace = 'P90D';
const mostListed = 100;
const prefixes = /^[A-Za-z][A-Za-z0-9_-]{0,30}$/;
const prefixRule = () =>
  Matches(prefixes, {
    message: 'must be 1 to 31 letters, digits, underscores and hyphens, and start with a letter',
  });

@InputType({
  description: 'Which credentials: those that fit every member given. In a list, any of its items.',
})
export class CredentialFilter {
  @Field(() => [ID], { nullable: true })
  @Optional()
  @ListOf(mostListed, IdRule())
  store?: string[] | null;

  @Field(() => [ID], { nullable: true })
  @Optional()
  @ListOf(mostListed, IdRule())
  account?: string[] | null;

  @Field(() => [ID], { nullable: true })
  @Optional()
  @ListOf(mostListed, IdRule())
  owner?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Of the admin project: all.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  project?: string[] | null;

  @Field(() => [ID], { nullable: true })
  @Optional()
  @ListOf(mostListed, IdRule())
  role?: string[] | null;

  @Field(() => [CredentialKind], { nullable: true })
  @Optional()
  @ListOf(mostListed)
  kind?: CredentialKind[] | null;

  @Field(() => [Provider], { nullable: true })
  @Optional()
  @ListOf(mostListed)
  provider?: Provider[] | null;

  @Field(() => [CredentialStatus], {
    nullable: true,
    description: 'DELETED is found only when it is asked for.',
  })
  @Optional()
  @ListOf(mostListed)
  status?: CredentialStatus[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Case-insensitive part of name, description, access key, full name or e-mail. One or two characters are looked for at the beginnings of words.',
  })
  @Optional()
  @Line(1, 200)
  search?: string | null;

  @Field(() => DateTime, { nullable: true })
  @Optional()
  @AsTyped()
  expiresBefore?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Those whose policy wants a rotation before then.' })
  @Optional()
  @AsTyped()
  rotationDueBefore?: string | null;

  @Field(() => Duration, {
    nullable: true,
    description: 'Not used for at least this long; a credential never used counts from its creation.',
  })
  @Optional()
  @AsTyped()
  unusedFor?: string | null;

  @Field(() => Boolean, { nullable: true })
  @Optional()
  @AsTyped()
  withoutOwner?: boolean | null;

  @Field(() => Boolean, { nullable: true, defaultValue: false })
  @Optional()
  @AsTyped()
  includeDeleted?: boolean | null;
}

@InputType({ description: 'How a list of credentials is ordered.' })
export class CredentialOrder {
  @Field(() => CredentialOrderBy, { defaultValue: CredentialOrderBy.CREATED_AT })
  @AsTyped()
  by: CredentialOrderBy;

  @Field(() => OrderDirection, { defaultValue: OrderDirection.DESC })
  @AsTyped()
  direction: OrderDirection;
}

@InputType({ description: 'A generated pair. The prefix stands before both halves.' })
export class AccessKeyInput {
  @Field(() => String, { nullable: true })
  @Optional()
  @prefixRule()
  prefix?: string | null;

  @Field(() => SecretFormat, { nullable: true, defaultValue: SecretFormat.BASE62 })
  @Optional()
  @AsTyped()
  secretFormat?: Format | null;

  @Field(() => SignatureScheme, {
    nullable: true,
    description:
      'The one scheme that it signs requests in; any, where left out. VERACODE_HMAC_SHA_256 makes it HEX, and its prefix is that of a region, or hexadecimal digits.',
  })
  @Optional()
  @AsTyped()
  scheme?: SignatureScheme | null;
}

@InputType({
  description:
    "A token of an account calls Keyway itself with, at most, these permissions (all of its account's, where left out). It must end within 366 days: after 90, where expiresAt is left out.",
})
export class TokenInput {
  @Field(() => String, { nullable: true })
  @Optional()
  @prefixRule()
  prefix?: string | null;

  @Field(() => [Permission], { nullable: true })
  @Optional()
  @ListOf(mostListed)
  permissions?: Permission[] | null;
}

@InputType({
  description:
    "Left out, the password is generated. One that is given has 12 to 1024 bytes. In Keyway's own store a user name does not read like an access key, in small letters or in capitals.",
})
export class PasswordInput {
  @Field(() => String)
  @Username()
  username: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @SecretText(1024, 12)
  password?: string | null;
}

@InputType({
  description: "What kind of secret, and its value where it is the caller's to choose. Exactly one.",
})
export class NewSecretInput {
  @Field(() => AccessKeyInput, { nullable: true })
  @Optional()
  @Nested()
  accessKey?: AccessKeyInput;

  @Field(() => TokenInput, { nullable: true })
  @Optional()
  @Nested()
  token?: TokenInput;

  @Field(() => PasswordInput, { nullable: true })
  @Optional()
  @Nested()
  password?: PasswordInput;

  @Field(() => ProviderKeysInput, { nullable: true })
  @Optional()
  @Nested()
  providerKeys?: ProviderKeysInput;
}

@InputType({
  description: 'How often a secret is to be replaced, and how long the previous one keeps working.',
})
export class RotationPolicyInput {
  @Field(() => Duration)
  @PositiveDuration('P10Y')
  every: string;

  @Field(() => Duration, {
    description: 'Of no effect in a store where the previous secret ends at once.',
  })
  @DurationUpTo(longestGrace)
  gracePeriod: string;
}

@InputType()
export class CreateCredentialInput {
  @Field(() => ID, {
    nullable: true,
    description: 'The store to create it in; the built-in one where left out.',
  })
  @Optional()
  @IdRule()
  store?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Where in an outside store: an account, workspace, user, project or sub account there. The store's only one, where left out.",
  })
  @Optional()
  @Line(1, 200)
  scope?: string | null;

  @Field(() => ID, { description: 'The account it belongs to.' })
  @IdRule()
  account: string;

  @Field(() => ID, { nullable: true, description: 'Who answers for it, and may read, rotate and revoke it.' })
  @Optional()
  @IdRule()
  owner?: string | null;

  @Field(() => ID, { nullable: true })
  @Optional()
  @IdRule()
  project?: string | null;

  @Field(() => String)
  @Line(1, 200)
  name: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @Lines(2000)
  description?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @Line(1, 100)
  category?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @Line(1, 200)
  fullName?: string | null;

  @Field(() => EmailAddress, { nullable: true })
  @Optional()
  @AsTyped()
  email?: string | null;

  @Field(() => NewSecretInput)
  @Nested()
  secret: NewSecretInput;

  @Field(() => [ID], {
    nullable: true,
    defaultValue: [],
    description: 'What it may do where it is presented.',
  })
  @Optional()
  @ListOf(mostListed, IdRule())
  roles?: string[] | null;

  @Field(() => Boolean, { nullable: true, defaultValue: true })
  @Optional()
  @AsTyped()
  enabled?: boolean | null;

  @Field(() => [IPRange], { nullable: true, defaultValue: [], description: 'Empty: from anywhere.' })
  @Optional()
  @ListOf(mostListed)
  allowedIps?: string[] | null;

  @Field(() => DateTime, { nullable: true })
  @Optional()
  @AsTyped()
  expiresAt?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether the secret may be revealed later; false where left out, and fixed at creation. Provider keys always may, and so may secrets of outside stores: false is refused there.',
  })
  @Optional()
  @AsTyped()
  retrievable?: boolean | null;

  @Field(() => RotationPolicyInput, { nullable: true })
  @Optional()
  @Nested()
  rotationPolicy?: RotationPolicyInput | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
  idempotencyKey?: string | null;
}

@InputType({ description: 'A field left out keeps its value; null clears it.' })
export class UpdateCredentialInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => Int, {
    nullable: true,
    description: 'The revision that the change is meant for: CONFLICT where it is another by now.',
  })
  @Optional()
  @AsTyped()
  expectedRevision?: number | null;

  @Field(() => String, { nullable: true })
  @NotNull()
  @Line(1, 200)
  name?: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @Lines(2000)
  description?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @Line(1, 100)
  category?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @Line(1, 200)
  fullName?: string | null;

  @Field(() => EmailAddress, { nullable: true })
  @Optional()
  @AsTyped()
  email?: string | null;

  @Field(() => ID, { nullable: true })
  @Optional()
  @IdRule()
  owner?: string | null;

  @Field(() => ID, { nullable: true })
  @Optional()
  @IdRule()
  project?: string | null;

  @Field(() => [ID], { nullable: true })
  @Optional()
  @ListOf(mostListed, IdRule())
  roles?: string[] | null;

  @Field(() => Boolean, { nullable: true })
  @NotNull()
  enabled?: boolean;

  @Field(() => [IPRange], {
    nullable: true,
    description: 'Null lets it be used from anywhere; an empty list is refused where it was restricted.',
  })
  @Optional()
  @ListOf(mostListed)
  allowedIps?: string[] | null;

  @Field(() => DateTime, { nullable: true })
  @Optional()
  @AsTyped()
  expiresAt?: string | null;

  @Field(() => RotationPolicyInput, { nullable: true })
  @Optional()
  @Nested()
  rotationPolicy?: RotationPolicyInput | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
  idempotencyKey?: string | null;
}

@InputType({
  description: 'Replaces the secret. The one before keeps working for gracePeriod: none, where left out.',
})
export class RotateCredentialInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => Int, { nullable: true })
  @Optional()
  @AsTyped()
  expectedRevision?: number | null;

  @Field(() => NewSecretInput, {
    nullable: true,
    description:
      "A new value, where it is the caller's to choose (a password, provider keys); generated where left out.",
  })
  @Optional()
  @Nested()
  secret?: NewSecretInput | null;

  @Field(() => Duration, { nullable: true, defaultValue: 'PT0S' })
  @Optional()
  @DurationUpTo(longestGrace)
  gracePeriod?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
  idempotencyKey?: string | null;
}

@InputType({
  description: 'Ends it for good, at once, in its store and with every temporary credential derived from it.',
})
export class RevokeCredentialInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @Line(1, 500)
  reason?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
  idempotencyKey?: string | null;
}

@InputType({
  description: 'Takes it out of every list (unless asked for), after revoking it. Its audit events stay.',
})
export class DeleteCredentialInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
  idempotencyKey?: string | null;
}

@InputType()
export class RevealCredentialInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, {
    nullable: true,
    description: 'A code of the second factor; asked for where the account requires one.',
  })
  @Optional()
  @Line(1, 64)
  mfaCode?: string | null;
}

/** The shortest and the longest that a temporary credential lives. */
export const shortestIssue = 'PT10M';
export const longestIssue = 'PT36H';

@InputType({ description: 'A code of a second factor that an outside store knows.' })
export class StoreMfaInput {
  @Field(() => String, { description: 'The id that the store has for the device.' })
  @Line(1, 200)
  device: string;

  @Field(() => String)
  @Line(1, 64)
  code: string;
}

@InputType({
  description:
    'A pair that ends by itself, and with the credential that it is derived from. Its roles, addresses and end are never more than that one has.',
})
export class IssueTemporaryCredentialInput {
  @Field(() => ID, { description: 'The permanent credential that it is derived from.' })
  @IdRule()
  parent: string;

  @Field(() => Duration, {
    nullable: true,
    defaultValue: 'PT1H',
    description: 'PT10M to PT36H; an outside store may take less. It ends sooner where its parent does.',
  })
  @Optional()
  @DurationBetween(shortestIssue, longestIssue)
  duration?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The TOTP code; asked for where the account requires a second factor.',
  })
  @Optional()
  @Line(1, 64)
  mfaCode?: string | null;

  @Field(() => StoreMfaInput, {
    nullable: true,
    description: "A second factor of an outside store's own, where it asks for one.",
  })
  @Optional()
  @Nested()
  storeMfa?: StoreMfaInput | null;

  @Field(() => [ID], {
    nullable: true,
    description: "A subset of the parent's; all of them, where left out.",
  })
  @Optional()
  @ListOf(mostListed, IdRule())
  roles?: string[] | null;

  @Field(() => [IPRange], {
    nullable: true,
    description: "Within the parent's, which are taken where left out.",
  })
  @Optional()
  @ListOf(mostListed)
  allowedIps?: string[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      "Whether its holder may have the secret revealed while it lives; the parent's, where left out. Of outside stores it always may: false is refused there.",
  })
  @Optional()
  @AsTyped()
  retrievable?: boolean | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
  idempotencyKey?: string | null;
}
