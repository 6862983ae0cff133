import { Field, ID, InputType, Int } from 'type-graphql';
import {
  longestCategory,
  longestDescription,
  longestGrace,
  longestIssue,
  longestName,
  longestPolicy,
  longestCode,
  mostListed,
  shortestIssue,
  usualTokenDays,
} from '../config/limits.js';
import {
  AsTyped,
  DurationBetween,
  DurationUpTo,
  IdempotencyKeyField,
  MfaCodeField,
  IdRule,
  Line,
  Lines,
  ListOf,
  Nested,
  NotNull,
  Optional,
  PositiveDuration,
} from '../inputs/rules.js';
import { DateTime, Duration, EmailAddress, IPRange, URL } from '../inputs/scalars.js';
import { RateLimitInput, RemainingUsesInput } from './limits/limits.input.js';
import { NewSecretInput } from './secret/secret.input.js';

@InputType({
  description:
    'How often Keyway replaces the secret of a credential by itself. It does so only for retrievable credentials whose secret Keyway or the store makes.',
})
export class RotationPolicyInput {
  @Field(() => Duration, {
    description: `The time from one rotation to the next, as an ISO 8601 duration: more than zero, at most ${longestPolicy}.`,
  })
  @PositiveDuration(longestPolicy)
  every: string;

  @Field(() => Duration, {
    description: `How long the previous secret keeps working after a rotation, as an ISO 8601 duration: at most ${longestGrace}. \`PT0S\` for a store where the previous secret stops working at once.`,
  })
  @DurationUpTo(longestGrace)
  gracePeriod: string;
}

@InputType({ description: 'What `createCredential` takes.' })
export class CreateCredentialInput {
  @Field(() => ID, {
    nullable: true,
    description: 'The store to create it in; the built-in store, if left out.',
  })
  @Optional()
  @IdRule()
  store?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The part of the outside store to create it in: an account, workspace, user, project or sub account. May be left out if there is only one. Needs STORE_MANAGE in the account of the store, or a grant of the scope (`grantScope`). Not for the built-in store.',
  })
  @Optional()
  @Line(1, longestName)
  scope?: string | null;

  @Field(() => ID, { description: 'The account that it belongs to.' })
  @IdRule()
  account: string;

  @Field(() => ID, {
    nullable: true,
    description:
      'The account of the person or service that is responsible for it, and may read, rotate and revoke it.',
  })
  @Optional()
  @IdRule()
  owner?: string | null;

  @Field(() => ID, { nullable: true, description: 'The project that it is in; none, if left out.' })
  @Optional()
  @IdRule()
  project?: string | null;

  @Field(() => String, { description: 'A name for people. It need not be unique.' })
  @Line(1, longestName)
  name: string;

  @Field(() => String, { nullable: true, description: 'What the credential is for.' })
  @Optional()
  @Lines(longestDescription)
  description?: string | null;

  @Field(() => String, { nullable: true, description: 'A word of your choice to group credentials.' })
  @Optional()
  @Line(1, longestCategory)
  category?: string | null;

  @Field(() => String, { nullable: true, description: 'The full name of the person who uses it.' })
  @Optional()
  @Line(1, longestName)
  fullName?: string | null;

  @Field(() => EmailAddress, { nullable: true, description: 'The e-mail address of the person who uses it.' })
  @Optional()
  @AsTyped()
  email?: string | null;

  @Field(() => URL, {
    nullable: true,
    description:
      'The address of the server that the keys are for, such as `https://git.example.com`. Only for stores that choose between credentials by it, and for Git hosts there.',
  })
  @Optional()
  @AsTyped()
  baseUrl?: string | null;

  @Field(() => NewSecretInput, { description: 'What kind of secret it gets.' })
  @Nested()
  secret: NewSecretInput;

  @Field(() => [ID], {
    nullable: true,
    defaultValue: [],
    description: 'Ids of its roles, which a service that verifies it is told.',
  })
  @Optional()
  @ListOf(mostListed, IdRule())
  roles?: string[] | null;

  @Field(() => Boolean, { nullable: true, defaultValue: true, description: 'Whether it is switched on.' })
  @Optional()
  @AsTyped()
  enabled?: boolean | null;

  @Field(() => [IPRange], {
    nullable: true,
    defaultValue: [],
    description: 'The addresses that it may be used from; empty means any address.',
  })
  @Optional()
  @ListOf(mostListed)
  allowedIps?: string[] | null;

  @Field(() => DateTime, {
    nullable: true,
    description: `When it stops working. If left out, a token expires after ${usualTokenDays} days, or with the token of the caller if that is earlier; other kinds never expire, unless their store decides otherwise. What acts as the caller itself must expire no later than the token or key that the caller uses.`,
  })
  @Optional()
  @AsTyped()
  expiresAt?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether its secret can be revealed later; this cannot be changed afterwards. False, if left out. Provider keys and secrets in outside stores are always retrievable; for an outside store, `false` is an error.',
  })
  @Optional()
  @AsTyped()
  retrievable?: boolean | null;

  @Field(() => RotationPolicyInput, {
    nullable: true,
    description: 'How often Keyway rotates it by itself; never, if left out.',
  })
  @Optional()
  @Nested()
  rotationPolicy?: RotationPolicyInput | null;

  @Field(() => RateLimitInput, {
    nullable: true,
    description:
      'How often it may be verified within a length of time; any number of times, if left out. Not for outside stores and provider keys, which Keyway does not verify.',
  })
  @Optional()
  @Nested()
  rateLimit?: RateLimitInput | null;

  @Field(() => RemainingUsesInput, {
    nullable: true,
    description:
      'How often it can be verified in all; any number of times, if left out. Not for outside stores and provider keys, which Keyway does not verify.',
  })
  @Optional()
  @Nested()
  remainingUses?: RemainingUsesInput | null;

  @MfaCodeField()
  mfaCode?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'A field that is left out keeps its value; null removes it, or is an error if the field must have a value. The roles, addresses, expiry, owner, project, rotation policy and limits of a temporary credential cannot be changed.',
})
export class UpdateCredentialInput {
  @Field(() => ID, { description: 'The credential to change.' })
  @IdRule()
  id: string;

