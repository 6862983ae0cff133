import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { restoredBeside } from './embedded.js';
import { lockFolder } from './folder-lock.js';

/** The embedded database is in this folder of the data folder. */
const nameOf = 'postgres';

/**
 * Writes the embedded database of a data folder to a file: a packed archive of its folder, for its owner alone, whole or not
 * at all. It holds no key.
 * @throws FolderTaken where a process has the database open; an Error to show, where there is none or the file is there.
 */
export async function backUp(dataDir: string, file: string): Promise<void> {
  if (existsSync(file)) throw new Error('There is a file of that name already: name another one.');
  const folder = join(dataDir, nameOf);
  if (!existsSync(folder)) throw new Error('There is no embedded database in the data folder.');
  const lock = await lockFolder(dataDir);
  try {
    const database = await PGlite.create({ dataDir: folder, extensions: { pg_trgm } });
    try {
      await database.exec('CHECKPOINT');
      await write(file, await database.dumpDataDir('gzip'));
    } finally {
      await database.close();
    }
  } finally {
    lock.release();
  }
}

/**
 * Puts a database that `backUp` has written into a data folder. What is there is kept beside it, and nothing is changed
 * where the file holds no database.
 * @returns the name that the folder of the database of before has now; undefined where there was none
 * @throws FolderTaken where a process has the database open; an Error to show, for a file that is none of `backUp`.
 */
export async function putBack(dataDir: string, file: string): Promise<string | undefined> {
  const archive = await readFile(file).catch(() => {
    throw new Error('The file cannot be read.');
  });
  const folder = join(dataDir, nameOf);
  const part = `${folder}.part`;
  const lock = await lockFolder(dataDir);
  try {
    await rm(part, { recursive: true, force: true });
    await unpack(part, archive);
    const whole = restoredBeside(folder);
    await rm(whole, { recursive: true, force: true });
    await rename(part, whole);
    const before = existsSync(folder)
      ? `${nameOf}.${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`
      : undefined;
    if (before) await rename(folder, join(dataDir, before));
    await rename(whole, folder);
    return before;
  } finally {
    await rm(part, { recursive: true, force: true });
    lock.release();
  }
}

/** It is opened once: what does not open is no database. */
async function unpack(folder: string, archive: Buffer): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  try {
    // It would end the process where it cannot unpack it itself.
    const loadDataDir = new Blob([new Uint8Array(await promisify(gunzip)(archive))], {
      type: 'application/x-tar',
    });
    const database = await PGlite.create({ dataDir: folder, loadDataDir, extensions: { pg_trgm } });
    try {
      await database.query('SELECT FROM audit_heads LIMIT 1');
    } finally {
      await database.close();
    }
  } catch (error) {
    throw new Error('The file is no backup of an embedded database of Keyway. Nothing was changed.', {
      cause: error,
    });
  }
}

async function write(path: string, content: Blob): Promise<void> {
  const part = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    const file = await open(part, 'wx', 0o600);
    try {
      await file.writeFile(Buffer.from(await content.arrayBuffer()));
      await file.sync();
    } finally {
      await file.close();
    }
    // A name that was taken meanwhile stays what it is.
    await link(part, path);
    const folder = await open(dirname(path));
    await folder.sync().finally(() => folder.close());
  } finally {
    await rm(part, { force: true });
  }
}
