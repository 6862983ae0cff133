import type { IssuedPartsFragment } from './graph.js';
import { Secret } from './secret.js';

/** A secret as Keyway shows it, once or again, with what belongs to it. */
export interface Issued {
  /** The public half: an access key, the id of a token, or a user name. */
  accessKey: string | null;
  /** The secret key, the token or the password; null where there are `keys`. */
  secret: Secret | null;
  /** The keys of a provider, by name; null for every other kind. */
  keys: { name: string; value: Secret }[] | null;
  /** Where it is used; null where that is not known. */
  endpoint: string | null;
  /** When it ends, in UTC; null where it does not. */
  expiresAt: string | null;
}

/** Takes the plain secrets of an answer out of sight. */
export const issuedOf = ({ secret, keys, ...others }: IssuedPartsFragment): Issued => ({
  ...others,
  secret: secret === null ? null : new Secret(secret),
  keys: keys?.map(({ name, value }) => ({ name, value: new Secret(value) })) ?? null,
});
