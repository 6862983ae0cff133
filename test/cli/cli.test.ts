/**
 * @slow 50 s
 * @embedded the command line
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseId } from '../../src/ids.js';
import { enrolAndConfirm } from '../support/authenticator.js';
import { makeCaller, unique } from '../support/make.js';
import { emptyPlace, readyPlace, runKeyway, spawnKeyway } from '../support/process.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

test.each([
  { command: [], names: ['serve', 'migrate', 'demo', 'token', 'mfa', 'keys', 'audit', 'schema'] },
  { command: ['serve'], names: ['SIGTERM'] },
  { command: ['migrate'], names: ['database'] },
  { command: ['demo'], names: ['examples'] },
  { command: ['token'], names: ['create'] },
  { command: ['token', 'create'], names: ['--account', '--days'] },
  { command: ['mfa', 'remove'], names: ['--account'] },
  { command: ['keys'], names: ['list', 'add', 'rotate', 'retire'] },
  { command: ['keys', 'rotate'], names: ['kek', 'verifier', 'pepper', 'audit', '--stopped'] },
  { command: ['keys', 'retire'], names: ['--abandon'] },
  { command: ['audit', 'verify'], names: ['chain'] },
  { command: ['doctor'], names: ['--json', 'changes nothing'] },
  { command: ['schema'], names: ['file'] },
])('keyway $command --help tells what it does', async ({ command, names }) => {
  const { code, output } = await runKeyway([...command, '--help']);
  expect(code).toBe(0);
  expect(output).toContain('Usage: keyway');
  for (const name of names) expect(output).toContain(name);
});

test.each([
  { args: ['nonsense'], told: 'unknown command' },
  { args: ['token', 'create', '--days', '367'], told: 'must be a whole number from 1 to 366' },
  { args: ['token', 'create', '--days', '0'], told: 'must be a whole number from 1 to 366' },
  { args: ['mfa', 'remove'], told: "required option '--account <name>' not specified" },
  { args: ['serve', '--nonsense'], told: 'unknown option' },
])('keyway $args ends with exit code 1 and says why', async ({ args, told }) => {
  const { code, output } = await runKeyway(args);
  expect(code).toBe(1);
  expect(output).toContain(told);
});

test('schema prints what is committed', async () => {
  const { code, output } = await runKeyway(['schema', '-']);
  expect(code).toBe(0);
  expect(output).toContain(readFileSync('schema.graphql', 'utf8'));
});

describe('schema in a pipe', () => {
  const piped = async (reader: string) => {
    const line = `"${process.execPath}" bin/keyway.js schema - | ${reader}`;
    return promisify(execFile)('sh', ['-c', line], {
      env: { ...process.env, NODE_OPTIONS: '' },
      maxBuffer: 1e7,
    });
  };

  test('is whole where that is read slowly', async () => {
    const { stdout } = await piped('{ sleep 1; cat; }');
    expect(stdout).toContain(readFileSync('schema.graphql', 'utf8'));
  });

  test('says nothing where that is closed before its end', async () => {
    const { stdout, stderr } = await piped('head -n 1');
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stderr).toBe('');
  });
});

test('faults of the configuration end every command with exit code 1, all told', async () => {
  const { code, output } = await runKeyway(['migrate'], { PORT: 'x', KEYWAY_NONSENSE: 'hunter2' });
  expect(code).toBe(1);
  expect(output).toMatch(/PORT must[^]*KEYWAY_NONSENSE is not a setting/);
  expect(output).not.toMatch(/hunter2|\bat \w+ \(/);
});

test('migrate makes what a first start makes, and a second time nothing', async () => {
  const place = await emptyPlace();
  try {
    expect(await runKeyway(['migrate'], place.environment)).toMatchObject({
      code: 0,
      output: expect.stringContaining('The database is up to date.'),
    });
    const token = readFileSync(join(place.folder, 'admin-token'), 'utf8');
    expect((await runKeyway(['migrate'], place.environment)).code).toBe(0);
    expect(readFileSync(join(place.folder, 'admin-token'), 'utf8')).toBe(token);
  } finally {
    await place.drop();
  }
});

test('what a command was asked for is all of its standard output, whatever its log has to say', async () => {
  const place = await readyPlace();
  try {
    // Nobody is called at this address: it only has the log say that keys are not wrapped.
    const settings = {
      KEYWAY_KEK_PROVIDER: 'vault',
      KEYWAY_VAULT_ADDRESS: 'http://127.0.0.1:1',
      KEYWAY_VAULT_TRANSIT_KEY: 'keyway',
      KEYWAY_VAULT_TOKEN: 'hvs.none',
    };
    const { child, ended } = spawnKeyway(['token', 'create'], { ...place.environment, ...settings });
    const printed = { out: '', err: '' };
    child.stdout?.on('data', (data: Buffer) => void (printed.out += String(data)));
    child.stderr?.on('data', (data: Buffer) => void (printed.err += String(data)));
    expect(await ended).toBe(0);
    expect(printed.out).toMatch(/^kw_pat_\w+\n$/);
    expect(printed.err).toContain('KEKs stand in their file as they are');
  } finally {
    await place.drop();
  }
});

/** Ends the embedded database's only process, so that a command can have it; gives it back after. */
async function besides<Result>(
  work: (environment: Record<string, string>) => Promise<Result>,
): Promise<Result> {
  if (!server) throw new Error('no server');
  await server.pause();
  try {
    return await work(server.environment);
  } finally {
    await server.restart();
  }
}

