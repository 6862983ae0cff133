import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';
import type { PartsUp } from './parts.js';

/** What is looked at when metrics are read. */
export interface Measured {
  readonly version: string;
  readonly database: 'embedded' | 'postgresql';
  /** Which parts are there. */
  readonly parts: () => Promise<PartsUp>;
  /** The connections to the database of this process. */
  readonly pool: () => {
    readonly inUse: number;
    readonly idle: number;
    readonly waiting: number;
    readonly most: number;
  };
  /** What there is once the keys are here. */
  readonly serving: MeasuredServing | undefined;
}

/** What is looked at of a Keyway that has its keys. */
export interface MeasuredServing {
  /** In which state the circuit of each store is that was called by this process. */
  circuits(): ReadonlyMap<string, string>;
  /** What stands in the tables. @throws where they cannot be read */
  tables(): Promise<MeasuredTables>;
  /** How many rows named keys that are not current when they were last counted, and what could not be brought to another. */
  readonly keys: {
    readonly counts: readonly { kind: string; id: string; rows: number }[];
    readonly unreadable: number;
  };
  /** How many KEKs wait for their provider to unwrap them. */
  keksWaiting(): number;
  /** Whether the limits of a minute are counted over all processes. */
  limitsAreShared(): boolean;
  /** How far the stream of the audit log is behind; undefined where there is none, or another process streams. */
  streamLag(): { readonly events: number; readonly seconds: number } | undefined;
  /** How many decisions wait to be put on record. */
  auditQueue(): number;
  /** How long ago checkpoints were written last, in seconds; undefined where another process writes them. */
  checkpointAge(): number | undefined;
}

/** What is counted by the database when metrics are read. */
export interface MeasuredTables {
  /** Rotations that are late, and for how many seconds the one that is late the longest. */
  readonly overdue: number;
  readonly overdueSeconds: number;
  /** Changes that an outside store has not done yet, and for how many seconds the oldest has waited. */
  readonly openIntents: number;
  readonly openIntentsSeconds: number;
  /** Credentials of which nobody can tell whether their last change was made. */
  readonly unknown: number;
}

const states = ['CLOSED', 'OPEN', 'HALF_OPEN'];

/** A database that does not answer must not keep all else from being read. */
const longestReadMs = 2_000;

