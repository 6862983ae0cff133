/**
 * @slow 90 s
 */
import { chmodSync, cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { fileOf, linesOf } from '../audit/chains.js';
import { reveal } from '../credentials/verbs.js';
import { checkStore, makeStore, seqeraAt } from '../stores/stores.js';
import { enrolAndConfirm } from '../support/authenticator.js';
import { expectData, makeAccount, makeCaller, makeCredential, unique, type Made } from '../support/make.js';
import { runKeyway } from '../support/process.js';
import { startReplica, startTestServer, type TestServer } from '../support/server.js';
import { question, signedBy } from '../support/signing.js';
import { run } from '../support/verbs.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';
import { codeOf, requestProof } from '../credentials/verification/verifying.js';
import { parseId } from '../../src/ids.js';
import { SignatureScheme } from '../../src/signatures/scheme.js';

const onPostgres = process.env['TEST_DATABASE_URL'] !== undefined;

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterEach(() => server.stop());

interface KeyFile {
  current: string;
  keys: Record<string, string>;
  retired?: string[];
}
const pathOf = (kind: string) => join(server.dataDir, 'keys', `${kind}.json`);
const keyFile = (kind: string) => JSON.parse(readFileSync(pathOf(kind), 'utf8')) as KeyFile;

/** Runs `keyway keys` and expects it to succeed; with the embedded database, what reads it wants the server paused. */
async function keys(...args: string[]): Promise<string> {
  const { code, output } = await runKeyway(['keys', ...args], server.environment);
  if (code !== 0) throw new Error(`keyway keys ${args.join(' ')} failed: ${output}`);
  return output;
}

async function until(what: string, holds: () => Promise<boolean> | boolean, forMs = 40_000): Promise<void> {
  for (const end = performance.now() + forMs; !(await holds()); await sleep(100))
    if (performance.now() > end) throw new Error(`it was not so within the time: ${what}`);
}

const told = (text: string) => server.logged.filter((line) => line.includes(text));
const isCurrent = (kind: string, id: string) => () =>
  told('another key is current').some((line) => line.includes(`"kind":"${kind}","id":"${id}"`));

/** The KEKs that records name, by the tables in which anything lies sealed: read from the records themselves. */
async function keks(): Promise<Record<string, string[]>> {
  const id = `encode(substring(sealed FROM 7 FOR get_byte(sealed, 5) - 9), 'escape')`;
  const found: Record<string, string[]> = {};
  for (const table of ['credential_versions', 'stores', 'mfa_devices', 'idempotency_keys']) {
    const rows = await server.rows<{ id: string; named: string | null }>(
      `SELECT DISTINCT ${id} AS id, kek_id AS named FROM ${table} WHERE sealed IS NOT NULL ORDER BY 1`,
    );
    for (const row of rows) expect(row.named).toBe(row.id);
    found[table] = rows.map((row) => row.id);
  }
  return found;
}
const everywhere = (id: string) => ({
  credential_versions: [id],
  stores: [id],
  mfa_devices: [id],
  idempotency_keys: [id],
});

/** One of each thing that is sealed, and a way to see that it is what it was. */
interface Sealed {
  check(): Promise<void>;
}

async function makeSealed(seqera: Seqera): Promise<Sealed> {
  const account = await makeAccount(server);
  const plain = await makeCredential(server, account, { retrievable: true });
  const signer = await makeCredential(server, account);
  const store = await makeStore(server, account, seqeraAt(seqera));
  const person = await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_REVEAL']);
  const own = await makeCredential(server, person.id, { retrievable: true });
  const app = await enrolAndConfirm(server, person.token);
  const idempotencyKey = unique('once');
  const answered = await makeCredential(server, account, { name: 'once', retrievable: true, idempotencyKey });
  return {
    check: async () => {
      expect(await secretOf(plain)).toBe(plain.secret);
      const scheme = SignatureScheme.HTTP_MESSAGE_SIGNATURES;
      const request = signedBy(server, signer, scheme, question(server, '{ viewer { id } }'));
      expect(await codeOf(server, requestProof(scheme, request))).toBe('VALID');
      expect(expectData(await checkStore(server, { id: store })).checkStore.store.health.reachable).toBe(
        true,
      );
      const again = await makeCredential(server, account, {
        name: 'once',
        retrievable: true,
        idempotencyKey,
      });
      expect(again).toEqual(answered);
      // A code works once, and a time step is longer than this test.
      await server.rows('UPDATE mfa_devices SET last_step = -1');
      const factor = { id: own.id, mfaCode: app.code() };
      const shown = expectData(await reveal(server, factor, { token: person.token }));
      expect(shown.revealCredential.issued.secret).toBe(own.secret);
    },
  };
}

const secretOf = async ({ id }: Pick<Made, 'id'>) =>
  expectData(await reveal(server, { id })).revealCredential.issued.secret as string;

test('S47: after a rotation of the KEK under traffic every secret reads the same, no row names the old KEK, and a start without it succeeds', async () => {
  const seqera = await startSeqera({ workspaces: ['4242'] });
  try {
    const sealed = await makeSealed(seqera);
    const account = await makeAccount(server);
    const many: Made[] = [];
    for (let made = 0; made < 120; made++)
      many.push(await makeCredential(server, account, { retrievable: true }));
    expect(await keks()).toEqual(everywhere('k1'));

    let busy = true;
    const during: Made[] = [];
    const traffic = (async () => {
      while (busy) {
        during.push(
          await makeCredential(server, account, { retrievable: true, idempotencyKey: unique('t') }),
        );
        const one = many[during.length % many.length];
        if (one) expect(await secretOf(one)).toBe(one.secret);
      }
    })();
    const output = await keys('rotate', 'kek');
    expect(output).toContain('kek k2 is the current key');
    await until(
      'nothing names k1',
      async () => isCurrent('kek', 'k2')() && !JSON.stringify(await keks()).includes('k1'),
    );
    busy = false;
    await traffic;
    await until('the last ones', async () => !JSON.stringify(await keks()).includes('k1'));
    expect(await keks()).toEqual(everywhere('k2'));
    await sealed.check();
    for (const one of [...many, ...during]) expect(await secretOf(one)).toBe(one.secret);

    await server.restart(async () => {
      expect(await keys('list')).toMatch(
        /kek k1 +older +nothing names it; it can go: keyway keys retire kek k1/,
      );
      expect(await keys('retire', 'kek', 'k1')).toContain('kek k1 is retired');
      expect(keyFile('kek')).toMatchObject({ current: 'k2', retired: ['k1'] });
      expect(Object.keys(keyFile('kek').keys)).toEqual(['k2']);
    });
    await sealed.check();
    for (const one of [...many, ...during]) expect(await secretOf(one)).toBe(one.secret);
    expect(server.logged.join('')).not.toContain(Object.values(keyFile('kek').keys)[0]);
  } finally {
    await seqera.stop();
  }
});

/** Rows of credentials as they are sealed now, to be put back: what a crash in the middle leaves, as each row stands alone. */
async function copyOfSealed(): Promise<() => Promise<void>> {
  const rows = await server.rows<{ id: string; number: number; sealed: Buffer; kek: string }>(
    `SELECT credential_id AS id, number, sealed, kek_id AS kek FROM credential_versions WHERE sealed IS NOT NULL`,
  );
  return async () => {
    for (const { id, number, sealed, kek } of rows)
      await server.rows(
        'UPDATE credential_versions SET sealed = :sealed, kek_id = :kek WHERE credential_id = :id AND number = :number',
        { id, number, sealed: Buffer.from(sealed), kek },
      );
  };
}

const keksOfCredentials = async () =>
  (
    await server.rows<{ id: string }>(
      'SELECT DISTINCT kek_id AS id FROM credential_versions WHERE sealed IS NOT NULL ORDER BY 1',
    )
  ).map(({ id }) => id);

test('S47: what was not brought to the new KEK before the end of a process is taken up by the next, and nothing else of a row changes', async () => {
  const account = await makeAccount(server);
  const made: Made[] = [];
  for (let count = 0; count < 5; count++)
    made.push(await makeCredential(server, account, { retrievable: true }));
  const restore = await copyOfSealed();
  const apart = () =>
    server.rows(
      `SELECT to_jsonb(v) - 'sealed' - 'kek_id' - 'last_used_at' AS version, to_jsonb(c) - 'last_used_at' AS credential
       FROM credential_versions v JOIN credentials c ON c.id = v.credential_id ORDER BY v.credential_id, v.number`,
    );
  const before = await apart();
  await keys('rotate', 'kek');
  await until('k2 is in use', async () => (await keksOfCredentials()).join() === 'k2');
  expect(await apart()).toEqual(before);
  // As at the moment of a crash: some by the old one still, some by the new one.
  await restore();
  await makeCredential(server, account, { retrievable: true });
  expect(await keksOfCredentials()).toEqual(['k1', 'k2']);
  await server.restart();
  await until('all by k2', async () => (await keksOfCredentials()).join() === 'k2');
  for (const one of made) expect(await secretOf(one)).toBe(one.secret);
});

test('S47: a record that was damaged stops no other, is told without its content, and keeps its key from being retired', async () => {
  const account = await makeAccount(server);
  const [damaged, whole] = [
    await makeCredential(server, account, { retrievable: true }),
    await makeCredential(server, account, { retrievable: true }),
  ];
  await server.rows(
    `UPDATE credential_versions SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) FROM credentials c
     WHERE c.id = credential_id AND c.access_key = :accessKey`,
    { accessKey: damaged.accessKey },
  );
  await keys('rotate', 'kek');
  await until('the others are by k2', async () => told('records could not be opened').length > 0);
  expect(await keksOfCredentials()).toEqual(['k1', 'k2']);
  expect(await secretOf(whole)).toBe(whole.secret);
  const [line = ''] = told('records could not be opened');
  expect(line).toContain('"count":1,"records":[{"table":"credential_versions"');
  await server.restart(async () => {
    const { code, output } = await runKeyway(['keys', 'retire', 'kek', 'k1'], server.environment);
    expect(code).toBe(1);
    expect(output).toContain('kek k1 is still named by 1 secrets of credentials.');
    expect(Object.keys(keyFile('kek').keys)).toEqual(['k1', 'k2']);
  });
});

test('key files that are wrong are refused while Keyway runs, which goes on with the keys that it has', async () => {
  const account = await makeAccount(server);
  const made = await makeCredential(server, account, { retrievable: true });
  const kek = readFileSync(pathOf('kek'), 'utf8');
  const random = Buffer.alloc(32, 7).toString('base64');
  const wrong = [
    '{',
    JSON.stringify({ ...keyFile('kek'), current: 'k9' }),
    JSON.stringify({ current: 'k1', keys: { k1: random } }),
    kek.replace('"k1": "', '"k1": "A'),
  ];
  const refusals = () => told('goes on with the keys that it has').length;
  for (const text of wrong) {
    const before = refusals();
    writeFileSync(pathOf('kek'), text);
    await until('it is refused', () => refusals() > before);
    expect(await secretOf(made)).toBe(made.secret);
    expect(await secretOf(await makeCredential(server, account, { retrievable: true }))).toBeTruthy();
  }
  expect(told(random)).toEqual([]);
  writeFileSync(pathOf('kek'), kek);
  await keys('rotate', 'kek');
  await until('k2 is in use', isCurrent('kek', 'k2'));
  // None that was there is gone, though the file has it no more.
  const { current, keys: both } = keyFile('kek');
  writeFileSync(pathOf('kek'), JSON.stringify({ current, keys: { k2: both['k2'] } }));
  await sleep(2_500);
  expect(await secretOf(made)).toBe(made.secret);
});

describe('S47: another verifier key and pepper', () => {
  const rotated = async (kind: string) => {
    await keys('rotate', kind);
    await until(`${kind} k2 is in use`, isCurrent(kind, 'k2'));
  };
  const named = async (column: string, id: string) =>
    (
      await server.rows<{ id: string | null }>(
        `SELECT v.${column} AS id FROM credential_versions v WHERE v.credential_id = CAST(:id AS uuid)`,
        { id: rawId(id) },
      )
    ).map((row) => row.id);
  const rawId = (id: string) => parseId(id)?.uuid ?? '';
  const retire = (...args: string[]) => runKeyway(['keys', 'retire', ...args], server.environment);

  test('what is used is renewed, and what is left is told before it is given up', async () => {
    const account = await makeAccount(server);
    const used = await makeCredential(server, account);
    const left = await makeCredential(server, account);
    const password = 'correct horse battery staple';
    const withPassword = async () => {
      const username = unique('user');
      const { id } = await makeCredential(server, account, { secret: { password: { username, password } } });
      return { id, accessKey: username, secret: password };
    };
    const [person, other] = [await withPassword(), await withPassword()];
    const valid = ({ accessKey, secret }: Made) => codeOf(server, { accessKey, proof: { secret } });
    await rotated('verifier');
    await rotated('pepper');
    for (const one of [used, person]) expect(await valid(one)).toBe('VALID');
    expect(await named('verifier_key_id', used.id)).toEqual(['k2']);
    expect(await named('verifier_key_id', left.id)).toEqual(['k1']);
    expect(await named('pepper_id', person.id)).toEqual(['k2']);
    expect(await named('pepper_id', other.id)).toEqual(['k1']);

    await server.restart(async () => {
      const refused = await retire('pepper', 'k1');
      expect(refused).toMatchObject({
        code: 1,
        output: expect.stringContaining('pepper k1 is still named by 1 passwords.'),
      });
      // What it has signed of the checkpoints does not hold it up, nor is anything signed anew before all else is right.
      const before = linesOf(fileOf(server));
      expect((await retire('verifier', 'k1')).output).toContain('verifier k1 is still named by');
      expect(linesOf(fileOf(server))).toEqual(before);
      expect(await retire('pepper', 'k1', '--abandon')).toMatchObject({
        code: 0,
        output: expect.stringContaining('These cannot be verified any more: 1 passwords.'),
      });
    });
    expect(await valid(person)).toBe('VALID');
    expect(await valid(other)).toBe('NOT_VALID');
    expect(await valid(left)).toBe('VALID');
    expect(await named('verifier_key_id', left.id)).toEqual(['k2']);

    await server.restart(async () => {
      expect(await retire('verifier', 'k1', '--abandon')).toMatchObject({
        code: 0,
        output: expect.stringContaining(
          'The checkpoints are signed anew. Keep those of before with this key: ',
        ),
      });
      const verify = await runKeyway(['audit', 'verify'], server.environment);
      expect(verify).toMatchObject({ code: 0, output: expect.stringContaining('is whole') });
    });
    expect((await fetch(`${server.url}/ready`)).status).toBe(200);
    expect(await valid(left)).toBe('VALID');
  });

  test('R1, S26: what was answered under an idempotency key and tries at a password are found again', async () => {
    const account = await makeAccount(server);
    const input = { name: 'once', retrievable: true, idempotencyKey: unique('key') };
    const first = await makeCredential(server, account, input);
    const accessKey = unique('guessed');
    await makeCredential(server, account, {
      secret: { password: { username: accessKey, password: 'correct horse battery staple' } },
    });
    const guess = () => codeOf(server, { accessKey, proof: { secret: 'wrong horse battery staple' } });
    for (let tries = 0; tries < 5; tries++) expect(await guess()).toBe('NOT_VALID');
    await rotated('verifier');
    expect(await makeCredential(server, account, input)).toEqual(first);
    const another = await run(server, 'createCredential', {
      ...{ account, secret: { accessKey: {} } },
      ...{ ...input, name: 'another' },
    });
    expect(another.code).toBe('CONFLICT');
    expect(await guess()).toBe('RATE_LIMITED');
    const fresh = { ...input, idempotencyKey: unique('key') };
    const both = await Promise.all([1, 2, 3].map(() => makeCredential(server, account, fresh)));
    expect(new Set(both.map(({ id }) => id)).size).toBe(1);
  });

  test('a recovery code works as before', async () => {
    const { id, token } = await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_REVEAL']);
    const own = await makeCredential(server, id, { retrievable: true });
    const { recoveryCodes } = await enrolAndConfirm(server, token);
    await rotated('verifier');
    const shown = await reveal(server, { id: own.id, mfaCode: recoveryCodes[0] }, { token });
    expect(expectData(shown).revealCredential.issued.secret).toBe(own.secret);
    await server.restart(async () =>
      expect((await retire('verifier', 'k1')).output).toContain('1 accounts with recovery codes'),
    );
  });
});

describe('keyway keys', () => {
  const failing = async (...args: string[]) => {
    const { code, output } = await runKeyway(['keys', ...args], server.environment);
    expect(code).toBe(1);
    return output;
  };

  test('add makes a key that is not current, rotate makes that one current, and an id is never used twice', async () => {
    await server.pause();
    try {
      chmodSync(pathOf('kek'), 0o640);
      expect(await keys('add', 'kek')).toContain('kek k2 was added');
      expect(keyFile('kek')).toMatchObject({
        current: 'k1',
        keys: { k1: expect.any(String), k2: expect.any(String) },
      });
      expect(await keys('list')).toMatch(
        /kek k2 +added +nothing names it; make it current: keyway keys rotate kek/,
      );
      expect(await keys('rotate', 'kek')).toContain('kek k2 is the current key');
      expect(Object.keys(keyFile('kek').keys)).toEqual(['k1', 'k2']);
      expect(statSync(pathOf('kek')).mode & 0o777).toBe(0o640);
      await keys('add', 'kek');
      await keys('retire', 'kek', 'k3');
      expect(await keys('rotate', 'kek')).toContain('kek k4 is the current key');
    } finally {
      await server.restart();
    }
  });

  test('refuses what would lose a key, and says why', async () => {
    await server.pause();
    try {
      expect(await failing('retire', 'kek', 'k1')).toContain('kek k1 is the current key');
      expect(await failing('retire', 'kek', 'k7')).toContain('There is no key k7 of the kind kek.');
      expect(await failing('rotate', 'audit')).toContain('stop all Keyways of this database first');
      expect(await keys('rotate', 'audit', '--stopped')).toContain('audit k2 is the current key');
      expect(await failing('retire', 'audit', 'k1')).toContain(
        'audit k1 is needed for as long as there are events',
      );
      expect(await failing('rotate', 'nonsense')).toContain(
        'Allowed choices are kek, verifier, pepper, audit',
      );
      writeFileSync(`${pathOf('kek')}.changing`, '');
      expect(await failing('rotate', 'kek')).toContain('Another command is changing this file.');
      mkdirSync(`${pathOf('pepper')}.new`);
      expect(await failing('rotate', 'pepper')).toMatch(
        /pepper\.json cannot be changed here \(.*\): change it where it comes from/,
      );
      expect(Object.keys(keyFile('kek').keys)).toEqual(['k1']);
    } finally {
      await server.restart();
    }
  });

  test('a key that nothing names and that was taken out by hand can be retired, and the next start succeeds', async () => {
    await keys('rotate', 'kek');
    await until('k2 is in use', isCurrent('kek', 'k2'));
    await server.restart(async () => {
      const { keys: both } = keyFile('kek');
      writeFileSync(pathOf('kek'), JSON.stringify({ current: 'k2', keys: { k2: both['k2'] } }));
      expect(await failing('list')).toContain('The database was written with keys that are not here: kek k1');
      expect(await keys('retire', 'kek', 'k1')).toContain('kek k1 is retired');
    });
    expect((await server.ask('{ viewer { name } }')).data).toEqual({ viewer: { name: 'admin' } });
  });

  test('list says what the files have where a server has the embedded database', async () => {
    if (onPostgres) return;
    expect(await keys('list')).toMatch(/kek k1 +current[^]*A Keyway has the database open/);
  });
});

// The embedded database has one Keyway.
if (onPostgres) {
  test('S47: all bring what is sealed to the new KEK, and with one that is retired none makes anything', async () => {
    const account = await makeAccount(server);
    const made: Made[] = [];
    for (let count = 0; count < 250; count++)
      made.push(await makeCredential(server, account, { retrievable: true }));
    // One on another machine, with files of its own.
    await keys('add', 'kek');
    const elsewhere = join(server.dataDir, 'elsewhere');
    cpSync(join(server.dataDir, 'keys'), elsewhere, { recursive: true });
    chmodSync(elsewhere, 0o700);
    const replica = await startReplica({
      ...server,
      adminToken: server.adminToken,
      environment: { ...server.environment, KEYWAY_KEYS_DIR: elsewhere },
    });
    const third = await startReplica(server);
    try {
      await until('k2 is known here', () => told('a key was added').length > 0);
      await sleep(5_500);
      await keys('rotate', 'kek');
      await until('all by k2', async () => (await keksOfCredentials()).join() === 'k2');
      for (const one of made) expect(await secretOf(one)).toBe(one.secret);
      // Its files were forgotten, so it seals by the old one, which is brought to the new one.
      const late = await makeCredential(replica, account, { retrievable: true });
      expect(await secretOf(late)).toBe(late.secret);
      await until('all by k2', async () => (await keksOfCredentials()).join() === 'k2');
      expect(await keys('retire', 'kek', 'k1')).toContain('kek k1 is retired');
      const refused = await run(replica, 'createCredential', {
        ...{ account, name: unique('x'), secret: { accessKey: {} } },
      });
      expect(refused.code).toBe('UNAVAILABLE');
      for (const one of [...made.slice(0, 5), late])
        expect(expectData(await reveal(server, { id: one.id })).revealCredential.issued.secret).toBe(
          one.secret,
        );
    } finally {
      await third.stop();
      await replica.stop();
    }
  });

  test('S47: a key is retired while nobody can name it, whatever version writes', async () => {
    const account = await makeAccount(server);
    await makeCredential(server, account, { retrievable: true });
    await keys('rotate', 'kek');
    await until('all by k2', async () => (await keksOfCredentials()).join() === 'k2');
    const url = server.environment['DATABASE_URL'] ?? '';
    const naming = `UPDATE credential_versions SET kek_id = 'k1' WHERE kek_id = 'k2'`;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query(naming);
      const retiring = runKeyway(['keys', 'retire', 'kek', 'k1'], server.environment);
      await until(
        'it waits for what is not committed',
        async () =>
          (
            await server.rows(
              `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database =
                 (SELECT oid FROM pg_database WHERE datname = current_database())`,
            )
          ).length > 0,
      );
      await client.query('COMMIT');
      const refused = await retiring;
      expect([refused.code, refused.output]).toEqual([
        1,
        expect.stringContaining('kek k1 is still named by'),
      ]);
      await client.query(`UPDATE credential_versions SET kek_id = 'k2' WHERE kek_id = 'k1'`);
      expect(await keys('retire', 'kek', 'k1')).toContain('kek k1 is retired');
      await expect(client.query(naming)).rejects.toMatchObject({ code: '40001' });
    } finally {
      await client.end();
    }
  });

  test('a key that another machine made by the same id is refused', async () => {
    const elsewhere = join(server.dataDir, 'elsewhere');
    cpSync(join(server.dataDir, 'keys'), elsewhere, { recursive: true });
    chmodSync(elsewhere, 0o700);
    await keys('add', 'kek');
    await until('k2 is known', () => told('a key was added').length > 0);
    const other = { ...server.environment, KEYWAY_KEYS_DIR: elsewhere };
    expect((await runKeyway(['keys', 'add', 'kek'], other)).code).toBe(0);
    const { code, output } = await runKeyway(['keys', 'list'], other);
    expect(code).toBe(1);
    expect(output).toContain('kek k2 (another key goes by this id)');
  });
}
