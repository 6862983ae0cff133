import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messages, parse, PGlite, protocol } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { FolderTaken, lockFolder, type FolderLock } from './folder-lock.js';
import type { Traced } from './connections.js';
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
/** The usual 128 MB are cleared at each start: that took most of its time, and the memory for good. */
const buffersMegabytes = 32;

/**
 * Opens the embedded PostgreSQL in a folder, or in memory where none is given, and refuses a folder that another
 * process has open: two writers would ruin it. It survives a killed process, not a power cut: its fsync is off.
 * @param image a database that has nothing in it, as `bin/embedded-image.js` makes it: where the folder has none yet, it
 * begins with a copy. Without it one is made, which takes seconds.
 * @param waiting as of `lockFolder`.
 * @throws as `lockFolder`.
 * @returns the module that TypeORM takes for its driver in place of `pg`.
 */
export async function openEmbedded(
  folder: string | undefined,
  image?: string,
  waiting?: (goneMs: number) => void,
  traced?: Traced,
): Promise<{ Pool: new () => EmbeddedPool }> {
  const lock = folder === undefined ? undefined : await lockFolder(folder, waiting);
  const text = (value: string) => value;
  try {
    if (folder !== undefined) await finishRestore(join(folder, 'postgres'));
    if (folder !== undefined && image !== undefined) await beginWith(image, join(folder, 'postgres'));
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
          super(database, lock, traced);
        }
      },
    };
  } catch (error) {
    lock?.release();
    throw error;
  }
}

/** Where a database lies, whole, that is to take a place. */
export const restoredBeside = (place: string): string => `${place}.restored`;

/** What was killed between moving the database of before away and putting the restored one in its place is finished. */
async function finishRestore(place: string): Promise<void> {
  if (!existsSync(place) && existsSync(restoredBeside(place))) await rename(restoredBeside(place), place);
}

/** Copies the image to a place where nothing is, whole or not at all: where it cannot be, one is made as without it. */
async function beginWith(image: string, place: string): Promise<void> {
  if (existsSync(place) || !existsSync(image)) return;
  const part = `${place}.part`;
  try {
    await rm(part, { recursive: true, force: true });
    await cp(image, part, { recursive: true });
    await makeOwn(part);
    await rename(part, place);
  } catch {
    await makeOwn(part)
      .then(() => rm(part, { recursive: true, force: true }))
      .catch(() => undefined);
  }
}

/** A copy brings the modes of what was installed, which may be something that nobody writes to. */
async function makeOwn(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const found of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, found.name);
    await (found.isDirectory() ? makeOwn(path) : chmod(path, 0o600));
  }
}

/** The one connection of the embedded database, handed to one user at a time: that is what makes transactions safe. */
export class EmbeddedPool extends EventEmitter {
  readonly #client: EmbeddedClient;
  readonly #waiting: (() => void)[] = [];
  #busy = false;
  #ended = false;
  #lost = false;

  constructor(
    private readonly database: PGlite,
    private readonly lock?: FolderLock,
    traced?: Traced,
  ) {
    super();
    this.#client = new EmbeddedClient(database, () => this.#expectHeld(), traced);
  }

  /** As of a pool of `pg`. */
  readonly options = { max: 1 };
  readonly totalCount = 1;
  get idleCount(): number {
    return this.#busy ? 0 : 1;
  }
  get waitingCount(): number {
    return this.#waiting.length;
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
      // Closing writes, and what another has taken over is not ours to write to.
      if (!this.#lost) await this.database.close();
      this.lock?.release();
    }
    done?.();
  }

  /** @throws what `pg` says of a session that was ended, where the folder is another's. */
  #expectHeld(): void {
    try {
      this.lock?.expectHeld();
    } catch (error) {
      if (!(error instanceof FolderTaken)) throw error;
      const ended = Object.assign(error, { code: '57P01' });
      if (!this.#lost) this.emit('error', ended);
      this.#lost = true;
      throw ended;
    }
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

  constructor(
    private readonly database: PGlite,
    private readonly expectHeld: () => void,
    private readonly traced?: Traced,
  ) {
    super();
  }

  query(query: Query, values?: unknown[]): Promise<QueryAnswer> {
    const run = () => this.answer(query, values);
    return this.traced ? this.traced(typeof query === 'string' ? query : query.text, run) : run();
  }

  private async answer(query: Query, values?: unknown[]): Promise<QueryAnswer> {
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

  private async send(...messages: Uint8Array[]) {
    this.expectHeld();
    return this.database.execProtocolStream(Buffer.concat(messages));
  }
}
