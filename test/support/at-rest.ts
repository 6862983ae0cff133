import { readConfig } from '../../src/config/config.js';
import { registry } from '../../src/connectors/registry.js';
import { sql } from '../../src/database/database.js';
import { openLog } from '../../src/log.js';
import { openOutbound } from '../../src/outbound/outbound.js';
import { openKeyway } from '../../src/start/keyway.js';
import { openGates } from '../../src/stores/gate.js';
import type { StoreParts } from '../../src/stores/open.js';
import type { TestServer } from './server.js';

/** What jobs have, and a way to look into tables. */
export interface AtRest {
  parts: StoreParts;
  /** Every line that the jobs logged. */
  logged: readonly string[];
  rows<Row extends object>(text: string, parameters?: Record<string, unknown>): Promise<Row[]>;
}

/** Does something on the database of a server that does not run meanwhile: none of its jobs is at it as well. */
export async function atRest(server: TestServer, work: (rest: AtRest) => Promise<void>): Promise<void> {
  await server.restart(async () => {
    const logged: string[] = [];
    const log = openLog('info', { write: (line) => void logged.push(line) });
    const { db, keyring } = await openKeyway(readConfig(server.environment), openLog('fatal'));
    const outbound = openOutbound({ allowedRanges: [], local: true });
    try {
      if (!keyring) throw new Error('the keys of the server were not opened');
      await work({
        parts: { db, keyring, connectors: registry, gates: openGates(outbound, log), log },
        logged,
        rows: (text, parameters = {}) => db.rows(sql(text), parameters),
      });
    } finally {
      await outbound.close();
      await db.close();
    }
  });
}