/** Has a registry look at all that when it is read. Labels are ids and words of Keyway's own, nothing that anybody wrote. */
export function addGauges(registry: Registry, measured: Measured): void {
  const gauge = (name: string, help: string, read: () => number | undefined | Promise<number | undefined>) =>
    void new Gauge({
      name,
      help,
      registers: [registry],
      aggregator: 'max',
      async collect() {
        const value = await read();
        this.remove();
        if (value !== undefined) this.set(value);
      },
    });
  const { version, database, serving } = measured;
  new Gauge({
    name: 'keyway_build_info',
    help: 'Always 1: which version of Keyway this is, of Node, and which database is behind it.',
    labelNames: ['version', 'node', 'database'],
    registers: [registry],
    aggregator: 'max',
  }).set({ version, node: process.versions.node, database }, 1);
  addParts(registry, measured);
  addPool(registry, measured);
  if (!serving) return;
  new Gauge({
    name: 'keyway_store_circuit',
    help: 'Whether the circuit of a store is in this state (1) or not (0), as this process sees it, or any of several.',
    labelNames: ['store', 'state'],
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.reset();
      for (const [store, circuit] of serving.circuits())
        for (const state of states) this.set({ store, state }, Number(state === circuit));
    },
  });
  const tables = once(() => readTables(serving));
  const counted = (name: keyof MeasuredTables) => async () => (await tables())?.[name] ?? NaN;
  gauge(
    'keyway_rotations_overdue',
    'Credentials whose rotation policy is late; NaN while the database does not answer.',
    counted('overdue'),
  );
  gauge(
    'keyway_rotation_overdue_seconds',
    'How long the rotation that is late the longest has been late, in seconds; 0 if none is.',
    counted('overdueSeconds'),
  );
  gauge(
    'keyway_intents_open',
    'Changes that an outside store has not done yet; NaN while the database does not answer.',
    counted('openIntents'),
  );
  gauge(
    'keyway_intent_open_seconds',
    'How long the oldest change that is not done yet has waited, in seconds; 0 if there is none.',
    counted('openIntentsSeconds'),
  );
  gauge(
    'keyway_credentials_unknown',
    'Credentials of which nobody can tell whether their last change was made; NaN while the database does not answer.',
    counted('unknown'),
  );
  new Gauge({
    name: 'keyway_keyring_rows',
    help: 'Rows that name this key, for each key that is older than the current one; counted once a minute while there are any, by the process that brings rows to the current key.',
    labelNames: ['kind', 'id'],
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.reset();
      for (const { kind, id, rows } of serving.keys.counts) this.set({ kind, id }, rows);
    },
  });
  gauge(
    'keyway_keyring_unreadable',
    'Sealed records that could not be opened, and so not be brought to the current key.',
    () => serving.keys.unreadable,
  );
  gauge(
    'keyway_keyring_waiting',
    'KEKs of the key file that their provider has not unwrapped, so that nothing is sealed or opened by them yet.',
    () => serving.keksWaiting(),
  );
  new Gauge({
    name: 'keyway_rate_limits_shared',
    help: 'Whether the limits of a minute are counted over all processes (1), or by each for itself (0), as what they are kept in did not answer when it was last asked.',
    registers: [registry],
    aggregator: 'min',
    collect() {
      this.set(Number(serving.limitsAreShared()));
    },
  });
  gauge(
    'keyway_audit_queue',
    'Decisions that wait to be put on record; past 10000 requests are refused.',
    () => serving.auditQueue(),
  );
  gauge(
    'keyway_audit_stream_behind',
    'Events of the audit log that were not streamed yet; counted each ten seconds by the process that streams them, and absent for others.',
    () => serving.streamLag()?.events,
  );
  gauge(
    'keyway_audit_stream_behind_seconds',
    'How old the oldest event is that was not streamed yet, in seconds; 0 if there is none.',
    () => serving.streamLag()?.seconds,
  );
  gauge(
    'keyway_checkpoint_age_seconds',
    'How long ago checkpoints of the audit log were written last, in seconds; absent where another process writes them.',
    () => serving.checkpointAge(),
  );
}

function addParts(registry: Registry, { parts }: Measured): void {
  new Gauge({
    name: 'keyway_part_up',
    help: 'Whether a part of Keyway is there (1) or missing (0), of several processes for each of them.',
    labelNames: ['part'],
    registers: [registry],
    aggregator: 'min',
    async collect() {
      const found = Object.entries(await parts());
      this.reset();
      for (const [part, isUp] of found) if (isUp !== undefined) this.set({ part }, Number(isUp));
    },
  });
}

function addPool(registry: Registry, { pool }: Measured): void {
  const sum = (name: string, help: string, read: () => number) =>
    void new Gauge({
      name,
      help,
      registers: [registry],
      aggregator: 'sum',
      collect() {
        this.set(read());
      },
    });
  new Gauge({
    name: 'keyway_database_connections',
    help: 'Connections to the database, by whether they are in use; of several processes all together.',
    labelNames: ['state'],
    registers: [registry],
    aggregator: 'sum',
    collect() {
      const { inUse, idle } = pool();
      this.set({ state: 'in_use' }, inUse);
      this.set({ state: 'idle' }, idle);
    },
  });
  sum('keyway_database_connections_max', 'How many connections there may be.', () => pool().most);
  sum(
    'keyway_database_waiting',
    'How many wait for a connection to the database, as all are in use.',
    () => pool().waiting,
  );
}

const readTables = (serving: MeasuredServing): Promise<MeasuredTables | undefined> =>
  Promise.race([serving.tables().catch(() => undefined), sleep(longestReadMs, undefined, { ref: false })]);

/** All who ask at the same time share one answer. */
function once<Result>(read: () => Promise<Result>): () => Promise<Result> {
  let underWay: Promise<Result> | undefined;
  return () => (underWay ??= read().finally(() => (underWay = undefined)));
}
