import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, makeFolder, spawnAsPostgres } from './cluster.js';

/** A PgBouncer of a test's own, before a PostgreSQL server. */
export interface Pooler {
  /** The address of that server, by way of the pooler. */
  urlOf(url: string): string;
  drop(): Promise<void>;
}

/**
 * Starts one. Its pool is smaller than the number of its clients, so that sessions change hands.
 * @param server with the user that its clients come as, and the password that this one has there.
 * @param mode when a client gives back the session that it was lent.
 * @throws where this machine has no PgBouncer (Debian: the package pgbouncer).
 */
export async function openPooler(server: string, mode: 'session' | 'transaction'): Promise<Pooler> {
  const program = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find((path) => existsSync(path));
  if (program === undefined) throw new Error('these tests need PgBouncer (Debian: apt install pgbouncer)');
  const { hostname, port: serverPort, username, password } = new URL(server);
  const folder = makeFolder();
  const port = await freePort();
  const file = (name: string, lines: readonly string[]) => {
    writeFileSync(join(folder, name), `${lines.join('\n')}\n`, { mode: 0o644 });
    return join(folder, name);
  };
  // All else is as Debian's package has it: above all, no startup parameter is ignored.
  const settings = file('pgbouncer.ini', [
    '[databases]',
    `* = host=${hostname} port=${serverPort || 5432}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = trust',
    `auth_file = ${file('users', [`"${username}" "${password}"`])}`,
    `logfile = ${join(folder, 'log')}`,
    `pool_mode = ${mode}`,
    `default_pool_size = ${mode === 'session' ? 40 : 4}`,
    'max_client_conn = 200',
  ]);
  const child = spawnAsPostgres(program, [settings]);
  const ended = once(child, 'close');
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries === 200 || child.exitCode !== null) throw new Error('PgBouncer did not start');
    await sleep(50);
  }
  return {
    urlOf: (url) => Object.assign(new URL(url), { hostname: '127.0.0.1', port: `${port}` }).href,
    drop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
