import { Matches } from 'class-validator';
import { Field, InputType, registerEnumType } from 'type-graphql';
import { Permission } from '../../access/principal.js';
import { longestTokenDays, mostListed, usualTokenDays } from '../../config/limits.js';
import { longestPassword, shortestPassword } from '../../keyring/password.js';
import { AsTyped, ListOf, Nested, Optional, SecretText, Username } from '../../inputs/rules.js';
import type { SecretEncoding } from '../../keyring/token.js';
import { SignatureScheme } from '../../signatures/scheme.js';
import { ProviderKeysInput } from './provider-keys.input.js';

export enum SecretFormat {
  BASE62 = 'BASE62',
  HEX = 'HEX',
  BASE64 = 'BASE64',
}
registerEnumType(SecretFormat, {
  name: 'SecretFormat',
  description: 'How a generated secret is written. HEX is what signers of VERACODE_HMAC_SHA_256 need.',
});

const prefixes = /^[A-Za-z][A-Za-z0-9_-]{0,30}$/;
const prefixRule = () =>
  Matches(prefixes, {
    message: 'must be 1 to 31 letters, digits, underscores and hyphens, and start with a letter',
  });

@InputType({ description: 'A generated pair. The prefix stands before both halves.' })
export class AccessKeyInput {
  @Field(() => String, { nullable: true })
  @Optional()
  @prefixRule()
  prefix?: string | null;

  @Field(() => SecretFormat, { nullable: true, defaultValue: SecretFormat.BASE62 })
  @Optional()
  @AsTyped()
  secretFormat?: SecretEncoding | null;

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
  description: `A token of an account calls Keyway itself with, at most, these permissions (all of its account's, where left out). It must end within ${longestTokenDays} days: after ${usualTokenDays}, where expiresAt is left out.`,
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
  description: `Left out, the password is generated. One that is given has ${shortestPassword} to ${longestPassword} bytes. In Keyway's own store a user name does not read like an access key, in small letters or in capitals.`,
})
export class PasswordInput {
  @Field(() => String)
  @Username()
  username: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @SecretText(longestPassword, shortestPassword)
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
