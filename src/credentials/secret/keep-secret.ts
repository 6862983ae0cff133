import type { RequestContext } from '../../access/context.js';
import type { Tx } from '../../database/database.js';
import { secretPlace, type SealedTo } from '../../keyring/envelope.js';
import type { Keyring } from '../../keyring/keyring.js';
import type { StoredPassword } from '../../keyring/password.js';
import { Secret } from '../../secret.js';
import type { Whose } from '../../shares/line.js';
import { destinationOf, heldDestinations } from '../../stores/sealed/destination.js';
import type { CredentialStore } from '../../stores/store.js';
import type { Minted } from '../../connectors/connector.js';
import type { CredentialSecret } from '../record/credential-version.js';
import { CredentialKind, type Credential } from '../record/credential.js';
import type { SecretParts } from './issued-secret.js';

/** A minted secret with its password hash, which is made before a transaction begins because it takes long. */
export interface Prepared {
  readonly minted: Minted;
  readonly password: StoredPassword | null;
}

/** @throws UNAVAILABLE where too many passwords wait to be hashed. */
export async function prepare(
  keyring: Keyring,
  whose: Whose,
  kind: CredentialKind,
  minted: Minted,
): Promise<Prepared> {
  const password =
    kind === CredentialKind.PASSWORD && minted.proof ? await keyring.hashPassword(whose, minted.proof) : null;
  return { minted, password };
}

/** The columns of a version that keep a secret. */
export type Kept = Pick<
  CredentialSecret,
  'verifier' | 'verifierKeyId' | 'passwordHash' | 'pepperId' | 'sealed' | 'kekId'
>;

/** They hold a verifier of it, and the secret itself, sealed, where it must be had again. */
export async function keepSecret(
  ctx: Pick<RequestContext, 'keyring'>,
  to: SealedTo,
  number: number,
  kind: CredentialKind,
  retrievable: boolean,
  { minted, password }: Prepared,
): Promise<Kept> {
  const generated = kind === CredentialKind.ACCESS_KEY || kind === CredentialKind.TOKEN;
  const verifier =
    generated && minted.proof && minted.accessKey
      ? ctx.keyring.verifier(minted.accessKey, minted.proof)
      : null;
  // A signature can be checked only with the key that it was made with.
  const sealedOne =
    retrievable || kind === CredentialKind.ACCESS_KEY || kind === CredentialKind.PROVIDER_KEYS
      ? await ctx.keyring.seal(plainOf(minted), secretPlace(to, number))
      : null;
  return {
    verifier: verifier?.verifier ?? null,
    verifierKeyId: verifier?.keyId ?? null,
    passwordHash: password?.hash ?? null,
    pepperId: password?.pepperId ?? null,
    sealed: sealedOne?.sealed ?? null,
    kekId: sealedOne?.kekId ?? null,
  };
}

/**
 * The columns of a version that keep the secret of a credential in an outside store, which is always had again. The
 * store gets no other address before the end of the transaction.
 */
export async function keepOutside(
  keyring: Keyring,
  tx: Tx,
  to: SealedTo & Pick<Credential, 'storeId'>,
  number: number,
  minted: Minted,
): Promise<Pick<CredentialSecret, 'sealed' | 'kekId'>> {
  const destination = (await heldDestinations(tx, [to.storeId])).get(to.storeId);
  return keyring.seal(plainOf(minted), secretPlace({ ...to, destination }, number));
}

/** Opens a kept secret. @throws as `Keyring.open` does. */
export async function openSecret(
  keyring: Keyring,
  store: Pick<CredentialStore, 'addresses'>,
  credential: SealedTo & Pick<Credential, 'kind' | 'provider' | 'accessKey' | 'expiresAt'>,
  version: Pick<CredentialSecret, 'number' | 'accessKey'> & { sealed: Buffer },
): Promise<SecretParts> {
  const place = secretPlace({ ...credential, destination: destinationOf(store) }, version.number);
  const plain = await keyring.open(Buffer.from(version.sealed), place);
  const { expiresAt, provider } = credential;
  const accessKey = version.accessKey ?? credential.accessKey;
  if (credential.kind !== CredentialKind.PROVIDER_KEYS)
    return { accessKey, secret: plain, keys: null, expiresAt };
  try {
    const keys = JSON.parse(plain.expose()) as { name: string; value: string }[];
    return {
      accessKey,
      secret: null,
      keys: keys.map(({ name, value }) => ({ name, value: Secret.of(value) })),
      expiresAt,
      provider,
    };
  } finally {
    plain.wipe();
  }
}

const plainOf = ({ secret, keys }: Minted): Secret =>
  keys
    ? Secret.of(JSON.stringify(keys.map(({ name, value }) => ({ name, value: value.expose() }))))
    : (secret ?? Secret.of(''));
