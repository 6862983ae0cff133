import type { Connection } from '../connectors/connection.js';
import { apinizerConnection } from '../connectors/apinizer/connection.js';
import { landscapeConnection } from '../connectors/landscape/connection.js';
import { ncloudConnection } from '../connectors/ncloud/connection.js';
import { seqeraConnection } from '../connectors/seqera/connection.js';
import { veracodeConnection } from '../connectors/veracode/connection.js';

/** How each kind of store is connected. */
export const connections: Readonly<Record<string, Connection>> = {
  LANDSCAPE: landscapeConnection,
  SEQERA: seqeraConnection,
  VERACODE: veracodeConnection,
  APINIZER: apinizerConnection,
  NCLOUD: ncloudConnection,
};
