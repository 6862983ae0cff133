import { Secret } from '../../secret.js';
import type { OwnKey, StoreConnection } from './connections.js';
import type { LandscapeConnectionInput } from '../store.input.js';
import { expectHalves, wayInError } from './way-in.js';

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
