import { builtIn } from './built-in.js';
import type { Connector } from './connector.js';
import * as vendors from './vendors.js';

/** The kinds of stores, and the connector of each. */
export type Registry = Readonly<Record<string, Connector>>;

/** Keyway's own store, and those of these vendors. */
export const registryOf = (connectors: readonly Connector[]): Registry =>
  Object.fromEntries([builtIn, ...connectors].map((connector) => [connector.kind, connector]));

/** All that Keyway comes with. */
export const registry: Registry = registryOf(Object.values(vendors));
