/** @embedded the command line */
import { execFileSync } from 'node:child_process';
import { keyway } from '../support/command-line.js';
import { enrolAndConfirm } from '../support/authenticator.js';
import { expectData, makeAccount, makeCaller, makeCredential, unique } from '../support/make.js';
import { playGraph } from '../support/played-graph.js';
import { sharedServer, type SharedServer } from '../support/server.js';

let server: SharedServer;
let account: string;
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
});
const at = () => ({ url: server.url, token: server.adminToken });
const ask = async (args: string[], around: object = {}) =>
  keyway(['credential', ...args], { ...at(), ...around });
const json = async (args: string[], around: object = {}) => {
  const { code, out, err } = await ask([...args, '--json'], around);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
};
const create = (name: string, ...more: string[]) =>
  json(['create', name, '--account', account, '--kind', 'access-key', ...more]);

test('a credential is made, verified, rotated, revealed, issued from, changed, revoked and deleted by its name', async () => {
  const name = unique('whole');
  const made = await create(
    name,
    '--retrievable',
    'true',
    '--expires-at',
    '90d',
    '--rate-uses',
    '9',
    '--rate-window',
    '1m',
  );
  const key: string = made.credential.accessKey;
  expect((await json(['verify', key], { stdin: `${made.issued.secret}\n` })).code).toBe('VALID');
  const wrong = await ask(['verify', key], { stdin: 'wrong\n' });
  expect(wrong.code).toBe(9);
  expect(wrong.out).toContain('NOT_VALID');
  const rotated = await json(['rotate', name, '--grace', '2h']);
  expect(rotated.issued.secret).not.toBe(made.issued.secret);
  const revealed = await ask(['reveal', name, '--part', 'secret']);
  expect(revealed).toEqual({ code: 0, out: rotated.issued.secret, err: '' });
  const issued = await json(['issue', name, '--duration', '15m']);
  expect(issued.issued.secret).toEqual(expect.any(String));
  const update = [
    'update',
    name,
    '--description',
    'what for',
    '--clear',
    'expires-at',
    '--clear',
    'rate-limit',
  ];
  expect((await json(update)).expiresAt).toBeNull();
  expect((await json(['show', made.credential.id])).rateLimit).toBeNull();
  expect((await json(['revoke', made.credential.id, '--reason', 'lost', '--yes'])).status).toBe('REVOKED');
  expect((await json(['delete', made.credential.id, '--yes'])).status).toBe('DELETED');
});

test('--output env is taken by a shell, by the names that are asked for', async () => {
  const { code, out } = await ask([
    ...['create', unique('env'), '--account', account, '--kind', 'access-key'],
    ...['--output', 'env', '--prefix', 'MINE'],
  ]);
  expect(code).toBe(0);
  expect(out).toMatch(/^export MINE_ACCESS_KEY='\S+'\nexport MINE_SECRET='\S+'\n$/);
  const said = execFileSync('sh', ['-c', `${out}printf '%s %s' "$MINE_ACCESS_KEY" "$MINE_SECRET"`], {
    encoding: 'utf8',
  });
  expect(said).toMatch(/^\S{10,} \S{20,}$/);
});

test('a dry run shows what would be sent without its secrets, and sends nothing', async () => {
  const name = unique('dry');
  const { code, out } = await ask(
    [
      'create',
      name,
      '--account',
      account,
      '--kind',
      'password',
      '--set',
      'username=ada',
      '--ask',
      'password',
      '--dry-run',
    ],
    { stdin: 'a-secret-value-of-mine\n' },
  );
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    operation: 'createCredential',
    variables: { input: { name, account, secret: { password: { username: 'ada', password: '[secret]' } } } },
  });
  expect(out).not.toContain('a-secret-value');
  expect((await ask(['show', name])).code).toBe(5);
});

test('so does one of a whole input from standard input', async () => {
  const input = {
    account,
    name: unique('input'),
    secret: { providerKeys: { aws: { accessKey: 'AKIA', secretKey: 'a-secret-value' } } },
  };
  const around = { stdin: JSON.stringify(input) };
  const dry = await ask(['create', input.name, '--input', '-', '--dry-run'], around);
  expect(dry.out).toContain(input.name);
  expect(dry.out).not.toContain('a-secret-value');
  const made = await json(['create', input.name, '--input', '-'], around);
  expect(made.issued.keys).toContainEqual({ name: 'secretKey', value: 'a-secret-value' });
});

