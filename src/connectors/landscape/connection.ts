import { connecting, connectionFault, expectHalves, type OwnKey } from '../connection.js';
import type { Secret } from '../../secret.js';

const member = 'landscape';

/** A pair of keys, an address or identity with a password, both, or a token. */
export const landscapeConnection = connecting({
  member,
  about:
    'A way in: accessKey with secretKey, the usual one; email or identity with password; or a JWT, which ends by itself. With a password beside it, the pair can be rotated here: the password is the way in that stays.',
  asks: {
    endpoint: { is: 'address' },
    accessKey: { is: 'line', optional: true },
    secretKey: { is: 'secret', optional: true },
    email: { is: 'email', optional: true },
    identity: {
      is: 'line',
      optional: true,
      about: 'In place of email, for a person whom a directory (PAM) knows by a name.',
    },
    password: { is: 'secret', optional: true },
    account: { is: 'line', optional: true, about: 'The account that is meant where none is named.' },
    jwt: { is: 'secretWord', optional: true },
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
