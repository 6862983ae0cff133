import { unsupported } from '../errors.js';
import { Secret } from '../secret.js';
import type { Scheme, SigningKey } from '../signatures/scheme.js';
import type { Adoption, Minted, StoreRequest, Upstream } from './connector.js';
import { StoreError } from './store-error.js';

/**
 * Headers that sign a request with this key, made again each time they are asked for. A key that cannot sign in this
 * scheme is one that the store does not take.
 */
export function signedBy(
  scheme: Scheme,
  key: SigningKey,
  { now }: Pick<Upstream, 'now'>,
): NonNullable<StoreRequest['sign']> {
  return ({ method, url, body }) => {
    // What goes out on the request line: never the fragment, or a question mark with nothing behind it.
    const target = `${url.origin}${url.pathname}${url.search}`;
    const raw = body === undefined ? undefined : Buffer.from(body);
    try {
      const signed = scheme.sign({ method, url: target, headers: [], body: raw }, key, { ms: now() });
      return Object.fromEntries(signed.headers.map(({ name, value }) => [name, value]));
    } catch (cause) {
      throw new StoreError('UNAUTHENTICATED', { sent: false, cause });
    }
  };
}

/** The pair that Keyway itself signs with there, by the names of the connection's fields. */
export const ownPair = (
  { settings, secrets }: Pick<Upstream, 'settings' | 'secrets'>,
  setting: string,
  secret: string,
): SigningKey => ({
  accessKey: String(settings[setting] ?? ''),
  secret: secrets[secret] ?? Secret.of(''),
});

/** The pair that a secret is; undefined where it is none. */
export const pairOf = (minted: Minted | null): SigningKey | undefined =>
  minted?.secret && minted.accessKey !== null
    ? { accessKey: minted.accessKey, secret: minted.secret }
    : undefined;

/** @throws UNSUPPORTED where it is no pair. */
export function neededPair(minted: Minted | null): SigningKey {
  const pair = pairOf(minted);
  if (!pair) throw unsupported('This needs an access key with its secret.');
  return pair;
}

/** Takes a new pair up into the connection, by the names of its fields. */
export const adoptPair =
  (setting: string, secret: string): Adoption =>
  (minted) => {
    const pair = neededPair(minted);
    return { settings: { [setting]: pair.accessKey }, secrets: { [secret]: pair.secret } };
  };

/** A pair as a store has just shown it. */
export function mintedPair(accessKey: string, plain: string): Minted & { accessKey: string; secret: Secret } {
  const secret = Secret.of(plain);
  return { accessKey, secret, keys: null, proof: secret };
}
