/**
 * @slow 20 s
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expectData, makeAccount, makeCredential } from '../support/make.js';
import { barePlace, emptyPlace, runKeyway, spawnKeyway, urlOf, type Place } from '../support/process.js';
import { doorTo, type Door } from '../support/server.js';
import { run } from '../support/verbs.js';
import { verifierAt } from '../support/verify.js';

// Of the embedded database, whatever the other tests run on.

let place: Place;
let environment: Record<string, string>;
beforeEach(async () => {
  place = await emptyPlace();
  environment = { ...place.environment };
  delete environment['DATABASE_URL'];
});
afterEach(() => place.drop());

const keyway = (...args: string[]) => runKeyway(args, environment);
const at = (name: string) => join(place.folder, name);

async function serving<Result>(work: (door: Door) => Promise<Result>): Promise<Result> {
  const spawned = spawnKeyway(['serve'], environment);
  try {
    const url = await urlOf(spawned);
    return await work(doorTo(url, readFileSync(at('admin-token'), 'utf8').trim()));
  } finally {
    spawned.child.kill('SIGTERM');
    await spawned.ended;
  }
}

async function codeOf(
  door: Door,
  { accessKey, secret }: { accessKey: string | null; secret: string | null },
) {
  const verifier = verifierAt(door.url, door.adminToken);
  try {
    return await verifier.code({ accessKey, proof: { secret } });
  } finally {
    verifier.close();
  }
}

test('R35, R36: a backup of the embedded database is put back, and what had ended since stays ended', async () => {
  const file = at('keyway.backup');
  const { kept, revoked } = await serving(async (door) => {
    const account = await makeAccount(door);
    return {
      kept: await makeCredential(door, account, { retrievable: true }),
      revoked: await makeCredential(door, account),
    };
  });
  const made = await keyway('backup', file);
  expect(made).toEqual({ code: 0, output: expect.stringContaining('It holds no key') });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const held = gunzipSync(readFileSync(file)).toString('latin1');
  expect(held).toContain(kept.accessKey);
  expect(held).not.toContain(kept.secret);

  await serving(async (door) => {
    expectData(await run(door, 'revokeCredential', { id: revoked.id }));
    // S66: what serves has the database for itself.
    const meanwhile = await keyway('restore', file);
    expect(meanwhile.code).toBe(1);
    expect((await keyway('backup', at('another'))).code).toBe(1);
    expect(await codeOf(door, revoked)).toBe('REVOKED');
  });
  const restored = await keyway('restore', file);
  expect(restored.output).toContain('The one of before is in');
  expect(restored.output).toContain('run "keyway restore accept"');
  expect(restored.code).toBe(0);
  expect(readdirSync(place.folder).filter((name) => /^postgres\.\d{8}T\d{6}Z$/.test(name))).toHaveLength(1);
  const accepted = await keyway('restore', 'accept');
  expect([accepted.code, accepted.output]).toEqual([0, expect.stringContaining('1 credentials')]);
  await serving(async (door) => {
    expect(await codeOf(door, revoked)).toBe('REVOKED');
    expect(await codeOf(door, kept)).toBe('VALID');
    expectData(await run(door, 'revealCredential', { id: kept.id }));
  });
  expect((await keyway('audit', 'verify')).output).toContain('The audit log is whole');
});

test('a backup that cannot be made, or is none, changes nothing and says why', async () => {
  const bare = await barePlace();
  const none = await runKeyway(['backup', at('keyway.backup')], {
    ...environment,
    KEYWAY_DATA_DIR: bare.folder,
  });
  await bare.drop();
  expect(none).toEqual({ code: 1, output: expect.stringContaining('There is no embedded database') });
  expect((await keyway('migrate')).code).toBe(0);
  writeFileSync(at('other'), 'no backup');
  writeFileSync(at('packed'), gzipSync(Buffer.from('no backup either')));
  const taken = await keyway('backup', at('other'));
  expect(taken).toEqual({ code: 1, output: expect.stringContaining('name another one') });
  expect(readFileSync(at('other'), 'utf8')).toBe('no backup');
  const before = readdirSync(place.folder).sort();
  for (const [file, reason] of [
    [at('packed'), 'is no backup of an embedded database of Keyway. Nothing was changed.'],
    [at('other'), 'is no backup of an embedded database of Keyway. Nothing was changed.'],
    [at('nowhere'), 'The file cannot be read.'],
  ] as const)
    expect(await keyway('restore', file)).toEqual({ code: 1, output: expect.stringContaining(reason) });
  expect(readdirSync(place.folder).sort()).toEqual(before);
  expect(existsSync(at('postgres'))).toBe(true);
  environment['DATABASE_URL'] = 'postgres://nobody@127.0.0.1:1/none';
  for (const verb of ['backup', 'restore'])
    expect(await keyway(verb, at('third'))).toEqual({
      code: 1,
      output: expect.stringContaining('see "Backups" in docs/running.md'),
    });
});