test('a secret in an argument is refused, and not repeated', async () => {
  const args = ['create', 'x', '--account', account, '--kind', 'provider-keys', '--provider', 'aws'];
  const { code, err } = await ask([...args, '--set', 'secretKey=a-secret-value']);
  expect(code).toBe(2);
  expect(err).toContain('use --ask secretKey');
  expect(err).not.toContain('a-secret-value');
});

test('a field that cannot be taken away is named as what was typed wrong', async () => {
  const { code, err } = await ask(['update', 'x', '--clear', 'name']);
  expect([code, err]).toEqual([2, expect.stringMatching(/--clear.*must be one of description,/s)]);
});

test('what cannot be undone is asked about, or wants --yes where nobody can be', async () => {
  const name = unique('final');
  await create(name);
  const nobody = await ask(['revoke', name]);
  expect([nobody.code, nobody.err]).toEqual([2, expect.stringContaining('--yes')]);
  expect((await ask(['revoke', name], { typed: 'another' })).code).toBe(2);
  expect((await json(['show', name])).status).toBe('ACTIVE');
  expect((await ask(['revoke', name], { typed: name })).code).toBe(0);
});

test('a change wants the whole name, and tells the ids of what it is a part of', async () => {
  const name = unique('exact');
  const made = await create(name);
  const { code, err } = await ask(['rotate', name.slice(0, -1)]);
  expect(code).toBe(5);
  expect(err).toContain(made.credential.id);
});

test('a repeated command with its key does nothing twice; a revision that is past is told as that', async () => {
  const args = [
    'create',
    unique('once'),
    '--account',
    account,
    '--kind',
    'access-key',
    '--idempotency-key',
    unique('key'),
  ];
  const first = await json(args);
  expect((await json(args)).credential.id).toBe(first.credential.id);
  expect((await ask(['rotate', first.credential.id, '--expected-revision', '99'])).code).toBe(6);
});

test('what is sent again after a broken connection has the same key; a verification is not sent again', async () => {
  const done = { body: { data: { revokeCredential: { credential: { id: 'x', status: 'REVOKED' } } } } };
  const id = 'cred_0000000000000000000001';
  const played = await playGraph(({ query }, number) =>
    query.includes('Verify') || number === 0 ? null : done,
  );
  try {
    const around = { url: played.url, token: 'token' };
    expect((await ask(['revoke', id, '--yes'], around)).code).toBe(0);
    const keys = played.asked.map(
      ({ variables }) => (variables['input'] as { idempotencyKey: string }).idempotencyKey,
    );
    expect(keys).toHaveLength(2);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[1]).toBe(keys[0]);
    expect((await ask(['verify'], { ...around, stdin: 'presented' })).code).toBe(7);
    expect(played.asked).toHaveLength(3);
  } finally {
    await played.stop();
  }
});

test('a person is asked for the code of a second factor where one is wanted; a script is told that it is', async () => {
  const owner = await makeAccount(server);
  const { id } = await makeCredential(server, owner, { retrievable: true });
  const caller = await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_REVEAL'], { onAccount: owner });
  const { recoveryCodes } = await enrolAndConfirm(server, caller.token);
  const demand =
    'mutation ($id: ID!) { updateAccount(input: { id: $id, mfaRequired: true }) { account { id } } }';
  expectData(await server.ask(demand, { id: caller.id }));
  const around = { url: server.url, token: caller.token };
  const script = await keyway(['credential', 'reveal', id], around);
  expect([script.code, script.out]).toEqual([4, '']);
  expect(script.err).toContain('input.mfaCode: is required');
  const [code = ''] = recoveryCodes;
  const person = await keyway(['credential', 'reveal', id], { ...around, typed: code });
  expect(person.code).toBe(0);
  expect(person.err).toContain('second factor: ');
  expect(person.err + person.out).not.toContain(code);
});

test.each(['NFC', 'NFD'])('a name is found however its letters were composed: typed as %s', async (form) => {
  const name = unique('Zoë');
  const other = form === 'NFC' ? 'NFD' : 'NFC';
  const made = await create(name.normalize(other));
  const revoked = await json(['revoke', name.normalize(form), '--yes']);
  expect(revoked).toMatchObject({ id: made.credential.id, status: 'REVOKED' });
});
