/**
 * @slow 60 s
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectData, makeAccount, makeCredential } from '../support/make.js';
import {
  barePlace,
  emptyPlace,
  onServer,
  readyPlace,
  runKeyway,
  spawnKeyway,
  urlOf,
  type Spawned,
} from '../support/process.js';
import { startTestServer, type TestServer } from '../support/server.js';

const onPostgres = process.env['TEST_DATABASE_URL'];
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

const spawned: Spawned[] = [];
const places: { drop(): Promise<void> }[] = [];
const servers: TestServer[] = [];
afterEach(async () => {
  for (const { child, ended } of spawned.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  }
  for (const server of servers.splice(0)) await server.stop();
  for (const place of places.splice(0)) await place.drop();
});

const serve = (environment: Record<string, string>, preload?: string) => {
  const one = spawnKeyway(['serve'], environment, { preload });
  spawned.push(one);
  return one;
};
const place = async (make = readyPlace) => {
  const made = await make();
  places.push(made);
  return made;
};
const serverHere = async (overrides?: Record<string, string>) => {
  const server = await startTestServer(overrides);
  servers.push(server);
  return server;
};

const ready = async (url: string) => (await fetch(`${url}/ready`)).status;
async function viewer(url: string, folder: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${readFileSync(join(folder, 'admin-token'), 'utf8').trim()}`,
    },
    body: JSON.stringify({ query: '{ viewer { name title } }' }),
  });
  return (await response.json()) as unknown;
}
const administrator = {
  data: { viewer: { name: 'admin', title: 'Administrator' } },
  extensions: expect.objectContaining({ cost: 1 }) as unknown,
};

test('the first start makes the token and the keys for their owner alone, and a curl line that works when pasted', async () => {
  const { folder, environment } = await place(barePlace);
  const process = serve(environment);
  const url = await urlOf(process);
  for (let waited = 0; waited < 5_000 && !process.output().includes('curl'); waited += 50) await sleep(50);
  const line = process
    .output()
    .split('\n')
    .find((one) => one.trim().startsWith('curl'));
  expect(JSON.parse(execFileSync('sh', ['-c', line ?? 'false'], { encoding: 'utf8' }))).toEqual(
    administrator,
  );
  expect(process.output()).toContain(`${url}/graphql`);
  expect(process.output()).toContain(join(folder, 'admin-token'));
  expect(process.output()).not.toContain(readFileSync(join(folder, 'admin-token'), 'utf8').trim());
  expect(modeOf(join(folder, 'admin-token'))).toBe('600');
  expect(modeOf(join(folder, 'keys'))).toBe('700');
  for (const kind of ['kek', 'verifier', 'pepper', 'audit'])
    expect(modeOf(join(folder, 'keys', `${kind}.json`))).toBe('600');
});

test('the data folder is made for its owner alone', async () => {
  const { folder, environment } = await place(emptyPlace);
  const inner = join(folder, 'deep', 'data');
  const { code } = await runKeyway(['migrate'], { ...environment, KEYWAY_DATA_DIR: inner });
  expect(code).toBe(0);
  expect(modeOf(inner)).toBe('700');
  expect(modeOf(join(inner, 'keys'))).toBe('700');
});

test('R18: rejected promises and lost connections do not end the process', async () => {
  const { folder, environment } = await place();
  const trouble = join(folder, 'trouble.mjs');
  writeFileSync(trouble, `process.on('SIGUSR2', () => { Promise.reject(new Error('nobody cares')); });`);
  const process = serve(environment, trouble);
  const url = await urlOf(process);
  process.child.kill('SIGUSR2');
  const database = environment['DATABASE_URL'];
  if (database !== undefined) {
    await onServer(
      database,
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
  }
  for (let waited = 0; waited < 5_000 && !process.output().includes('nobody cared'); waited += 50)
    await sleep(50);
  expect(process.output()).toContain('a promise was rejected and nobody cared');
  // A socket that breaks off in the middle of a request.
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{', () =>
    socket.resetAndDestroy(),
  );
  await sleep(300);
  expect(process.child.exitCode).toBeNull();
  expect(await ready(url)).toBe(200);
  expect(await viewer(url, folder)).toEqual(administrator);
});

test('R26: with SIGTERM a running request finishes, nothing new begins, and the exit code is 0', async () => {
  const { folder, environment } = await place();
  const process = serve(environment);
  const url = await urlOf(process);
  const token = readFileSync(join(folder, 'admin-token'), 'utf8').trim();
  const { port } = new URL(url);
  // A request whose body is on its way when the signal comes.
  const body = JSON.stringify({ query: '{ viewer { name title } }' });
  const socket = connect(Number(port), '127.0.0.1');
  let answer = '';
  socket.on('data', (data: Buffer) => void (answer += String(data)));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
  );
  await sleep(300);
  process.child.kill('SIGTERM');
  await sleep(300);
  await expect(
    fetch(`${url}/ready`).then(
      ({ status }) => (status === 200 ? 'up' : 'down'),
      () => 'down',
    ),
  ).resolves.toBe('down');
  expect(process.child.exitCode).toBeNull();
  const from = Date.now();
  socket.write(body.slice(10));
  await closed;
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer).toContain('Administrator');
  expect(await process.ended).toBe(0);
  expect(Date.now() - from).toBeLessThan(5_000);
  expect(process.output()).toContain('Keyway has stopped');
  expect(existsSync(join(folder, 'lock'))).toBe(false);
});

test.each(['SIGTERM', 'SIGINT'] as const)('R26: %s ends an idle process with exit code 0', async (signal) => {
  const { environment } = await place();
  const process = serve(environment);
  await urlOf(process);
  process.child.kill(signal);
  expect(await process.ended).toBe(0);
});

test.each(['npm start', 'npm run keyway -- serve', 'npm run demo -- --stores'])(
  'R26: SIGTERM to %s ends Keyway with it: port and folder are free',
  async (line) => {
    const { folder, environment } = await place();
    const [npm = '', ...args] = line.split(' ');
    // A group of its own, so that nothing of it outlives the test.
    const child = spawn(npm, args, {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => void (output += String(data)));
    try {
      const url = await urlOf({ child, output: () => output, ended: Promise.resolve(null) });
      child.kill('SIGTERM');
      await once(child, 'exit');
      await expect(fetch(`${url}/health`)).rejects.toThrow();
      expect(existsSync(join(folder, 'lock'))).toBe(false);
    } finally {
      if (child.pid !== undefined) endGroup(child.pid);
    }
  },
);

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

test('R30: of two that start together each serves, and each migration ran once; one folder has one process', async () => {
  const { folder, environment } = await place(emptyPlace);
  const [one, other] = [serve(environment), serve(environment)];
  const urls = await Promise.allSettled([urlOf(one), urlOf(other)]);
  const serving = urls.flatMap((url) => (url.status === 'fulfilled' ? [url.value] : []));
  const database = environment['DATABASE_URL'];
  if (database === undefined) {
    expect(serving).toHaveLength(1);
    const refused = urls[0]?.status === 'rejected' ? one : other;
    expect(await refused.ended).toBe(1);
    expect(refused.output()).toContain('Another Keyway has this data folder open.');
  } else {
    expect(serving).toHaveLength(2);
    const migrations = await onServer<{ count: number }>(
      database,
      'SELECT name, count(*)::int AS count FROM migrations GROUP BY name',
    );
    expect(migrations.map(({ count }) => count)).toEqual(migrations.map(() => 1));
    const [made] = await onServer<{ admins: number; roles: number; keks: number }>(
      database,
      `SELECT (SELECT count(*)::int FROM accounts) AS admins, (SELECT count(*)::int FROM roles) AS roles,
         (SELECT count(*)::int FROM keyring_keys WHERE kind = 'kek') AS keks`,
    );
    expect(made).toEqual({ admins: 1, roles: 5, keks: 1 });
  }
  for (const url of serving) {
    expect(await ready(url)).toBe(200);
    expect(await viewer(url, folder)).toEqual(administrator);
  }
});

test('later starts change nothing, and a restart keeps everything', async () => {
  const server = await serverHere();
  const account = await makeAccount(server);
  const { id, secret } = await makeCredential(server, account, { retrievable: true });
  const token = readFileSync(join(server.dataDir, 'admin-token'), 'utf8');
  const counts = async () => {
    const tables = await server.rows<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
    );
    const counted: Record<string, unknown> = {};
    for (const { name } of tables)
      counted[name] = (await server.rows<{ count: string }>(`SELECT count(*)::text AS count FROM ${name}`))[0]
        ?.count;
    return counted;
  };
  const before = await counts();
  await server.restart();
  await server.restart();
  expect(await counts()).toEqual(before);
  expect(readFileSync(join(server.dataDir, 'admin-token'), 'utf8')).toBe(token);
  const answer = await server.ask(
    'mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { secret } credential { account { id } } } }',
    { id },
  );
  expect(expectData(answer).revealCredential).toEqual({
    issued: { secret },
    credential: { account: { id: account } },
  });
});

describe('S48: without the keys that the database was written with', () => {
  const keysOf = (server: TestServer) => join(server.dataDir, 'keys');

  async function expectLocked(server: TestServer, ...named: string[]) {
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    expect(await ready(server.url)).toBe(503);
    const answer = await server.ask('{ viewer { id } }');
    expect([answer.status, answer.code]).toEqual([503, 'UNAVAILABLE']);
    const told = server.logged.filter((line) => line.includes('not ready'));
    for (const name of named) expect(told.join('')).toContain(name);
  }

  test('all gone, it serves but is not ready, names them in the log, and makes no new ones', async () => {
    const server = await serverHere();
    const away = mkdtempSync(join(tmpdir(), 'keyway-keys-'));
    try {
      renameSync(keysOf(server), join(away, 'keys'));
      await server.restart();
      await expectLocked(server, 'kek k1', 'verifier k1', 'pepper k1', 'audit k1');
      expect(existsSync(keysOf(server))).toBe(false);
      renameSync(join(away, 'keys'), keysOf(server));
      await server.restart();
      expect(await ready(server.url)).toBe(200);
      expectData(await server.ask('{ viewer { id } }'));
    } finally {
      rmSync(away, { recursive: true, force: true });
    }
  });

  test('the terminal is told that it is not ready, and where the keys are to be', async () => {
    const { folder, environment } = await place();
    const keys = join(folder, 'nothing');
    mkdirSync(keys);
    const process = serve({ ...environment, KEYWAY_KEYS_DIR: keys });
    expect(await ready(await urlOf(process))).toBe(503);
    for (let waited = 0; waited < 5_000 && !process.output().includes('start it'); waited += 50)
      await sleep(50);
    expect(process.output()).toMatch(/Keyway is not ready: .*kek k1/);
    expect(process.output()).toContain(keys);
    expect(process.output()).not.toContain('Keyway is ready');
  });

  test('with another key under the same id, it is not ready, and the key is not in the log', async () => {
    const server = await serverHere();
    const path = join(keysOf(server), 'kek.json');
    const other = Buffer.alloc(32, 7).toString('base64');
    writeFileSync(path, JSON.stringify({ current: 'k1', keys: { k1: other } }), { mode: 0o600 });
    await server.restart();
    await expectLocked(server, 'kek k1 (another key goes by this id)');
    expect(server.logged.join('')).not.toContain(other);
  });

  test('with a new key in the place of the old one, nothing is written with it', async () => {
    const server = await serverHere();
    const path = join(keysOf(server), 'kek.json');
    writeFileSync(
      path,
      JSON.stringify({ current: 'k2', keys: { k2: Buffer.alloc(32, 7).toString('base64') } }),
      {
        mode: 0o600,
      },
    );
    await server.restart();
    await expectLocked(server, 'kek k1');
    expect(await server.rows(`SELECT id FROM keyring_keys WHERE id = 'k2'`)).toEqual([]);
  });

  test('one file gone is told at once', async () => {
    const server = await serverHere();
    await server.restart();
    rmSync(join(keysOf(server), 'pepper.json'));
    const { code, output } = await runKeyway(['migrate'], {
      ...server.environment,
      KEYWAY_DATA_DIR: server.dataDir,
    });
    expect(code).toBe(1);
    expect(output).toMatch(
      onPostgres ? /pepper\.json: is missing/ : /Another Keyway has this data folder open/,
    );
  });
});

describe('S67: in production', () => {
  const production = { NODE_ENV: 'production' };

  test('the example key is refused, by name', async () => {
    const { folder, environment } = await place();
    const path = join(folder, 'keys', 'kek.json');
    const example = Buffer.from('keyway-example-key-do-not-use-it').toString('base64');
    writeFileSync(path, JSON.stringify({ current: 'k1', keys: { k1: example } }), { mode: 0o600 });
    const { code, output } = await runKeyway(['serve'], environment);
    expect(code).toBe(1);
    expect(output).toContain('kek.json: key k1 is the example from the documentation');
    expect(output).not.toContain(example);
  });

  test('key files that others can read are refused', async () => {
    const { folder, environment } = await place();
    execFileSync('chmod', ['644', join(folder, 'keys', 'audit.json')]);
    const { code, output } = await runKeyway(['serve'], environment);
    expect(code).toBe(1);
    expect(output).toContain('audit.json: is open to other users: its mode must be 0600');
  });

  test.each<{ what: string; extra: Record<string, string>; told: string }>([
    { what: 'introspection', extra: { KEYWAY_INTROSPECTION: 'true' }, told: 'KEYWAY_INTROSPECTION' },
    { what: 'debug logs', extra: { KEYWAY_LOG_LEVEL: 'debug' }, told: 'KEYWAY_LOG_LEVEL' },
    {
      what: 'TLS without verification',
      extra: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
      told: 'NODE_TLS_REJECT_UNAUTHORIZED',
    },
    { what: 'the inspector', extra: { NODE_OPTIONS: '--inspect=0' }, told: 'NODE_OPTIONS' },
    {
      what: 'an unverified database',
      extra: { DATABASE_URL: 'postgres://keyway@db.example.com/keyway?sslmode=no-verify' },
      told: 'DATABASE_URL must verify the TLS certificate',
    },
  ])('$what is refused', async ({ extra, told }) => {
    const { environment } = await place();
    const { code, output } = await runKeyway(['serve'], { ...environment, ...production, ...extra });
    expect(code).toBe(1);
    expect(output).toContain(told);
  });

  test('a superuser is refused, an ordinary role is not', async () => {
    const { environment } = await place(emptyPlace);
    const database = environment['DATABASE_URL'];
    if (database === undefined) {
      // The embedded database has one role, and nobody else reaches it.
      const { code } = await runKeyway(['migrate'], { ...environment, ...production });
      expect(code).toBe(0);
      return;
    }
    const refused = await runKeyway(['migrate'], { ...environment, ...production });
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('DATABASE_URL must not name a superuser in production');
    const role = `keyway_modest_${process.pid}`;
    await onServer(
      database,
      `CREATE ROLE ${role} LOGIN; GRANT ALL ON SCHEMA public TO ${role};
      ALTER DATABASE ${new URL(database).pathname.slice(1)} OWNER TO ${role}`,
    );
    try {
      const modest = Object.assign(new URL(database), { username: role }).href;
      const { code, output } = await runKeyway(['migrate'], {
        ...environment,
        ...production,
        DATABASE_URL: modest,
      });
      expect([code, output]).toEqual([0, expect.stringContaining('The database is up to date.')]);
    } finally {
      await onServer(onPostgres ?? '', `DROP DATABASE ${new URL(database).pathname.slice(1)} WITH (FORCE)`);
      await onServer(onPostgres ?? '', `DROP ROLE ${role}`);
    }
  });
});

test('a taken address is told in our words', async () => {
  const server = await serverHere();
  const { environment } = await place();
  const { code, output } = await runKeyway(['serve'], { ...environment, PORT: new URL(server.url).port });
  expect(code).toBe(1);
  expect(output).toContain('The address is taken: another program listens there. Set PORT.');
});

test('so is one that metrics were to be served at, by the setting that it comes from', async () => {
  const server = await serverHere();
  const { environment } = await place();
  const taken = { KEYWAY_METRICS_PORT: new URL(server.url).port };
  const { code, output } = await runKeyway(['serve'], { ...environment, ...taken });
  expect([code, output]).toEqual([1, expect.stringContaining('listens there. Set KEYWAY_METRICS_PORT.')]);
});

test('an address of another machine is told by the setting that it comes from', async () => {
  const { environment } = await place();
  const { code, output } = await runKeyway(['serve'], { ...environment, HOST: '192.0.2.1' });
  expect([code, output]).toEqual([1, expect.stringContaining('none of this machine. Set HOST.')]);
});

test.each(['KEYWAY_DATA_DIR', 'KEYWAY_KEYS_DIR'])(
  'a folder that cannot be made is told by its setting: %s',
  async (setting) => {
    const { folder, environment } = await place(emptyPlace);
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const { code, output } = await runKeyway(['serve'], { ...environment, [setting]: join(file, 'folder') });
    expect(code).toBe(1);
    expect(output).toContain(`${setting} must name a folder that Keyway may read and write (E`);
    expect(output).not.toContain(file);
  },
);

test('an older Node is told which one is needed, before anything of Keyway is loaded', async () => {
  const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.4' } })`;
  const { ended, output } = spawnKeyway(
    ['serve'],
    {},
    { preload: `data:text/javascript,${encodeURIComponent(older)}` },
  );
  expect([await ended, output()]).toEqual([1, 'Keyway needs Node 20.19 or newer.\n']);
});

describe('R26: with SIGTERM', () => {
  /** A Keyway that goes on serving for so many seconds, and its address. */
  const stopping = async (seconds: string) => {
    const { environment, folder } = await place();
    const process = serve({ ...environment, KEYWAY_STOP_DELAY_SECONDS: seconds });
    const url = await urlOf(process);
    const token = readFileSync(join(folder, 'admin-token'), 'utf8').trim();
    return { process, url, token, ask: () => viewer(url, folder) };
  };

  test('it is not ready at once, serves on for a while with each answer the last of its connection, and takes a second signal calmly', async () => {
    const { process, url, ask } = await stopping('2');
    process.child.kill('SIGTERM');
    while (!process.output().includes('Keyway is stopping')) await sleep(10);
    const from = Date.now();
    expect(await ready(url)).toBe(503);
    expect(await ask()).toEqual(administrator);
    const { headers } = await fetch(`${url}/health`);
    expect(headers.get('connection')).toBe('close');
    process.child.kill('SIGTERM');
    process.child.kill('SIGINT');
    while (!process.output().includes('Keyway is stopping already')) await sleep(10);
    expect(await ask()).toEqual(administrator);
    expect(await process.ended).toBe(0);
    expect(Date.now() - from).toBeGreaterThan(1_500);
    expect(process.output()).toContain('Keyway has stopped');
  });

  test('sockets that never send a byte, or stop in the middle of a request, hold nothing', async () => {
    const { process, url } = await stopping('0');
    const port = Number(new URL(url).port);
    const sockets = Array.from({ length: 50 }, () => connect(port, '127.0.0.1'));
    for (const socket of sockets) socket.on('error', () => undefined);
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const socket of sockets.slice(25)) socket.write('POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-le');
    process.child.kill('SIGTERM');
    const from = Date.now();
    expect(await process.ended).toBe(0);
    // Those that have a request under way would be given ten seconds.
    expect(Date.now() - from).toBeLessThan(8_000);
  });

  test.each([
    // Who opens a connection at the very moment at which the port closes is reset by the system: a balancer has to see
    // first that Keyway is not ready.
    ['0', 'over connections that are kept', true],
    ['2', 'over connections of their own', false],
  ])('after %s s no request that was sent whole is cut, %s', async (seconds, _, kept) => {
    const { process, url, token } = await stopping(seconds);
    const port = Number(new URL(url).port);
    const body = JSON.stringify({ query: '{ viewer { name } }' });
    const text = `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    let [sent, answered] = [0, 0];
    /** Whether the answer lets the client go on. */
    const exchange = (socket: ReturnType<typeof connect>) =>
      new Promise<boolean>((resolve) => {
        const cut = () => resolve(false);
        socket.once('data', (data: Buffer) => {
          socket.off('close', cut);
          if (String(data).startsWith('HTTP/1.1 200 ')) answered++;
          resolve(!/^connection: close/im.test(String(data)));
        });
        socket.once('close', cut);
        socket.write(text);
        sent++;
      });
    const client = async () => {
      for (let goesOn = true; goesOn;) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        do goesOn = await exchange(socket);
        while (goesOn && kept);
        socket.destroy();
      }
    };
    const clients = Array.from({ length: 8 }, client);
    while (sent < 100) await sleep(20);
    process.child.kill('SIGTERM');
    await Promise.all(clients);
    expect(await process.ended).toBe(0);
    expect(answered).toBe(sent);
  });
});

test('a connection is kept alive for longer than any balancer keeps it', async () => {
  const { environment } = await place();
  const process = serve(environment);
  const { headers } = await fetch(`${await urlOf(process)}/health`);
  expect(headers.get('keep-alive')).toBe('timeout=90');
});

test('--version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(await runKeyway(['--version'])).toEqual({ code: 0, output: `${version}\n` });
});
