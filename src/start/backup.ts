import type { Config } from '../config/config.js';
import { backUp, putBack } from '../database/backup.js';

/** Writes the embedded database to a file. @returns what to tell @throws an Error to show */
export async function backUpEmbedded(
  { databaseUrl, dataDir, keysDir }: Config,
  file: string,
): Promise<string> {
  if (databaseUrl !== undefined) throw new Error(onPostgresql);
  await backUp(dataDir, file);
  return [
    `The database is in ${file}. It holds no key: keep a copy of ${keysDir} elsewhere,`,
    'and one of the checkpoints, which say what has ended since: KEYWAY_CHECKPOINTS.',
  ].join('\n');
}

/** Puts a backup in the place of the embedded database. @returns what to tell @throws an Error to show */
export async function restoreEmbedded({ databaseUrl, dataDir }: Config, file: string): Promise<string> {
  if (databaseUrl !== undefined) throw new Error(onPostgresql);
  const before = await putBack(dataDir, file);
  return before === undefined
    ? 'The database is restored.'
    : `The database is restored. The one of before is in ${dataDir}/${before}: delete it once it is of no more use.`;
}

const onPostgresql =
  'Keyway is set to use PostgreSQL (DATABASE_URL), which has backups of its own: see "Backups" in docs/running.md.';
