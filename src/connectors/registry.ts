import { builtIn } from './built-in.js';
import type { Connector } from './connector.js';

/** The kinds of stores, and the connector of each. */
export type Registry = Readonly<Record<string, Connector>>;

export const registry: Registry = {
  [builtIn.kind]: builtIn,
};
