import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CheckpointFolder } from '../../audit/checkpoints/folder.js';
import type { Config } from '../../config/config.js';
import { lookAt, type Finding, type Findings } from './finding.js';

/** Whether Keyway may use its folders, whether others may too, and whether the disk has room. */
export async function ofFolders(config: Config): Promise<readonly Finding[]> {
  const { dataDir, keysDir, checkpoints: at } = config;
  const data = await lookAt('data folder', async (say) => [
    ...ofFolder(say, 'KEYWAY_DATA_DIR', dataDir, constants.W_OK),
    ...ofRoom(say, dataDir),
    ...(await ofCheckpointFiles(say, config)),
  ]);
  // Where keys are mounted for reading, Keyway serves all the same.
  const keys = await lookAt('key folder', (say) => ofFolder(say, 'KEYWAY_KEYS_DIR', keysDir, 0));
  const ofCheckpoints =
    at.kind === 'folder' && at.path !== dataDir
      ? await lookAt('checkpoint folder', (say) => [
          ...ofFolder(say, 'KEYWAY_CHECKPOINTS', at.path, constants.W_OK),
          ...ofRoom(say, at.path),
        ])
      : [];
  return [...data, ...keys, ...ofCheckpoints];
}

function ofFolder(say: Findings, setting: string, path: string, more: number): Finding[] {
  if (!existsSync(path)) return [ofAbsent(say, setting, path)];
  const { mode, uid } = statSync(path);
  const found: Finding[] = [];
  if (!statSync(path).isDirectory()) return [say.wrong(`${path} is not a folder`, `set ${setting}`)];
  if (!may(path, constants.R_OK | constants.X_OK | more))
    return [
      say.wrong(
        `${path} is not for this user to ${more === 0 ? 'read' : 'read and write'}`,
        'run this as the user that Keyway runs as, or give the folder to that user',
      ),
    ];
  // Nothing is refused to root: what its Keyway may do cannot be seen by it.
  if (process.geteuid?.() === 0 && uid !== 0)
    found.push(
      say.warning(
        `${path} belongs to the user ${uid}, and this is root`,
        'run this as the user that Keyway runs as, whose rights are then looked at',
      ),
    );
  // What is in it is for its owner alone, but could be replaced; where it is sticky, it could not.
  if ((mode & 0o1002) === 0o002)
    found.push(
      say.warning(
        `every user of this machine may write to ${path}`,
        `let its owner alone in: chmod 700 ${path}`,
      ),
    );
  return found.length > 0 ? found : [say.ok(path)];
}

function ofAbsent(say: Findings, setting: string, path: string): Finding {
  let above = dirname(path);
  while (!existsSync(above)) above = dirname(above);
  return may(above, constants.W_OK | constants.X_OK)
    ? say.ok(`${path} is not there yet`, 'the first start makes it')
    : say.wrong(
        `${path} is not there, and this user may not make it in ${above}`,
        `make it for the user that Keyway runs as, or set ${setting}`,
      );
}

function ofRoom(say: Findings, path: string): Finding[] {
  if (!existsSync(path)) return [];
  const { bavail, bsize } = statfsSync(path);
  const left = Math.floor((bavail * bsize) / megabyte);
  return left >= leastMegabytes
    ? []
    : [
        say.warning(
          `${left} MB are left on its disk`,
          'make room: what cannot be written down is in the log alone',
        ),
      ];
}

const megabyte = 2 ** 20;
const leastMegabytes = 200;

/** Each revocation adds a line to one of them before it is answered. */
async function ofCheckpointFiles(say: Findings, { checkpoints: at }: Config): Promise<Finding[]> {
  if (at.kind !== 'folder') return [];
  return (await new CheckpointFolder(at.path).segments())
    .map(({ name }) => join(at.path, name))
    .filter((path) => !may(path, constants.R_OK | constants.W_OK))
    .map((path) =>
      say.wrong(`${path} is not for this user to read and write`, 'give it to the user that Keyway runs as'),
    );
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
