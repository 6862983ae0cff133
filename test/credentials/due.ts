import { join } from 'node:path';
import { registry } from '../../src/connectors/registry.js';
import { openKeys } from '../../src/start/keys.js';
import { openLog } from '../../src/log.js';
import type { Outbound } from '../../src/outbound.js';
import { parseId } from '../../src/ids.js';
import { openGates } from '../../src/stores/gate.js';
import type { StoreParts } from '../../src/stores/open.js';
import type { SharedServer } from '../support/server.js';

/** What the job has, on the server's database: the job of the server runs beside, with turns of its own taken once. */
export async function partsOf(server: SharedServer, outbound: Outbound): Promise<StoreParts> {
  const { db } = server;
  const { keyring } = await openKeys(db, join(server.dataDir, 'keys'), {});
  if (!keyring) throw new Error('the keys of the server were not opened');
  const log = openLog('fatal');
  return { db, keyring, connectors: registry, gates: openGates(outbound, log), log };
}

/** The id of a row, by its public one. */
export const rowOf = (id: string): string => parseId(id)?.uuid ?? '';

/** Lets these credentials be due, by the ids of their rows. */
export const setDue = (server: SharedServer, ...ids: string[]) =>
  server.rows(
    `UPDATE credentials SET rotation_due_at = now() - interval '1 second' WHERE id = ANY(CAST(:ids AS uuid[]))
     RETURNING id`,
    { ids },
  );
