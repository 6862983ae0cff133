/**
 * @slow 40 s
 * @embedded what is packed and installed
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { makeAccount, makeCredential, makeRole, unique, type Made } from '../support/make.js';
import { blocks, read } from '../support/pages.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startVeracode } from '../upstreams/veracode.js';

// The package as it is handed out: built, packed, and installed into a folder that has nothing else.

let folder: string;
let server: TestServer;
let made: Made;
const children: ChildProcess[] = [];

const run = (command: string, ...args: string[]) => promisify(execFile)(command, args, { cwd: folder });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyway-client-'));
  const source = join(folder, 'source');
  for (const name of ['package.json', 'README.md']) cpSync(`packages/client/${name}`, join(source, name));
  const [started] = await Promise.all([
    startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' }),
    promisify(execFile)(process.execPath, ['packages/client/build.mjs', source]),
  ]);
  server = started;
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  await run('npm', 'pack', './source', '--pack-destination', '.');
  await run('npm', 'install', '--offline', './keyway-client-0.2.0.tgz');
  for (const name of ['express', 'fastify'])
    symlinkSync(resolve('node_modules', name), join(folder, 'node_modules', name));
  const account = await makeAccount(server);
  const roles = [await makeRole(server, [], { name: 'crane-operator' })];
  made = await makeCredential(server, account, { name: 'Crane', roles, retrievable: true });
});
afterAll(async () => {
  for (const child of children) child.kill();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const environment = () => ({
  PATH: process.env['PATH'],
  KEYWAY_TOKEN: server.adminToken,
  KEYWAY_URL: server.url,
  KEY: made.accessKey ?? '',
  SECRET: made.secret ?? '',
});

/** What a file of the folder prints, as JSON. */
async function printed(name: string, text: string): Promise<unknown> {
  writeFileSync(join(folder, name), text);
  const { stdout } = await promisify(execFile)(process.execPath, [name], { cwd: folder, env: environment() });
  return JSON.parse(stdout);
}

const asking = `
  const keyway = new Keyway({ url: process.env.KEYWAY_URL, token: process.env.KEYWAY_TOKEN });
  const { KEY: accessKey, SECRET: secret } = process.env;
  keyway.verify({ accessKey, proof: { secret } }).then(async ({ code, credential }) => {
    const { issued } = await keyway.revealCredential({ id: credential.id });
    console.log(JSON.stringify({ code, issued, same: issued.secret.expose() === secret }));
  });`;

test.each([
  ['a module', 'asks.mjs', "import { Keyway } from 'keyway-client';"],
  ['CommonJS', 'asks.cjs', "const { Keyway } = require('keyway-client');"],
])('it is used by %s', async (_, name, first) => {
  expect(await printed(name, first + asking)).toMatchObject({
    code: 'VALID',
    same: true,
    issued: { accessKey: made.accessKey, secret: '[secret]' },
  });
});

test('its types hold for both, without those of Node and of browsers', async () => {
  const body = `
    const keyway = new Keyway({ url: 'https://keyway.example.com', token: 'x' });
    export async function used(): Promise<string> {
      const { credential, code } = await keyway.verify({ proof: { secret: 'x' } });
      const known: 'VALID' | string = code;
      const name: string | undefined = credential?.name;
      for await (const one of keyway.credentials({ filter: { kind: ['TOKEN'] } })) one.account.id.trim();
      const { issued } = await keyway.rotateCredential({ id: 'x' });
      // @ts-expect-error it has no such verb
      await keyway.rotate();
      // @ts-expect-error there is no such kind
      keyway.credentials({ filter: { kind: ['KEY'] } });
      // @ts-expect-error a secret is no text
      const text: string = issued.secret;
      // @ts-expect-error an id is needed
      await keyway.revokeCredential({});
      return known + name + text;
    }`;
  const first = "import { Keyway } from 'keyway-client';";
  writeFileSync(join(folder, 'typed.mts'), first + body);
  writeFileSync(join(folder, 'typed.cts'), first + body);
  const options = {
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2023'],
    strict: true,
    noEmit: true,
    types: [],
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, files: ['typed.mts', 'typed.cts'] }),
  );
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, tsc).catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
});

