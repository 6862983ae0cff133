import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.js';
import { Database, sql } from '../../database/database.js';
import { restoredBeside } from '../../database/embedded.js';
import { FolderTaken } from '../../database/folder-lock.js';
import { expectModestRole } from '../keyway.js';
import { entities, migrations } from '../tables.js';
import { findingsOf, lookAt, type Finding, type Findings } from './finding.js';
import { ofPostgres } from './lifetimes.js';

/** A database that was looked at. */
export interface SeenDatabase {
  readonly findings: readonly Finding[];
  /** To be closed; undefined where there is none to be asked. */
  readonly db?: Database;
  /** Whether it has the tables of this version; `new` where nothing was ever written to it. */
  readonly tables: 'current' | 'new' | 'unknown';
}

const say = findingsOf('database');

/** Opens the database as it is: no table is made or changed, and no embedded database begun. */
export async function seeDatabase(config: Config): Promise<SeenDatabase> {
  const { databaseUrl: url, dataDir: folder } = config;
  if (url === undefined) {
    const place = join(folder, 'postgres');
    if (!existsSync(place)) return noneIn(place);
    const { uid } = statSync(place);
    if (process.geteuid && process.geteuid() !== uid) return notOurs(place, uid);
  }
  let db: Database;
  try {
    db = await Database.open({ url, folder, poolSize: 2, entities, migrations });
  } catch (error) {
    return { findings: await notOpened(error), tables: 'unknown' };
  }
  const findings: Finding[] = [];
  const looks: readonly ((db: Database) => Promise<readonly Finding[]>)[] = db.embedded
    ? [async () => [say.ok('the embedded database is whole enough to be opened')]]
    : [ofServer, ofPooler, (open) => ofRole(open, config), (open) => ofRoom(open, config), ofClock];
  for (const look of looks) findings.push(...(await lookAt('database', () => look(db))));
  let tables: SeenDatabase['tables'] = 'unknown';
  findings.push(
    ...(await lookAt('tables', async (told) => {
      const { done, all } = await db.expectToMigrate();
      if (done === all) tables = 'current';
      if (done === 0) tables = 'new';
      const lacking = db.embedded || done < all ? [] : await ofTables(db, told);
      return lacking.length > 0 ? lacking : [ofMigrations(told, done, all)];
    })),
  );
  return { findings, db, tables };
}

const noneIn = (place: string): SeenDatabase =>
  existsSync(restoredBeside(place))
    ? {
        findings: [
          say.warning('a restored database is not in its place yet', 'the next start puts it there'),
        ],
        tables: 'unknown',
      }
    : { findings: [say.ok('there is no embedded database yet', 'the first start makes it')], tables: 'new' };

/** What it opens it writes to: files of this user would be left there, which its owner could not open. */
const notOurs = (place: string, uid: number): SeenDatabase => ({
  findings: [
    say.skipped(
      `${place} belongs to the user ${uid}, and was not opened`,
      'run this as the user that Keyway runs as',
    ),
  ],
  tables: 'unknown',
});

async function notOpened(error: unknown): Promise<readonly Finding[]> {
  if (error instanceof FolderTaken)
    return [
      say.skipped(
        'it is in use: a Keyway has this data folder open',
        'ask that one (/ready), or stop it to have all of it looked at',
      ),
    ];
  return lookAt('database', () => {
    throw error;
  });
}

async function ofServer(db: Database): Promise<readonly Finding[]> {
  const [server] = await db.rows<Server>(askAboutServer);
  if (!server) return [];
  const findings = [ofPostgres(server.version, db.now(), say)];
  for (const [setting, value, why] of [
    ['fsync', server.fsync, 'a power failure can ruin the database'],
    ['full_page_writes', server.pages, 'a power failure can ruin the database'],
    ['synchronous_commit', server.commit, 'a crash can lose what was answered, revocations too'],
  ] as const)
    if (value === 'off') findings.push(say.warning(`${setting} is off: ${why}`, `set ${setting} = on`));
  return findings;
}

