import type {
  Adoption,
  Connector,
  Described,
  Known,
  ListedPart,
  Minted,
  Observed,
  Upstream,
  Wanted,
} from '../../src/connectors/connector.js';
import { Secret } from '../../src/secret.js';

/** A credential of a store as Keyway knows it, made up but for what is given. */
export const known = (given: Partial<Known> & Pick<Known, 'externalId' | 'scope' | 'kind'>): Known => ({
  name: given.externalId,
  accessKey: null,
  provider: null,
  enabled: true,
  temporary: false,
  revision: null,
  keys: [],
  ...given,
});

/** What is recorded of a credential: as little as may be, but for what is given. */
export const described = (given: Partial<Described> = {}): Described => ({
  name: 'api',
  description: null,
  category: null,
  fullName: null,
  email: null,
  enabled: true,
  allowedIps: [],
  roles: [],
  baseUrl: null,
  expiresAt: null,
  ...given,
});

/** A credential that a store is to make. */
export const wanted = (given: Partial<Wanted> & Pick<Wanted, 'wish'>): Wanted => ({
  ...described(given),
  scope: null,
  ...given,
});

/** A password that Keyway holds. */
export const heldPassword = (text: string): Minted => {
  const secret = Secret.of(text);
  return { accessKey: null, secret, keys: null, proof: secret };
};

/** The keys of a provider's. */
export const keysOf = (keys: Record<string, string>): { name: string; value: Secret }[] =>
  Object.entries(keys).map(([name, value]) => ({ name, value: Secret.of(value) }));

/** Keys of a provider's that Keyway holds. */
export const heldKeys = (keys: Record<string, string>): Minted => ({
  accessKey: null,
  secret: null,
  keys: keysOf(keys),
  proof: null,
});

/** The parts of a listing. */
export async function partsOf(
  connector: Connector,
  upstream: Upstream,
  from: string | null = null,
): Promise<ListedPart[]> {
  const parts: ListedPart[] = [];
  for await (const part of connector.list?.(upstream, from) ?? []) parts.push(part);
  return parts;
}

/** All that a listing shows. */
export const listed = async (
  connector: Connector,
  upstream: Upstream,
  from: string | null = null,
): Promise<Observed[]> => (await partsOf(connector, upstream, from)).flatMap(({ entries }) => entries);

/** What a connection becomes with a new secret of a credential that it is reached with. */
export function adopted(adoption: Adoption | undefined, minted: Minted): ReturnType<Adoption> {
  if (!adoption) throw new Error('the connection does not take it up');
  return adoption(minted);
}
