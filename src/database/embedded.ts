import { EventEmitter } from 'node:events';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messages, parse, PGlite, protocol } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { embeddedSettings } from './session.js';

/** What a query brings back, in the words of `pg`. */
export interface QueryAnswer {
  rows: Record<string, unknown>[];
  rowCount: number;
  command: string;
}

type Query = string | { text: string; values?: unknown[]; name?: string };
type Connected = (error: Error | undefined, client?: EmbeddedClient, release?: () => void) => void;

const waitMs = 10_000;
const writingMs = 5_000;
/** The usual 128 MB are cleared at each start: that took most of its time, and the memory for good. */
const buffersMegabytes = 32;

/**
 * Opens the embedded PostgreSQL in a folder, or in memory where none is given, and refuses a folder that another
 * process has open: two writers would ruin it. It survives a killed process, not a power cut: its fsync is off.
 * @returns the module that TypeORM takes for its driver in place of `pg`.
 */
export async function openEmbedded(folder: string | undefined): Promise<{ Pool: new () => EmbeddedPool }> {
  const unlock = folder === undefined ? () => undefined : lock(folder);
  const text = (value: string) => value;
  try {
    const database = await PGlite.create({
      ...(folder === undefined ? {} : { dataDir: join(folder, 'postgres') }),
      extensions: { pg_trgm },
      startParams: [...PGlite.defaultStartParams, '-c', `shared_buffers=${buffersMegabytes}MB`],
      // Timestamps stay text, microseconds and all, as they do with `pg`.
      parsers: { 1184: text, 1114: text, 20: text },
    });
    for (const [name, value] of embeddedSettings)
      await database.query('SELECT set_config($1, $2, false)', [name, value]);
    return {
      Pool: class extends EmbeddedPool {
        constructor() {
          super(database, unlock);
        }
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** The one connection of the embedded database, handed to one user at a time: that is what makes transactions safe. */
export class EmbeddedPool extends EventEmitter {
  readonly #client: EmbeddedClient;
  readonly #waiting: (() => void)[] = [];
  #busy = false;
  #ended = false;

  constructor(
    private readonly database: PGlite,
    private readonly unlock: () => void,
  ) {
    super();
    this.#client = new EmbeddedClient(database);
  }

  connect(): Promise<EmbeddedClient & { release: () => void }>;
  connect(done: Connected): void;
  connect(done?: Connected): Promise<EmbeddedClient & { release: () => void }> | void {
    if (done) {
      this.#take().then(
        () => done(undefined, this.#client, this.#releaseOnce()),
        (error: unknown) => done(error as Error),
      );
      return;
    }
    return this.#take().then(() =>
      Object.assign(Object.create(this.#client) as EmbeddedClient, { release: this.#releaseOnce() }),
    );
  }

  async query(query: Query, values?: unknown[]): Promise<QueryAnswer> {
    await this.#take();
    try {
      return await this.#client.query(query, values);
    } finally {
      this.#release();
    }
  }

  async end(done?: () => void): Promise<void> {
    if (!this.#ended) {
      this.#ended = true;
      await this.database.close();
      this.unlock();
    }
    done?.();
  }

  async #take(): Promise<void> {
    if (this.#ended) throw new Error('the embedded database is closed');
    if (!this.#busy) {
      this.#busy = true;
      // It works on the event loop's own time: between any two statements, others get their turn.
      await new Promise(setImmediate);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const turn = () => {
        // From here on it is theirs: time that ends before they notice must not take it from everybody.
        clearTimeout(timer);
        setImmediate(resolve);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(new Error('timeout exceeded when trying to connect'));
      }, waitMs);
      this.#waiting.push(turn);
    });
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#busy = false;
  }

  #releaseOnce(): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#release();
    };
  }
}

const { bind, close, describe, execute, parse: prepare, query: simpleQuery, sync } = protocol.serialize;

/** What a statement came to, in the server's own word: a COMMIT of what had failed is answered ROLLBACK. */
const tagOf = (message: object): string | undefined =>
  message instanceof messages.CommandCompleteMessage ? message.text.split(' ')[0] : undefined;

class EmbeddedClient extends EventEmitter {
  /** The types of the parameters of what is prepared, by its name. */
  private readonly prepared = new Map<string, readonly number[]>();

  constructor(private readonly database: PGlite) {
    super();
  }

  async query(query: Query, values?: unknown[]): Promise<QueryAnswer> {
    const {
      text,
      values: parameters = values,
      name = '',
    } = typeof query === 'string' ? { text: query } : query;
    // Only the simple protocol takes several statements at once, as migrations have them; it takes no parameters.
    const said =
      parameters && parameters.length > 0
        ? await this.run(name, text, parameters)
        : await this.send(simpleQuery(text));
    const { rows = [], affectedRows } = parse.parseResults(said, this.database.parsers).at(-1) ?? {};
    const command = said.map(tagOf).findLast((tag) => tag !== undefined) ?? '';
    return { rows, rowCount: affectedRows || rows.length, command };
  }

  /** What has a name is read and planned once, as `pg` does it: with this database, that takes most of the time. */
  private async run(name: string, text: string, parameters: unknown[]) {
    const types = (name !== '' && this.prepared.get(name)) || (await this.prepare(name, text));
    const { serializers } = this.database;
    const values = parameters.map((value, index) => {
      if (value === null || value === undefined) return null;
      const serialize = serializers[types[index] ?? 0];
      return serialize ? serialize(value) : (value as string | number).toString();
    });
    return this.send(bind({ statement: name, values }), describe({ type: 'P' }), execute({}), sync());
  }

  private async prepare(name: string, text: string): Promise<readonly number[]> {
    const described = await this.send(
      close({ type: 'S', name }),
      prepare({ name, text }),
      describe({ type: 'S', name }),
      sync(),
    );
    const types = parse.parseDescribeStatementResults(described);
    if (name !== '') this.prepared.set(name, types);
    return types;
  }

  private send(...messages: Uint8Array[]) {
    return this.database.execProtocolStream(Buffer.concat(messages));
  }
}

/** Takes the folder for this process. @throws where a living process has it. */
function lock(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'lock');
  const own = `${process.pid} ${startOf(process.pid)}`;
  for (;;) {
    try {
      writeFileSync(path, own, { flag: 'wx', mode: 0o600 });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (isHeld(path)) {
      throw new Error(
        'Another Keyway has this data folder open. Stop it first, or name another with KEYWAY_DATA_DIR.',
      );
    }
    rmSync(path, { force: true });
  }
}

function isHeld(path: string): boolean {
  const [pid = '', start = ''] = readFileSync(path, 'utf8').split(' ');
  // Just being written; or left so by a process that ended in between.
  if (pid === '') return Date.now() - statSync(path).mtimeMs < writingMs;
  return isAlive(Number(pid)) && start === startOf(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When the process began, as the system counts it, so that a number used again is not taken for the process before. */
function startOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