interface Server {
  version: number;
  fsync: string;
  pages: string;
  commit: string;
}

/** A pooler that keeps no transaction together cannot be used. */
async function ofPooler(db: Database): Promise<readonly Finding[]> {
  try {
    await db.transaction((tx) => tx.rows(ping));
  } catch {
    return [
      say.wrong(
        'no transaction comes to its end',
        'if a pooler is between, its pool_mode must be transaction or session',
      ),
    ];
  }
  if (!db.pooled) return [];
  return [say.ok('a pooler is between', 'each start needs two of its connections (pool_size) at once')];
}

async function ofRole(db: Database, { production }: Config): Promise<readonly Finding[]> {
  try {
    await expectModestRole(db);
  } catch (error) {
    if (production) throw error;
    return [say.warning('its role is a superuser', 'use a role of its own: production requires it')];
  }
  return [say.ok('its role is no superuser')];
}

/** Whether all processes can have as many connections as they are set to. */
async function ofRoom(db: Database, { databasePool, processes }: Config): Promise<readonly Finding[]> {
  if (db.pooled) return [];
  const [room] = await db.rows<{ most: number }>(askMostConnections);
  const wanted = databasePool * processes;
  if (!room || wanted <= room.most) return [];
  return [
    say.warning(
      `this Keyway may want ${wanted} connections, and the server has ${room.most} for all`,
      'lower KEYWAY_DATABASE_POOL, or raise max_connections',
    ),
  ];
}

async function ofClock(db: Database): Promise<readonly Finding[]> {
  await db.setClock();
  const offMs = Math.round(db.now() - Date.now());
  if (Math.abs(offMs) <= mostOffMs + db.nowIsOffMs)
    return [say.ok('its clock and that of this machine agree')];
  return [
    say.warning(
      `its clock is ${Math.abs(offMs) / 1_000} s ${offMs > 0 ? 'ahead of' : 'behind'} that of this machine`,
      'have both set by NTP: Keyway goes by the one of the database',
    ),
  ];
}

const mostOffMs = 2_000;

const ofMigrations = (told: Findings, done: number, all: number): Finding =>
  done === all
    ? told.ok('they are those of this version')
    : done === 0
      ? told.ok('there are none yet', 'the first start makes them')
      : told.warning(
          `${all - done} changes are to be made to them`,
          'back the database up first; the next start of this version makes them, or: keyway migrate',
        );

async function ofTables(db: Database, told: Findings): Promise<Finding[]> {
  const [{ tables, role, extension } = { tables: [], role: '', extension: false }] = await db.rows<{
    tables: string[];
    role: string;
    extension: boolean;
  }>(askRightsToUse);
  const findings: Finding[] = [];
  if (tables.length > 0)
    findings.push(
      told.wrong(
        `the role may not read and write ${tables.join(', ')}`,
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA … TO ${role}`,
      ),
    );
  if (!extension)
    findings.push(
      told.wrong('the extension pg_trgm was taken away', 'CREATE EXTENSION pg_trgm, and its indexes'),
    );
  return findings;
}

const ping = sql('SELECT 1');
const askAboutServer = sql(`
  SELECT current_setting('server_version_num')::integer AS version,
    current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
    current_setting('synchronous_commit') AS commit`);
const askMostConnections = sql(`
  SELECT current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer AS most`);
// That what is only added to may not be changed or deleted is nothing that is lacking.
const askRightsToUse = sql(`
  SELECT quote_ident(current_user) AS role, EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') AS extension,
    COALESCE(array_agg(c.relname::text ORDER BY c.relname) FILTER (WHERE
      NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT'))
      OR c.relname NOT IN ('audit_events', 'audit_former_parts', 'migrations')
        AND NOT (has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))), '{}') AS tables
  FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = to_regnamespace(quote_ident(current_schema()))`);
