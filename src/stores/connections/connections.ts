import type { Connection } from '../../connectors/connection.js';
import { apinizerConnection } from './apinizer.js';
import { landscapeConnection } from './landscape.js';
import { ncloudConnection } from './ncloud.js';
import { seqeraConnection } from './seqera.js';
import { veracodeConnection } from './veracode.js';

/** How each kind of store is connected. */
export const connections: Readonly<Record<string, Connection>> = {
  LANDSCAPE: landscapeConnection,
  SEQERA: seqeraConnection,
  VERACODE: veracodeConnection,
  APINIZER: apinizerConnection,
  NCLOUD: ncloudConnection,
};
