import type { Account } from '../../accounts/account.js';
import type { Wish } from '../../connectors/connector.js';
import { badInput } from '../../errors.js';
import { tokenKinds, type SecretEncoding } from '../../keyring/token.js';
import { canonicalUsername } from '../../inputs/rules.js';
import { Secret } from '../../secret.js';
import type { SignatureScheme } from '../../signatures/scheme.js';
import { schemes } from '../../signatures/schemes.js';
import { CredentialKind, type Credential } from '../record/credential.js';
import type { NewSecretInput } from './secret.input.js';
import { checkedProviderKeys } from './provider-keys.input.js';
import type { Provider } from '../record/provider.js';

/** A wish, with the provider whose keys it is of. */
export interface Wished {
  wish: Wish;
  provider: Provider | null;
}

/**
 * What a new credential's secret is to be.
 * @throws BAD_USER_INPUT for keys that do not make a set, and for a prefix that its scheme's signers do not take.
 */
export function wishFor(input: NewSecretInput, account: Account): Wished {
  const { accessKey, token, password, providerKeys } = input;
  if (accessKey) {
    const { prefix = null, secretFormat = null, scheme } = accessKey;
    expectPrefix(scheme, prefix);
    const format = formatFor(scheme, secretFormat);
    return { wish: { kind: 'ACCESS_KEY', prefix, format, accessKey: null }, provider: null };
  }
  if (token)
    return {
      wish: {
        kind: 'TOKEN',
        prefix: token.prefix ?? null,
        tokenKind: tokenKinds[account.kind],
        accessKey: null,
      },
      provider: null,
    };
  if (password) {
    const chosen = password.password ? Secret.of(password.password) : null;
    return {
      wish: { kind: 'PASSWORD', accessKey: usernameOf(password.username), password: chosen },
      provider: null,
    };
  }
  if (!providerKeys) throw badInput('input.secret', 'exactly one of its members must be given');
  const { provider, keys } = checkedProviderKeys(providerKeys, 'input.secret.providerKeys');
  return { wish: { kind: 'PROVIDER_KEYS', provider, keys }, provider };
}

/**
 * What the next secret of a credential is to be: alike in form, and under the same public half.
 * @throws BAD_USER_INPUT for another kind of secret, user name or provider, where the caller's new keys are wanting, and
 * for a prefix that the credential's scheme does not take.
 */
export function wishForNext(
  credential: Credential,
  account: Account,
  input: NewSecretInput | null | undefined,
): Wished {
  const given = input ? wishFor(input, account) : undefined;
  if (given && given.wish.kind !== (credential.kind as string)) {
    throw badInput('input.secret', `must be of the credential's kind, ${credential.kind}`);
  }
  const { accessKey, secretPrefix: prefix, secretFormat: format } = credential;
  switch (credential.kind) {
    case CredentialKind.ACCESS_KEY: {
      const { prefix: newPrefix = null, secretFormat = null, scheme } = input?.accessKey ?? {};
      if (scheme && scheme !== credential.signatureScheme)
        throw badInput('input.secret.accessKey.scheme', 'is fixed at creation');
      expectPrefix(credential.signatureScheme, newPrefix);
      return {
        wish: {
          kind: 'ACCESS_KEY',
          prefix: newPrefix ?? prefix,
          format: formatFor(credential.signatureScheme, secretFormat ?? format),
          accessKey,
        },
        provider: null,
      };
    }
    case CredentialKind.TOKEN:
      if (input?.token?.permissions)
        throw badInput('input.secret.token.permissions', 'are fixed at creation');
      return {
        wish: {
          kind: 'TOKEN',
          prefix: input?.token?.prefix ?? prefix,
          tokenKind: tokenKinds[account.kind],
          accessKey,
        },
        provider: null,
      };
    case CredentialKind.PASSWORD: {
      if (given?.wish.kind === 'PASSWORD' && given.wish.accessKey !== accessKey) {
        throw badInput('input.secret.password.username', "must be the credential's own");
      }
      return (
        given ?? { wish: { kind: 'PASSWORD', accessKey: accessKey ?? '', password: null }, provider: null }
      );
    }
    case CredentialKind.PROVIDER_KEYS:
      if (!given) throw badInput('input.secret', 'is required: a provider makes its own keys');
      if (given.provider !== credential.provider) {
        throw badInput('input.secret.providerKeys', "must be of the credential's provider");
      }
      return given;
  }
}

/** The format of a new pair: signers of some schemes read both halves as hexadecimal digits. */
const formatFor = (scheme: SignatureScheme | null | undefined, format: SecretEncoding | null) =>
  hexPairsOf(scheme) ? 'HEX' : format;

function expectPrefix(scheme: SignatureScheme | null | undefined, prefix: string | null): void {
  const hexPairs = hexPairsOf(scheme);
  if (hexPairs && !hexPairs.takesPrefix(prefix ?? ''))
    throw badInput('input.secret.accessKey.prefix', hexPairs.rule);
}

const hexPairsOf = (scheme: SignatureScheme | null | undefined) =>
  scheme ? schemes[scheme].hexPairs : undefined;

function usernameOf(text: string): string {
  const username = canonicalUsername(text);
  if (username === undefined) throw badInput('input.secret.password.username', 'is no user name');
  return username;
}
