import { Checkpoints } from '../audit/checkpoints/checkpoints.js';
import { openCheckpointPlace } from '../audit/checkpoints/open-place.js';
import type { CheckpointPlace } from '../audit/checkpoints/place.js';
import type { Config } from '../config/config.js';
import { installed } from '../config/installed.js';
import type { Traced } from '../database/connections.js';
import { Database, sql } from '../database/database.js';
import { Replica } from '../database/replica/replica.js';
import { firstStart } from './first-start.js';
import { makeFolder } from './folders.js';
import { openKeyProviders } from './key-providers/key-providers.js';
import { UnwrappedKeks } from './key-providers/unwrapped-keks.js';
import { openKeys } from './keys.js';
import { plainIn } from '../keyring/key-file.js';
import type { Keyring, KeyringOptions } from '../keyring/keyring.js';
import type { Log } from '../log.js';
import { alignDirectories } from '../scim/align-grants.js';
import { updateBuiltInRoles } from './built-in-roles.js';
import { entities, migrations } from './tables.js';
import { WatchedKeys } from './watched-keys.js';
import { WrapCount } from './wrap-count.js';

/** A Keyway whose database and keys are open. While its checkpoints tell of breaks in the audit log, it serves nothing. */
export interface Keyway {
  readonly db: Database;
  /** A server that queries may be read from. */
  readonly replica: Replica | undefined;
  readonly keyring: Keyring;
  readonly checkpoints: Checkpoints;
  /** Where the checkpoints lie. */
  readonly place: CheckpointPlace;
  readonly wraps: WrapCount;
  readonly keys: WatchedKeys;
  /** The file with the first token, if it was made just now. */
  readonly tokenPath: string | undefined;
  close(): Promise<void>;
}

/** A Keyway that cannot serve: its database was written with keys that are not here. */
export interface Locked {
  readonly db: Database;
  readonly keyring: undefined;
  readonly missing: string[];
  /** Where the checkpoints lie. */
  readonly place: CheckpointPlace;
  close(): Promise<void>;
}

/** What a Keyway is opened for. */
interface Purpose {
  /** Hears of each statement. */
  traced?: Traced | undefined;
  /** To serve, also where a later version has added to the database. A command needs to know all that is in it. */
  serves?: boolean;
}

/**
 * Makes the data folder, for its owner alone; opens the database and brings it up to date, opens the keys, makes what a
 * first start makes, and brings the built-in roles up to date. Where the audit log is not what its checkpoints say, nothing
 * is made and nothing brought up to date but the tables.
 * @throws where the folders cannot be used, the database or the place of the checkpoints cannot be reached, key files are wrong, or production forbids
 * the database's role.
 */
export async function openKeyway(config: Config, log: Log, purpose: Purpose = {}): Promise<Keyway | Locked> {
  makeFolder('KEYWAY_DATA_DIR', config.dataDir);
  const place = await openCheckpointPlace(config.checkpoints);
  try {
    return await openDatabase(config, log, place, purpose);
  } catch (error) {
    await place.close();
    throw error;
  }
}

async function openDatabase(
  config: Config,
  log: Log,
  place: CheckpointPlace,
  purpose: Purpose,
): Promise<Keyway | Locked> {
  const db = await Database.open({
    url: config.databaseUrl,
    folder: config.dataDir,
    image: installed('dist/embedded/postgres'),
    poolSize: config.databasePool,
    entities,
    migrations,
    traced: purpose.traced,
    onPoolError: (error) => log.warn({ error }, 'a database connection was lost'),
    onFolderWait: (goneMs) =>
      log.warn(
        { seconds: goneMs / 1_000 },
        'waiting for a sign of life of another Keyway that had this data folder',
      ),
  });
  try {
    if (config.production && !db.embedded) await expectModestRole(db);
    return await db.alone(() => openParts(config, log, db, place, purpose));
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function openParts(
  config: Config,
  log: Log,
  db: Database,
  place: CheckpointPlace,
  { traced, serves = false }: Purpose,
): Promise<Keyway | Locked> {
  await db.setClock();
  const { added } = await db.migrate(serves);
  if (added.length > 0)
    log.warn({ added }, 'the database is of a later version, which has only added to it: this one goes on');
  const wraps = new WrapCount(db, log);
  const keks = new UnwrappedKeks(openKeyProviders(config.keyProviders), log);
  const options: KeyringOptions = {
    // The embedded database has one connection, which whoever asks may hold, and one process.
    look: () => (db.embedded ? Promise.resolve() : keys.lookSoon()),
    onWrap: (kekId) => wraps.take(kekId),
    onAudit: () => checkpoints.expectWhole(),
    onLinked: (events) => checkpoints.noteEnded(events),
    processes: config.processes,
  };
  const replica = replicaOf(db, config, traced, (error) =>
    error === undefined
      ? log.info({}, 'queries are read from KEYWAY_DATABASE_READ_URL again')
      : log.warn({ error }, 'queries are not read from KEYWAY_DATABASE_READ_URL, but from the primary'),
  );
  const opened = await openKeys(db, config.keysDir, options, keks);
  const close = async () => {
    await opened.keyring?.close();
    await place.close();
    await replica?.close();
    await db.close();
  };
  if (!opened.keyring) return { db, keyring: opened.keyring, missing: opened.missing, place, close };
  const { keyring, files } = opened;
  const plain = plainIn(files.kek);
  if (config.keyProviders.chosen !== 'file' && plain.length > 0)
    log.warn({ keys: plain }, 'KEKs stand in their file as they are: keyway keys rewrap kek');
  const keys = new WatchedKeys({ db, directory: config.keysDir, files, keks, wraps, log });
  if (keyring.hasKek(keyring.currentKekId())) await wraps.reserve(keyring.currentKekId());
  const checkpoints = new Checkpoints(db, keyring, place, log, config.checkpointMonths);
  await checkpoints.check();
  const open = { db, replica, keyring, checkpoints, place, wraps, keys, close };
  // Nothing is made on a database that is not what it was: what is missing may come back.
  if (checkpoints.breaks.length > 0) return { ...open, tokenPath: undefined };
  const tokenPath = await firstStart(db, keyring, config.dataDir);
  await updateBuiltInRoles(db, keyring, log);
  if (serves) await alignDirectories(db, keyring, config.scim);
  await checkpoints.write();
  return { ...open, tokenPath };
}

/**
 * The server that queries may be read from; undefined where none is set.
 * @param traced hears of each statement
 * @param onChange as of `Replica`
 */
export function replicaOf(
  db: Database,
  { databaseReadUrl: url, databasePool: poolSize }: Pick<Config, 'databaseReadUrl' | 'databasePool'>,
  traced: Traced | undefined,
  onChange: (trouble: unknown) => void,
): Replica | undefined {
  return url === undefined ? undefined : new Replica(db, { url, poolSize, traced, onChange });
}

/** Expects of the role of a PostgreSQL what production requires. @throws an Error to show for a superuser */
export async function expectModestRole(db: Database): Promise<void> {
  const [role] = await db.rows<{ super: boolean }>(superuser);
  if (role?.super)
    throw new Error('Keyway cannot start:\n  DATABASE_URL must not name a superuser in production');
}

const superuser = sql('SELECT rolsuper AS super FROM pg_roles WHERE rolname = current_user');
