import type { Config, ExaminedConfig } from '../../config/config.js';
import type { Keyring } from '../../keyring/keyring.js';
import { openLog, type Log } from '../../log.js';
import { openOutbound, type Outbound } from '../../outbound/outbound.js';
import { ofAddress } from './address.js';
import { ofCheckpoints, ofPlaceAlone } from './checkpoints.js';
import { seeDatabase, type SeenDatabase } from './database.js';
import { findingsOf, type Finding } from './finding.js';
import { ofFolders } from './folders.js';
import { seeKeys } from './keys.js';
import { endOfNode } from './lifetimes.js';
import { ofIssuers, ofStores } from './outside.js';
import { ofRedis } from './redis.js';
import { ofReplica } from './replica.js';

/**
 * Looks at all that a Keyway needs, also where it could not start: its settings, folders, address, database, keys,
 * checkpoints, stores and issuers. Changes nothing: no table, no key, no file is made, and nothing is put on record.
 * @yields what is found, one thing after the other
 */
export async function* examine({ config, faults, doubts }: ExaminedConfig): AsyncGenerator<Finding> {
  yield* ofNode();
  yield* ofSettings(faults, doubts);
  yield* await ofFolders(config);
  yield* await ofAddress(config);
  yield* await ofRedis(config);
  const seen: SeenDatabase = faults.some((fault) => fault.startsWith('DATABASE_URL '))
    ? { findings: [notAsked('database')], tables: 'unknown' }
    : await seeDatabase(config);
  const { outboundRanges: allowedRanges, outboundHttpRanges: httpRanges, outboundLocal: local } = config;
  const outbound = openOutbound({ allowedRanges, httpRanges, local });
  // What others would log is told as a finding.
  const log = openLog('silent', { write: () => undefined });
  try {
    yield* ofData(config, seen, outbound, log);
    yield* await ofIssuers(config, outbound, log);
  } finally {
    await outbound.close();
  }
}

/** What needs the database, which is closed as soon as that was looked at: nobody else can open the embedded one meanwhile. */
async function* ofData(
  config: Config,
  { findings, db, tables }: SeenDatabase,
  outbound: Outbound,
  log: Log,
): AsyncGenerator<Finding> {
  let keyring: Keyring | undefined;
  try {
    yield* findings;
    const asked = tables === 'current' ? db : undefined;
    const keys = await seeKeys(config, asked, tables === 'new', log);
    keyring = keys.keyring;
    yield* keys.findings;
    if (asked && keyring) {
      yield* await ofReplica(config, asked);
      yield* await ofCheckpoints(config, asked, keyring, log);
      yield* await ofStores(asked, keyring, outbound, log);
      return;
    }
    yield* await ofPlaceAlone(config);
    if (tables !== 'new') yield* ['checkpoints', 'stores'].map(notAsked);
  } finally {
    await keyring?.close();
    await db?.close();
  }
}

function ofNode(): Finding[] {
  const say = findingsOf('node');
  const ended = endOfNode(process.versions.node, Date.now());
  return [ended === undefined ? say.ok(`Node ${process.versions.node}`) : say.warning(ended)];
}

function ofSettings(faults: readonly string[], doubts: readonly string[]): Finding[] {
  const say = findingsOf('settings');
  if (faults.length + doubts.length === 0) return [say.ok('they are valid')];
  return [...faults.map((fault) => say.wrong(fault)), ...doubts.map((doubt) => say.warning(doubt))];
}

const notAsked = (check: string): Finding =>
  findingsOf(check).skipped('not looked at: that needs a database and keys that can be used');