  @Field(() => Int, {
    nullable: true,
    description:
      'The number of the revision that this request is meant for. If the credential has another one now, nothing is changed and the error is CONFLICT. Not checked, if left out.',
  })
  @Optional()
  @AsTyped()
  expectedRevision?: number | null;

  @Field(() => String, { nullable: true, description: 'A name for people.' })
  @NotNull()
  @Line(1, longestName)
  name?: string;

  @Field(() => String, { nullable: true, description: 'What the credential is for; null removes the text.' })
  @Optional()
  @Lines(longestDescription)
  description?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'A word of your choice to group credentials; null removes it.',
  })
  @Optional()
  @Line(1, longestCategory)
  category?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The full name of the person who uses it; null removes it.',
  })
  @Optional()
  @Line(1, longestName)
  fullName?: string | null;

  @Field(() => EmailAddress, {
    nullable: true,
    description: 'The e-mail address of the person who uses it; null removes it.',
  })
  @Optional()
  @AsTyped()
  email?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'The account of the person or service that is responsible for it; null removes the owner.',
  })
  @Optional()
  @IdRule()
  owner?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'The project that it is in; null takes it out of its project.',
  })
  @Optional()
  @IdRule()
  project?: string | null;

  @Field(() => [ID], {
    nullable: true,
    description: 'Ids of its roles. They replace all that it has; null or an empty list removes all.',
  })
  @Optional()
  @ListOf(mostListed, IdRule())
  roles?: string[] | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether it is switched on.' })
  @NotNull()
  enabled?: boolean;

  @Field(() => [IPRange], {
    nullable: true,
    description:
      'The addresses that it may be used from. Null allows any address; an empty list is an error if only some addresses were allowed before.',
  })
  @Optional()
  @ListOf(mostListed)
  allowedIps?: string[] | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it stops working; null means never, which is an error for a token.',
  })
  @Optional()
  @AsTyped()
  expiresAt?: string | null;

  @Field(() => URL, {
    nullable: true,
    description:
      'The address of the server that the keys are for, such as `https://git.example.com`. Null removes it. Only for stores that choose between credentials by it, and for Git hosts there. Needs CREDENTIAL_REVEAL, or `secret` along with it.',
  })
  @Optional()
  @AsTyped()
  baseUrl?: string | null;

  @Field(() => RotationPolicyInput, {
    nullable: true,
    description: 'How often Keyway rotates it by itself; null means never.',
  })
  @Optional()
  @Nested()
  rotationPolicy?: RotationPolicyInput | null;

  @Field(() => RateLimitInput, {
    nullable: true,
    description:
      'How often it may be verified within a length of time; null means any number of times. The uses so far count if `window` stays as it was.',
  })
  @Optional()
  @Nested()
  rateLimit?: RateLimitInput | null;

  @Field(() => RemainingUsesInput, {
    nullable: true,
    description: 'How often it can still be verified; null means any number of times.',
  })
  @Optional()
  @Nested()
  remainingUses?: RemainingUsesInput | null;

  @Field(() => NewSecretInput, {
    nullable: true,
    description:
      'The secret that is in the store now, for stores that accept a change only together with the secret: sent instead of the one that Keyway has, and stored from then on. If null, Keyway sends the one that it has.',
  })
  @Optional()
  @Nested()
  secret?: NewSecretInput | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description:
      'Whether to send the secret that Keyway has with the change even if somebody else has changed the credential in the store since, which is CONFLICT otherwise. A newer secret in the store is overwritten.',
  })
  @Optional()
  overwriteSecret?: boolean | null;

  @MfaCodeField(
    'Needed if the account of the caller requires a second factor, to give the credential another owner or project, or another `baseUrl` without its secret.',
  )
  mfaCode?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description: 'What `rotateCredential` takes.',
})
export class RotateCredentialInput {
  @Field(() => ID, { description: 'The credential to rotate.' })
  @IdRule()
  id: string;

