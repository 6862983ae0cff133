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
  description: 'The characters that a generated secret consists of.',
  valuesConfig: {
    BASE62: { description: 'Digits and letters.' },
    HEX: { description: 'Hexadecimal digits. Clients that sign with VERACODE_HMAC_SHA_256 need this.' },
    BASE64: { description: 'Letters, digits, `+` and `/`, as in base64.' },
  },
});

const prefixes = /^[A-Za-z][A-Za-z0-9_-]{0,30}$/;
const prefixRule = () =>
  Matches(prefixes, {
    message: 'must be 1 to 31 letters, digits, underscores and hyphens, and start with a letter',
  });

@InputType({ description: 'An access key and a secret key, which Keyway or the outside store generates.' })
export class AccessKeyInput {
  @Field(() => String, {
    nullable: true,
    description:
      'Text that both the access key and the secret key start with. 1 to 31 letters, digits, underscores and hyphens, starting with a letter. Not for outside stores.',
  })
  @Optional()
  @prefixRule()
  prefix?: string | null;

  @Field(() => SecretFormat, {
    nullable: true,
    defaultValue: SecretFormat.BASE62,
    description: 'The characters that the keys consist of.',
  })
  @Optional()
  @AsTyped()
  secretFormat?: SecretEncoding | null;

  @Field(() => SignatureScheme, {
    nullable: true,
    description:
      'The only scheme that it may sign requests with; any, if left out. With VERACODE_HMAC_SHA_256 the format is always HEX, and the prefix must be one that clients of that scheme accept, such as an even number of hexadecimal digits. Not for outside stores.',
  })
  @Optional()
  @AsTyped()
  scheme?: SignatureScheme | null;
}

@InputType({
  description: `A bearer token. Services can verify it, and it can call Keyway itself with the permissions of its account, or with fewer. It expires within ${longestTokenDays} days: after ${usualTokenDays} days, if \`expiresAt\` is left out.`,
})
export class TokenInput {
  @Field(() => String, {
    nullable: true,
    description:
      'Text that the token starts with. 1 to 31 letters, digits, underscores and hyphens, starting with a letter.',
  })
  @Optional()
  @prefixRule()
  prefix?: string | null;

  @Field(() => [Permission], {
    nullable: true,
    description: 'The permissions of the account that the token may use; all of them, if left out.',
  })
  @Optional()
  @ListOf(mostListed)
  permissions?: Permission[] | null;
}

@InputType({
  description: 'A user name and a password.',
})
export class PasswordInput {
  @Field(() => String, {
    description:
      'The user name. In the built-in store it must not look like an access key that Keyway generates, in small or capital letters.',
  })
  @Username()
  username: string;

  @Field(() => String, {
    nullable: true,
    description: `The password: ${shortestPassword} to ${longestPassword} bytes of UTF-8. Keyway generates one, if left out.`,
  })
  @Optional()
  @SecretText(longestPassword, shortestPassword)
  password?: string | null;
}

@InputType({
  description: 'The kind of a new secret, and its value if you choose it. Exactly one field must be given.',
})
export class NewSecretInput {
  @Field(() => AccessKeyInput, { nullable: true, description: 'An access key and a secret key.' })
  @Optional()
  @Nested()
  accessKey?: AccessKeyInput;

  @Field(() => TokenInput, { nullable: true, description: 'A bearer token.' })
  @Optional()
  @Nested()
  token?: TokenInput;

  @Field(() => PasswordInput, { nullable: true, description: 'A user name and a password.' })
  @Optional()
  @Nested()
  password?: PasswordInput;

  @Field(() => ProviderKeysInput, {
    nullable: true,
    description: 'Keys of an outside provider, which you supply.',
  })
  @Optional()
  @Nested()
  providerKeys?: ProviderKeysInput;
}
