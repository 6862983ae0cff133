import { Field, ID, InputType, Int } from 'type-graphql';
import {
  longestCategory,
  longestDescription,
  longestGrace,
  longestIssue,
  longestName,
  longestPolicy,
  mostListed,
  shortestIssue,
} from '../config/limits.js';
import {
  AsTyped,
  DurationBetween,
  DurationUpTo,
  IdempotencyKeyRule,
  IdRule,
  Line,
  Lines,
  ListOf,
  Nested,
  NotNull,
  Optional,
  PositiveDuration,
} from '../inputs/rules.js';
import { DateTime, Duration, EmailAddress, IPRange } from '../inputs/scalars.js';
import { NewSecretInput } from './secret/secret.input.js';

@InputType({
  description: 'How often a secret is to be replaced, and how long the previous one keeps working.',
})
export class RotationPolicyInput {
  @Field(() => Duration)
  @PositiveDuration(longestPolicy)
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
  @Line(1, longestName)
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
  @Line(1, longestName)
  name: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @Lines(longestDescription)
  description?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @Line(1, longestCategory)
  category?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @Line(1, longestName)
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
  @IdempotencyKeyRule()
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
  @Line(1, longestName)
  name?: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @Lines(longestDescription)
  description?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @Line(1, longestCategory)
  category?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @Line(1, longestName)
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

  @Field(() => NewSecretInput, {
    nullable: true,
    description:
      'The secret that the store has, where it takes a change only together with it: sent with the change in place of the one that Keyway has, and kept from then on.',
  })
  @Optional()
  @Nested()
  secret?: NewSecretInput | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description:
      'Sends the secret that Keyway has with the change, also where the store was changed by others since, which is CONFLICT otherwise: a newer secret is overwritten by it.',
  })
  @Optional()
  overwriteSecret?: boolean | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKeyRule()
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
  @IdempotencyKeyRule()
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
  @IdempotencyKeyRule()
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
  @IdempotencyKeyRule()
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
    description: `${shortestIssue} to ${longestIssue}; an outside store may take less. It ends sooner where its parent does.`,
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
  @IdempotencyKeyRule()
  idempotencyKey?: string | null;
}
