import { setTimeout as sleep } from 'node:timers/promises';
import { registry, type Registry } from '../../connectors/registry.js';
import { StoreError } from '../../connectors/store-error.js';
import { sql, type Database } from '../../database/database.js';
import { KeywayError } from '../../errors.js';
import type { Keyring } from '../../keyring/keyring.js';
import type { Log } from '../../log.js';
import type { Outbound } from '../../outbound/outbound.js';
import { NotPublic, openGates } from '../gate.js';
import { problemIn } from '../health.js';
import { withStore } from '../open.js';

/** What came of asking a store whether it answers and takes what Keyway proves itself with. */
export interface Probed {
  readonly name: string;
  readonly outcome:
    'ANSWERS' | 'STORE_REJECTED' | 'UNAVAILABLE' | 'RATE_LIMITED' | 'NOT_ALLOWED' | 'NOT_ASKED';
}

export interface ProbeParts {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly outbound: Outbound;
  readonly log: Log;
  readonly connectors?: Registry;
}

const atOnce = 8;
const longestProbeMs = 15_000;
const longestMs = 60_000;

/**
 * Asks each outside store by its connection, some at once, for a minute in all; those that are left then are NOT_ASKED.
 * Nothing is put on record, and nothing changes in a store.
 */
export async function probeStores({ connectors = registry, ...parts }: ProbeParts): Promise<Probed[]> {
  const all = { ...parts, connectors, gates: openGates(parts.outbound, parts.log) };
  const stores = await parts.db.rows<{ id: string; name: string }>(connected);
  const until = performance.now() + longestMs;
  const probed: Probed[] = [];
  const left = [...stores.entries()];
  const probeOn = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      const [at, { id, name }] = next;
      const isLate = performance.now() > until;
      probed[at] = { name, outcome: isLate ? 'NOT_ASKED' : await outcomeOf(all, id) };
    }
  };
  await Promise.all(Array.from({ length: atOnce }, probeOn));
  return probed;
}

type Parts = Parameters<typeof withStore>[0];

async function outcomeOf(parts: Parts, id: string): Promise<Probed['outcome']> {
  const given = new AbortController();
  const check = withStore(
    parts,
    id,
    async ({ connector, upstream }) => void (await connector.check(upstream)),
    given.signal,
  ).then(
    () => 'ANSWERS' as const,
    (error: unknown) => outcomeBy(error),
  );
  const late = sleep(longestProbeMs, 'UNAVAILABLE' as const, { signal: given.signal }).catch(
    () => 'UNAVAILABLE' as const,
  );
  const outcome = await Promise.race([check, late]);
  given.abort();
  return outcome;
}

function outcomeBy(error: unknown): Probed['outcome'] {
  if (error instanceof NotPublic) return 'NOT_ALLOWED';
  if (!(error instanceof StoreError)) return error instanceof KeywayError ? 'NOT_ASKED' : 'UNAVAILABLE';
  const problem = problemIn(error);
  return problem === 'UNAVAILABLE' || problem === 'RATE_LIMITED' ? problem : 'STORE_REJECTED';
}

const connected = sql(
  'SELECT id, name FROM stores WHERE deleted_at IS NULL AND sealed IS NOT NULL ORDER BY sort_name',
);
