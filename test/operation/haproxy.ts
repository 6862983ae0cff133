import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/cluster.js';
import { filledIn, packages, type Node } from './patroni.js';

/** An HAProxy as `deploy/patroni/haproxy.cfg` says: before the nodes of the database, and before two Keyways. */
export interface Haproxy {
  /** The host and port that lead to the primary. */
  readonly database: string;
  /** Where clients reach the Keyways. */
  readonly url: string;
  stop(): Promise<void>;
}

/** @param keyways the ports that they listen on. @throws with what HAProxy says of its settings. */
export async function startHaproxy(
  [one, two]: readonly [Node, Node],
  keyways: readonly [number, number],
): Promise<Haproxy> {
  const [database, clients] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const folder = mkdtempSync(join(tmpdir(), 'haproxy-'));
  const settings = join(folder, 'haproxy.cfg');
  writeFileSync(
    settings,
    filledIn('deploy/patroni/haproxy.cfg', {
      'bind 127.0.0.1:5000': `bind ${database}`,
      'bind 127.0.0.1:8080': `bind ${clients}`,
      '10.0.0.11:5432 check port 8008': `127.0.0.1:${one.port} check port ${one.restPort}`,
      '10.0.0.12:5432 check port 8008': `127.0.0.1:${two.port} check port ${two.restPort}`,
      '10.0.0.31:4000': `127.0.0.1:${keyways[0]}`,
      '10.0.0.32:4000': `127.0.0.1:${keyways[1]}`,
    }),
  );
  const checked = spawnSync(packages.haproxy, ['-c', '-f', settings], { encoding: 'utf8' });
  if (checked.status !== 0 || /WARNING/.test(checked.stderr)) throw new Error(checked.stderr);
  const child = spawn(packages.haproxy, ['-db', '-f', settings], { stdio: 'ignore' });
  const ended = once(child, 'close');
  return {
    database,
    url: `http://${clients}`,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