test('the tarball has what is needed, and nothing else; it needs no other package', async () => {
  const { stdout } = await run('npm', 'pack', './source', '--dry-run', '--json');
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const names = files.map(({ path }) => path.replace(/^dist\/(esm|cjs)\/\w+\.d\.ts$/, 'dist/$1/*.d.ts'));
  expect([...new Set(names)].sort()).toEqual([
    'README.md',
    'dist/cjs/*.d.ts',
    'dist/cjs/index.js',
    'dist/cjs/package.json',
    'dist/esm/*.d.ts',
    'dist/esm/index.js',
    'dist/esm/package.json',
    'package.json',
  ]);
  const { dependencies, peerDependencies } = JSON.parse(read('packages/client/package.json')) as object & {
    dependencies?: object;
    peerDependencies?: object;
  };
  expect([dependencies, peerDependencies]).toEqual([undefined, undefined]);
  expect(readFileSync(join(folder, 'node_modules/keyway-client/dist/esm/index.js'), 'utf8')).not.toMatch(
    /\bfrom ?["']|\brequire\(/,
  );
});

test('its version is that of Keyway', () => {
  const versionOf = (path: string) => (JSON.parse(read(path)) as { version: string }).version;
  expect(versionOf('packages/client/package.json')).toBe(versionOf('package.json'));
});

test('its types and documents are of the schema as it is: npm run build:client', async () => {
  const script = `import { generated } from ${JSON.stringify(resolve('packages/client/generate.mjs'))};
    process.stdout.write(await generated());`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    maxBuffer: 2 ** 22,
  });
  expect(stdout).toBe(read('packages/client/src/graph.ts'));
});

describe('the examples of its README', () => {
  const [ofExpress = '', ofFastify = '', ofVerbs = '', ofStory = ''] = blocks(
    'js',
    read('packages/client/README.md'),
  );
  const here = (block: string) => block.replace('https://keyway.example.com', server.url);

  /** Starts an example that listens, at a port of its own; returns where it does. */
  async function started(name: string, block: string, listening: string, instead: string): Promise<string> {
    expect(block).toContain(listening);
    writeFileSync(join(folder, name), here(block).replace(listening, instead));
    const child = spawn(process.execPath, [name], { cwd: folder, env: environment() });
    children.push(child);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return line.toString().trim();
  }

  test.each([
    [
      'Express',
      'express.mjs',
      ofExpress,
      'app.listen(3000);',
      "app.listen(0, '127.0.0.1', function () { console.log(`http://127.0.0.1:${this.address().port}`); });",
    ],
    [
      'Fastify',
      'fastify.mjs',
      ofFastify,
      'await app.listen({ port: 3000 });',
      "console.log(await app.listen({ port: 0, host: '127.0.0.1' }));",
    ],
  ])('%s lets in who presents what is good, and nobody else', async (_, name, block, listening, instead) => {
    const url = await started(name, block, listening, instead);
    const statusOf = async (headers: Record<string, string>) =>
      (await fetch(`${url}/cranes`, { headers })).status;
    const basic = (secret: string) => ({
      authorization: `Basic ${Buffer.from(`${made.accessKey}:${secret}`).toString('base64')}`,
    });
    const answer = await fetch(`${url}/cranes`, { headers: basic(made.secret ?? '') });
    expect([answer.status, await answer.json()]).toEqual([200, { caller: 'Crane' }]);
    expect(await statusOf({})).toBe(401);
    expect(await statusOf(basic('wrong'))).toBe(401);
    expect(await statusOf({ authorization: `Bearer ${server.adminToken}` })).toBe(401);
    const signed = (await printed(
      'signs.mjs',
      `import { signatureHeaders } from 'keyway-client';
       const key = { accessKey: process.env.KEY, secret: process.env.SECRET };
       const url = new URL('${url}/cranes');
       const contentType = 'application/json';
       const headers = await signatureHeaders({ method: 'GET', url, contentType, body: '' }, key);
       console.log(JSON.stringify({ ...headers, 'content-type': contentType }));`,
    )) as Record<string, string>;
    expect(await statusOf({ ...signed, 'content-digest': 'sha-256=:AAAA:' })).toBe(401);
    expect(await statusOf(signed)).toBe(200);
    expect(await statusOf(signed)).toBe(401);
  });

  test('the verbs: each rotated, and no secret on the screen', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', here(ofVerbs)],
      { cwd: folder, env: environment() },
    );
    expect(stdout).toBe('Crane Secret([secret])\n');
  });

  test('a store is connected, and what expires in it is rotated', async () => {
    const veracode = await startVeracode();
    try {
      const names = ['pipeline', 'nightly'].map((name) => unique(name));
      const [expiring, lasting] = names.map((user_name) =>
        veracode.addPair(veracode.addUser({ user_name, roles: [], permissions: [] }).user_id),
      );
      if (!expiring || !lasting) throw new Error('no pairs');
      expiring.expiresMs = Date.now() + 20 * 86_400_000;
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', here(ofStory).replace('https://api.veracode.eu', veracode.url)],
        {
          cwd: folder,
          env: { ...environment(), API_ID: veracode.admin.apiId, API_KEY: veracode.admin.apiKey },
        },
      );
      expect(stdout).toContain(names[0]);
      expect(stdout).not.toContain(names[1]);
      expect(stdout).toMatch(/number: 2,\s+state: 'CURRENT'/);
      expect(stdout).toMatch(/number: 1,\s+state: 'RETIRED'/);
      expect([expiring, lasting].map(({ apiId, apiKey }) => veracode.accepts(apiId, apiKey))).toEqual([
        false,
        true,
      ]);
    } finally {
      await veracode.stop();
    }
  });
});
