import type { Connector } from '../connectors/connector.js';
import type { Registry } from '../connectors/registry.js';
import { unsupported } from '../errors.js';
import { type CredentialStore, StoreCapability, StoreSettable } from './store.js';

type Verb = Exclude<
  keyof Connector,
  'kind' | 'connection' | 'kinds' | 'keeps' | 'use' | 'budget' | 'rotation' | 'check'
>;

/**
 * A verb of the store's connector.
 * @throws UNSUPPORTED where that kind of store lacks it, before anything is written.
 */
export function supporting<Name extends Verb>(
  connectors: Registry,
  store: Pick<CredentialStore, 'kind'>,
  verb: Name,
): NonNullable<Connector[Name]> {
  const found = connectors[store.kind]?.[verb];
  if (!found) throw unsupported();
  return found;
}

/** What a store can do, read off its connector: a capability is a verb that is there. */
export const capabilitiesOf = (connector: Connector | undefined): StoreCapability[] =>
  connector ? verbs.flatMap(([verb, capability]) => (connector[verb] ? capability : [])) : [];

const verbs: [Verb, StoreCapability][] = [
  ['list', StoreCapability.LIST],
  ['find', StoreCapability.FIND],
  ['create', StoreCapability.CREATE],
  ['update', StoreCapability.UPDATE],
  ['rotate', StoreCapability.ROTATE],
  ['revoke', StoreCapability.REVOKE],
  ['delete', StoreCapability.DELETE],
  ['reveal', StoreCapability.REVEAL],
  ['issue', StoreCapability.ISSUE],
];

/** What credentials of a store can be given: what it does not keep itself is refused. */
export const settableOf = (connector: Connector | undefined): StoreSettable[] =>
  settable.flatMap(([name, what]) => (connector?.keeps?.includes(name) ? what : []));

const settable: [NonNullable<Connector['keeps']>[number], StoreSettable][] = [
  ['allowedIps', StoreSettable.ALLOWED_IPS],
  ['baseUrl', StoreSettable.BASE_URL],
  ['enabled', StoreSettable.ENABLED],
  ['expiresAt', StoreSettable.EXPIRES_AT],
];
