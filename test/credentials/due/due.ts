import { join } from 'node:path';
import { registry } from '../../../src/connectors/registry.js';
import { apartMs, DueRotations } from '../../../src/credentials/due/rotate-due.js';
import { openKeys } from '../../../src/start/keys.js';
import { openLog } from '../../../src/log.js';
import type { Outbound } from '../../../src/outbound/outbound.js';
import { parseId } from '../../../src/ids.js';
import { openGates } from '../../../src/stores/gate.js';
import type { StoreParts } from '../../../src/stores/open.js';
import type { SharedServer } from '../../support/server.js';

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

/** One round of the job, to its end. Returns how many it began. */
export async function rotateDue(parts: StoreParts, apart = apartMs): Promise<number> {
  const begun = await Promise.all(await new DueRotations(parts, apart).tick());
  return begun.filter(Boolean).length;
}
