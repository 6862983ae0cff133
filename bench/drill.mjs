// The drill of a disaster: a filled Keyway is backed up, goes on, and is lost; its backup is restored on an empty server,
// and what had ended since stays ended. Prints how long each step took, and fails where anything is not as it should be.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { makeKeyway } from './bed.mjs';
import { contestants, start } from './contestants.mjs';
import { createDatabase, dropDatabase, statements, urlOf } from './databases.mjs';
import { idOf } from './fill-keyway.mjs';
import { knownOf } from './known.mjs';

const { values } = parseArgs({ options: { credentials: { type: 'string', default: '1000000' } } });
const credentials = Number(values.credentials);
/** What R35 allows for the restore at a million credentials, from the empty server to the last look. */
const longestMs = 600_000;
const sample = 100;

const name = `drill_keyway_${credentials}`;
const restored = `${name}_restored`;
const folder = mkdtempSync(join(tmpdir(), 'keyway-drill-'));
const [dataDir, dump] = [join(folder, 'data'), join(folder, 'keyway.dump')];
const steps = [];

/** Makes what is to be found again, and a backup. */
async function backedUp() {
  const server = await serve(name);
  const known = await knownOf(server.url, dataDir, credentials);
  const keeping = await made(server.url, known.token, { retrievable: true });
  await server.stop();
  await step('pg_dump', () => execFileSync('pg_dump', ['-Fc', '-d', urlOf(name), '-f', dump]));
  await step('looking for secrets in the dump', () =>
    expectNone([keeping.secret, known.token, ...known.keys.slice(0, sample).map(({ secret }) => secret)]),
  );
  return { known, keeping };
}

/** Goes on for a while after the backup, and is lost with no warning. */
async function lost({ known }) {
  const server = await serve(name);
  const [revoked, rotated] = known.keys;
  await asked(server.url, known.token, 'revokeCredential', { id: revoked.id });
  await asked(server.url, known.token, 'rotateCredential', { id: rotated.id });
  process.kill(server.pid, 'SIGKILL');
  await server.stop();
  await dropDatabase(name);
}

async function restore() {
  await createDatabase(restored);
  await step('pg_restore', () =>
    execFileSync('pg_restore', ['-j', '2', '--no-owner', '-d', urlOf(restored), dump]),
  );
  const held = await serve(restored);
  assert.equal((await fetch(`${held.url}/ready`)).status, 503, 'a restored dump is served as it is');
  await held.stop();
  await step('keyway restore accept', () => {
    const said = command('restore', 'accept');
    assert.match(said, /Ended again, as they had been: 2 credentials/);
  });
}

/** A sample of what was there works, what had ended does not, one secret is shown, and the log is whole. */
async function lookedAt({ known, keeping }) {
  const server = await serve(restored);
  await step('verifying a sample', async () => {
    const [revoked, rotated, ...others] = known.keys;
    assert.equal(await codeOf(server.url, known.token, revoked), 'REVOKED');
    assert.equal(await codeOf(server.url, known.token, rotated), 'NOT_VALID');
    for (const key of others.slice(0, sample))
      assert.equal(await codeOf(server.url, known.token, key), 'VALID');
    const shown = await asked(
      server.url,
      known.token,
      'revealCredential',
      { id: keeping.id },
      'issued { secret }',
    );
    assert.equal(shown.issued.secret, keeping.secret);
  });
  const [{ count }] = await statements(urlOf(restored), [
    'SELECT count(*)::integer AS count FROM credentials',
  ]);
  assert.ok(count >= credentials);
  await server.stop();
  await step('keyway audit verify', () => assert.match(command('audit', 'verify'), /The audit log is whole/));
}

async function step(what, work) {
  const began = performance.now();
  await work();
  steps.push([what, performance.now() - began]);
}

const serve = (database) => start(contestants.keyway, { databaseUrl: urlOf(database), dataDir });

function command(...argv) {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DATABASE_URL: urlOf(restored),
    KEYWAY_DATA_DIR: dataDir,
  };
  return execFileSync(process.execPath, [contestants.keyway.argv[0], ...argv], { env, encoding: 'utf8' });
}

/** The dump in plain SQL has none of these secrets. */
async function expectNone(secrets) {
  const reading = spawn('pg_restore', ['-f', '-', dump], { stdio: ['ignore', 'pipe', 'inherit'] });
  let rest = '';
  for await (const part of reading.stdout.setEncoding('latin1')) {
    const text = rest + part;
    for (const secret of secrets) assert.ok(!text.includes(secret), 'the dump holds a secret');
    rest = text.slice(-200);
  }
}

async function made(url, token, input) {
  const { credential, issued } = await asked(
    url,
    token,
    'createCredential',
    { account: idOf('Account', 1), name: 'drill', secret: { accessKey: {} }, ...input },
    'credential { id } issued { secret }',
  );
  return { ...credential, ...issued };
}

async function asked(url, token, mutation, input, fields = '__typename') {
  const type = `${mutation[0].toUpperCase()}${mutation.slice(1)}Input!`;
  const query = `mutation ($input: ${type}) { ${mutation}(input: $input) { ${fields} } }`;
  const { data, errors } = await post(`${url}/graphql`, token, { query, variables: { input } });
  assert.equal(errors, undefined, `${mutation}: ${errors?.[0]?.message}`);
  return data[mutation];
}

const codeOf = async (url, token, { accessKey, secret }) =>
  (await post(`${url}/v1/verify`, token, { accessKey, proof: { secret } })).code;

async function post(url, token, body) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
}

try {
  await makeKeyway(name, dataDir, credentials);
  const before = await backedUp();
  await lost(before);
  const began = performance.now();
  await restore();
  await lookedAt(before);
  const tookMs = performance.now() - began;
  steps.push(['restore, all in all', tookMs]);
  for (const [step, ms] of steps) console.log(`${step.padEnd(44)} ${(ms / 1000).toFixed(1).padStart(7)} s`);
  console.log(
    `${'size of the dump'.padEnd(44)} ${(statSync(dump).size / 2 ** 20).toFixed(0).padStart(7)} MiB`,
  );
  assert.ok(tookMs < longestMs, 'the restore took longer than ten minutes');
} finally {
  await dropDatabase(name);
  await dropDatabase(restored);
  rmSync(folder, { recursive: true, force: true });
}
