import { mostSecretBytes } from '../../config/limits.js';
import { Field, InputType } from 'type-graphql';
import { AsTyped, HeaderWord, Line, Optional, SecretText } from '../../inputs/rules.js';
import { EmailAddress, URL } from '../../inputs/scalars.js';
import { Secret } from '../../secret.js';
import { StoreKind } from '../store.js';
import { addressIn, expectHalves, type OwnKey, type StoreConnection, wayInError } from './way-in.js';

@InputType({
  description:
    'A way in: accessKey with secretKey, the usual one; email or identity with password; or a JWT, which ends by itself. With a password beside it, the pair can be rotated here: the password is the way in that stays.',
})
export class LandscapeConnectionInput {
  @Field(() => URL)
  @AsTyped()
  endpoint: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @Line(1, 200)
  accessKey?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @SecretText(mostSecretBytes)
  secretKey?: string | null;

  @Field(() => EmailAddress, { nullable: true })
  @Optional()
  @AsTyped()
  email?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'In place of email, for a person whom a directory (PAM) knows by a name.',
  })
  @Optional()
  @Line(1, 200)
  identity?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @SecretText(mostSecretBytes)
  password?: string | null;

  @Field(() => String, { nullable: true, description: 'The account that is meant where none is named.' })
  @Optional()
  @Line(1, 200)
  account?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @HeaderWord(mostSecretBytes)
  jwt?: string | null;
}

/**
 * The way in that is given: a pair of keys, an address or identity with a password, both, or a token.
 * @throws BAD_USER_INPUT, naming the field, for a half of one, for none, for a token beside another, and for an identity
 * beside an address.
 */
export function landscapeWayIn(
  input: LandscapeConnectionInput,
): Pick<StoreConnection, 'settings' | 'secrets' | 'own'> {
  const { accessKey, secretKey, email, identity, password, account, jwt } = input;
  const who = email ?? identity;
  expectHalves('landscape', { accessKey, secretKey });
  if (email && identity)
    throw wayInError('landscape', 'identity', 'must be left out: there is an email already');
  expectHalves('landscape', identity ? { identity, password } : { email, password });
  const other = Boolean(accessKey || who);
  if (jwt && other) throw wayInError('landscape', 'jwt', 'must be left out: there is another way in already');
  if (!jwt && !other)
    throw wayInError(
      'landscape',
      'accessKey',
      'is required with secretKey, where there is no email and no jwt',
    );

  const settings: Record<string, string> = account ? { account } : {};
  const secrets: Record<string, Secret> = {};
  const own: OwnKey[] = [];
  if (accessKey && secretKey) {
    settings['accessKey'] = accessKey;
    secrets['secretKey'] = Secret.of(secretKey);
    own.push({ kind: 'ACCESS_KEY', accessKey });
  }
  if (who && password) {
    settings[email ? 'email' : 'identity'] = who;
    secrets['password'] = Secret.of(password);
    own.push({ kind: 'PASSWORD', accessKey: who });
  }
  if (jwt) {
    secrets['jwt'] = Secret.of(jwt);
    own.push({ kind: 'TOKEN', accessKey: null });
  }
  return { settings, secrets, own };
}

/** A Landscape as it was given. @throws BAD_USER_INPUT as `landscapeWayIn` does, and for an address that is more than a place. */
export function landscapeConnection(input: LandscapeConnectionInput, local: boolean): StoreConnection {
  const { settings, secrets, own } = landscapeWayIn(input);
  const endpoint = addressIn(input.endpoint, 'landscape.endpoint', local);
  return { kind: StoreKind.LANDSCAPE, addresses: { endpoint }, settings, secrets, region: null, own };
}
