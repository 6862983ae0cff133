import { apinizer } from './apinizer/apinizer.js';
import { builtIn } from './built-in.js';
import type { Connector } from './connector.js';
import { landscape } from './landscape/landscape.js';
import { ncloud } from './ncloud/ncloud.js';
import { seqera } from './seqera/seqera.js';
import { veracode } from './veracode/veracode.js';

/** The kinds of stores, and the connector of each. */
export type Registry = Readonly<Record<string, Connector>>;

export const registry: Registry = {
  [builtIn.kind]: builtIn,
  [landscape.kind]: landscape,
  [seqera.kind]: seqera,
  [veracode.kind]: veracode,
  [apinizer.kind]: apinizer,
  [ncloud.kind]: ncloud,
};