  @Field(() => Int, {
    nullable: true,
    description:
      'The number of the revision that this request is meant for. If the credential has another one now, nothing is changed and the error is CONFLICT. Not checked, if left out.',
  })
  @Optional()
  @AsTyped()
  expectedRevision?: number | null;

  @Field(() => NewSecretInput, {
    nullable: true,
    description:
      'The new secret, of the same kind as before. Needed for provider keys; for a password it may be given; otherwise Keyway or the store generates it.',
  })
  @Optional()
  @Nested()
  secret?: NewSecretInput | null;

  @Field(() => Duration, {
    nullable: true,
    defaultValue: 'PT0S',
    description: `How long the previous secret keeps working, as an ISO 8601 duration: at most ${longestGrace}. PT0S ends it at once.`,
  })
  @Optional()
  @DurationUpTo(longestGrace)
  gracePeriod?: string | null;

  @MfaCodeField()
  mfaCode?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description: 'What `revokeCredential` takes.',
})
export class RevokeCredentialInput {
  @Field(() => ID, { description: 'The credential to revoke.' })
  @IdRule()
  id: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it is revoked, for the record: `revokeReason` of the credential. That of one that has ended before stays (`reasonRecorded`). At most 500 characters.',
  })
  @Optional()
  @Line(1, 500)
  reason?: string | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description: 'What `deleteCredential` takes.',
})
export class DeleteCredentialInput {
  @Field(() => ID, { description: 'The credential to delete.' })
  @IdRule()
  id: string;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}

@InputType({ description: 'What `revealCredential` takes.' })
export class RevealCredentialInput {
  @Field(() => ID, { description: 'The credential to show the secret of.' })
  @IdRule()
  id: string;

  @MfaCodeField()
  mfaCode?: string | null;
}

@InputType({ description: 'A code of a second factor that belongs to the outside store, not to Keyway.' })
export class StoreMfaInput {
  @Field(() => String, { description: 'The id of the device in the store.' })
  @Line(1, 200)
  device: string;

  @Field(() => String, { description: 'The code that the device shows now.' })
  @Line(1, longestCode)
  code: string;
}

@InputType({
  description:
    'The roles, addresses and lifetime of the temporary credential are never more than those of its parent.',
})
export class IssueTemporaryCredentialInput {
  @Field(() => ID, { description: 'The permanent credential to derive it from.' })
  @IdRule()
  parent: string;

  @Field(() => Duration, {
    nullable: true,
    defaultValue: 'PT1H',
    description: `How long it works, as an ISO 8601 duration: ${shortestIssue} to ${longestIssue}, or less in an outside store. It stops earlier if its parent does.`,
  })
  @Optional()
  @DurationBetween(shortestIssue, longestIssue)
  duration?: string | null;

  @MfaCodeField()
  mfaCode?: string | null;

  @Field(() => StoreMfaInput, {
    nullable: true,
    description: 'A code of a second factor of the outside store, if the store asks for one.',
  })
  @Optional()
  @Nested()
  storeMfa?: StoreMfaInput | null;

  @Field(() => [ID], {
    nullable: true,
    description: 'Ids of its roles, out of those of the parent; all of them, if left out.',
  })
  @Optional()
  @ListOf(mostListed, IdRule())
  roles?: string[] | null;

  @Field(() => [IPRange], {
    nullable: true,
    description:
      'The addresses that it may be used from, out of those of the parent; all of them, if left out.',
  })
  @Optional()
  @ListOf(mostListed)
  allowedIps?: string[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether its secret can be revealed while it works; as for the parent, if left out. In an outside store it always can, and `false` is an error.',
  })
  @Optional()
  @AsTyped()
  retrievable?: boolean | null;

  @IdempotencyKeyField()
  idempotencyKey?: string | null;
}