test('token create gives a token that works, and is on record', async () => {
  server = await startTestServer();
  const { code, output } = await besides((environment) =>
    runKeyway(['token', 'create', '--days', '2'], environment),
  );
  expect(code).toBe(0);
  const token = output.trim().split('\n').at(-1) ?? '';
  const answer = await server.ask('{ viewer { name } }', {}, { token });
  expect(answer.data).toEqual({ viewer: { name: 'admin' } });
  const [made] = await server.rows(
    `SELECT e.actor_id, e.action, e.outcome, c.expires_at BETWEEN now() + interval '47 hours' AND now() + interval '48 hours' AS soon
     FROM credentials c JOIN audit_events e ON e.target_id = c.id WHERE c.name = 'Made on the command line'`,
  );
  expect(made).toEqual({ actor_id: null, action: 'credential:create', outcome: 'DONE', soon: true });
});

test('token create for nobody makes none', async () => {
  server = await startTestServer();
  const { code, output } = await besides((environment) =>
    runKeyway(['token', 'create', '--account', 'nobody'], environment),
  );
  expect(code).toBe(1);
  expect(output).toContain('There is no account of that name.');
});

test('mfa remove takes the second factor off an account, and is on record', async () => {
  server = await startTestServer();
  const name = unique('lost');
  const { id, token } = await makeCaller(server, [], {}, { name });
  await enrolAndConfirm(server, token);
  const { code, output } = await besides((environment) =>
    runKeyway(['mfa', 'remove', '--account', name], environment),
  );
  expect([code, output]).toEqual([0, expect.stringContaining('The second factor is removed.')]);
  expect(await server.rows('SELECT id FROM mfa_devices')).toEqual([]);
  expect((await server.ask('{ viewer { mfaEnrolled } }', {}, { token })).data).toEqual({
    viewer: { mfaEnrolled: false },
  });
  const account_id = parseId(id)?.uuid;
  expect(
    await server.rows(
      `SELECT account_id, actor_id, outcome, target_id, changed FROM audit_events WHERE action = 'account:remove-mfa'`,
    ),
  ).toEqual([
    { account_id, actor_id: null, outcome: 'DONE', target_id: account_id, changed: ['mfaEnrolled'] },
  ]);
  // Its next one is a new one.
  await enrolAndConfirm(server, token);
});

test('mfa remove of none, and for nobody, says so', async () => {
  server = await startTestServer();
  const answers = await besides(async (environment) => [
    await runKeyway(['mfa', 'remove', '--account', 'admin'], environment),
    await runKeyway(['mfa', 'remove', '--account', 'nobody'], environment),
  ]);
  expect(answers).toEqual([
    { code: 1, output: expect.stringContaining('The account has no second factor.') },
    { code: 1, output: expect.stringContaining('There is no account of that name.') },
  ]);
  expect(await server.rows(`SELECT id FROM audit_events WHERE action = 'account:remove-mfa'`)).toEqual([]);
});

test('S61: audit verify ends with 0 where the log is whole, and with 1 and the row where it is not', async () => {
  server = await startTestServer();
  const whole = await besides((environment) => runKeyway(['audit', 'verify'], environment));
  expect(whole.code).toBe(0);
  expect(whole.output).toMatch(/The audit log is whole: \d+ events in \d+ chains\./);
  await server.rows('ALTER TABLE audit_events DISABLE TRIGGER ALL');
  await server.rows(`UPDATE audit_events SET action = 'x' WHERE number = 1`);
  await server.rows('ALTER TABLE audit_events ENABLE TRIGGER ALL');
  const broken = await besides((environment) => runKeyway(['audit', 'verify'], environment));
  expect(broken.code).toBe(1);
  expect(broken.output).toMatch(/row 1: does not follow from the row before it[^]*tampered/);
});
