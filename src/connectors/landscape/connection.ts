import { connecting, connectionFault, expectHalves, type OwnKey } from '../connection.js';
import type { Secret } from '../../secret.js';

const member = 'landscape';

/** A pair of keys, an address or identity with a password, both, or a token. */
export const landscapeConnection = connecting({
  member,
  system: 'Landscape: one pair of keys for each of its accounts.',
  about:
    'How Keyway reaches Landscape. Give `accessKey` with `secretKey` (recommended), or `email` or `identity` with `password`, or only a `jwt`, which expires. If a password is given together with the pair of keys, Keyway can rotate the pair, because it can still log in by the password.',
  asks: {
    endpoint: { is: 'address', about: 'The address of the Landscape API.' },
    accessKey: { is: 'line', optional: true, about: 'The access key. Comes with `secretKey`.' },
    secretKey: { is: 'secret', optional: true, about: 'The secret key. Comes with `accessKey`.' },
    email: {
      is: 'email',
      optional: true,
      about: 'The e-mail address to log in with. Comes with `password`.',
    },
    identity: {
      is: 'line',
      optional: true,
      about:
        'The user name to log in with, for a person in a directory (PAM). Comes with `password`, and replaces `email`.',
    },
    password: { is: 'secret', optional: true, about: 'The password. Comes with `email` or `identity`.' },
    account: {
      is: 'line',
      optional: true,
      about: 'The account to use where a credential names none in its `scope`.',
    },
    jwt: {
      is: 'secretWord',
      optional: true,
      about: 'A token (JWT) of Landscape. It expires, so that the connection stops working then.',
    },
  },
  keep: ({ accessKey, secretKey, email, identity, password, account, jwt }) => {
    expectWayIn({ accessKey, secretKey, email, identity, password, jwt });
    const settings: Record<string, string> = account === undefined ? {} : { account };
    const secrets: Record<string, Secret> = {};
    const own: OwnKey[] = [];
    if (accessKey !== undefined && secretKey) {
      settings['accessKey'] = accessKey;
      secrets['secretKey'] = secretKey;
      own.push({ kind: 'ACCESS_KEY', accessKey });
    }
    const who = email ?? identity;
    if (who !== undefined && password) {
      settings[email === undefined ? 'identity' : 'email'] = who;
      secrets['password'] = password;
      own.push({ kind: 'PASSWORD', accessKey: who });
    }
    if (jwt) {
      secrets['jwt'] = jwt;
      own.push({ kind: 'TOKEN', accessKey: null });
    }
    return { settings, secrets, region: null, own };
  },
});

interface WaysIn {
  accessKey: string | undefined;
  secretKey: Secret | undefined;
  email: string | undefined;
  identity: string | undefined;
  password: Secret | undefined;
  jwt: Secret | undefined;
}

/**
 * @throws BAD_USER_INPUT, naming the field, for a half of a way in, for none, for a token beside another, and for an
 * identity beside an address.
 */
function expectWayIn({ accessKey, secretKey, email, identity, password, jwt }: WaysIn): void {
  expectHalves(member, { accessKey, secretKey });
  if (email !== undefined && identity !== undefined)
    throw connectionFault(member, 'identity', 'must be left out: there is an email already');
  expectHalves(member, identity === undefined ? { email, password } : { identity, password });
  const hasOther = (accessKey ?? email ?? identity) !== undefined;
  if (jwt && hasOther)
    throw connectionFault(member, 'jwt', 'must be left out: there is another way in already');
  if (!jwt && !hasOther)
    throw connectionFault(
      member,
      'accessKey',
      'is required with secretKey, where there is no email and no jwt',
    );
}
