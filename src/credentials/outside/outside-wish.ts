import type { Connector, Minted } from '../../connectors/connector.js';
import { badInput } from '../../errors.js';
import { mintPassword } from '../../keyring/token.js';
import { Secret } from '../../secret.js';
import { CredentialKind, type Credential } from '../record/credential.js';
import type { NewSecretInput } from '../secret/secret.input.js';
import { checkedProviderKeys } from '../secret/provider-keys.input.js';
import type { Provider } from '../record/provider.js';
import { wayOf } from './work.js';

/** A secret that is wanted of a store: chosen before it is called, or left to it to make. */
export interface OutsideWish {
  kind: CredentialKind;
  provider: Provider | null;
  accessKey: string | null;
  chosen: Minted | null;
}

/** @throws BAD_USER_INPUT for a kind of secret that the store does not make. */
export function outsideWish(connector: Connector, input: NewSecretInput): OutsideWish {
  const { password, providerKeys, accessKey } = input;
  const kind = providerKeys
    ? CredentialKind.PROVIDER_KEYS
    : password
      ? CredentialKind.PASSWORD
      : accessKey
        ? CredentialKind.ACCESS_KEY
        : CredentialKind.TOKEN;
  if (connector.kinds && !connector.kinds.includes(kind))
    throw badInput('input.secret', `must be of a kind that this store makes: ${connector.kinds.join(', ')}`);
  if (providerKeys) {
    const { provider, keys } = checkedProviderKeys(providerKeys, 'input.secret.providerKeys');
    return { kind, provider, accessKey: null, chosen: { accessKey: null, secret: null, keys, proof: null } };
  }
  if (password) {
    const secret = password.password ? Secret.of(password.password) : mintPassword();
    const chosen = { accessKey: password.username, secret, keys: null, proof: secret };
    return { kind, provider: null, accessKey: password.username, chosen };
  }
  for (const name of ['prefix', 'scheme'] as const) {
    if (accessKey?.[name]) throw badInput(`input.secret.accessKey.${name}`, 'is for the store to choose');
  }
  return { kind, provider: null, accessKey: null, chosen: null };
}

/**
 * The next secret of a credential in an outside store.
 * @throws BAD_USER_INPUT for another kind, user name or provider, for keys that the caller has to bring and did not,
 * and for a value where the store makes its own.
 */
export function nextOutsideWish(
  connector: Connector,
  { kind, provider, accessKey }: Credential,
  input: NewSecretInput | null | undefined,
): OutsideWish {
  if (wayOf(connector) !== 'ours') {
    if (input && !input.accessKey) throw badInput('input.secret', 'must be left out: the store makes it');
    if (input) outsideWish(connector, input);
    return { kind, provider, accessKey, chosen: null };
  }
  if (!input && kind === CredentialKind.PASSWORD) {
    const secret = mintPassword();
    return { kind, provider, accessKey, chosen: { accessKey, secret, keys: null, proof: secret } };
  }
  if (!input) throw badInput('input.secret', 'is required: the store does not make it');
  const wish = outsideWish(connector, input);
  if (wish.kind !== kind) throw badInput('input.secret', `must be of the credential's kind, ${kind}`);
  if (wish.provider !== provider)
    throw badInput('input.secret.providerKeys', "must be of the credential's provider");
  if (kind === CredentialKind.PASSWORD && wish.accessKey !== accessKey)
    throw badInput('input.secret.password.username', "must be the credential's own");
  return wish;
}

/**
 * A secret of an outside store opens nothing of Keyway's, and Keyway is asked for it: it is always kept.
 * @throws BAD_USER_INPUT where it is not to be.
 */
export function expectRetrievable({ retrievable }: { retrievable?: boolean | null }): void {
  if (retrievable === false)
    throw badInput('input.retrievable', 'must not be false: secrets of outside stores are always kept');
}
