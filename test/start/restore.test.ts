/**
 * @slow 55 s
 */
import { randomBytes } from 'node:crypto';
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileOf, linesOf } from '../audit/chains.js';
import { reveal } from '../credentials/verbs.js';
import { enrolAndConfirm, takeOver } from '../support/authenticator.js';
import { claimsAt, makeSigner, signed, startIssuer, trusting } from '../support/issuer.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  type Made,
} from '../support/make.js';
import { emptyPlace, runKeyway } from '../support/process.js';
import { startObjectStore } from '../support/s3.js';
import { startTestServer, type Door, type TestServer } from '../support/server.js';
import { readNode, run } from '../support/verbs.js';
import { verifierAt } from '../support/verify.js';
import { accept, isReady, killedAfter, lost } from './restoring.js';

// An older state of the database is put back, and what had ended since must not live again.

let server: TestServer;
afterEach(() => server.stop());

const file = () => fileOf(server);
const done = async (door: Door, verb: string, input: Record<string, unknown>) =>
  expectData(await run(door, verb, input));

async function codeOf({ accessKey, secret }: Made, ip?: string): Promise<string> {
  const verifier = verifierAt(server.url, server.adminToken);
  try {
    return await verifier.code({ accessKey, proof: { secret }, ...(ip && { ip }) });
  } finally {
    verifier.close();
  }
}

const callsAs = async (token: string) =>
  (await server.ask('{ viewer { id } }', {}, { token })).code ?? 'CALLS';

const sees = async (id: string, token: string) =>
  (await server.ask('query ($id: ID!) { node(id: $id) { id } }', { id }, { token })).data.node !== null;

test('S66, R36: what ended after the state that is put back is ended again before anything is answered', async () => {
  const issuer = 'https://issuer.example.com';
  server = await startTestServer({
    KEYWAY_JWT_ISSUERS: JSON.stringify([
      { issuer, jwks: `${issuer}/jwks`, audience: 'keyway', algorithms: ['ES256'] },
    ]),
  });
  const account = await makeAccount(server);
  const make = (input: Record<string, unknown> = {}) => makeCredential(server, account, input);
  const [revoked, deleted, disabled, expiring, bound, rotated, kept, again] = [
    await make(),
    await make(),
    await make(),
    await make(),
    await make(),
    await make(),
    await make(),
    await make(),
  ];
  const parent = await make();
  const carried = await makeRole(server, ['CREDENTIAL_READ']);
  const carrying = await make({ roles: [carried] });
  const project = await makeProject(server, account);
  const role = await makeRole(server, ['CREDENTIAL_READ', 'PROJECT_READ']);
  const [stopped, gone, holder, narrowed] = [
    await makeCaller(server),
    await makeCaller(server),
    await makeCaller(server),
    await makeCaller(server),
  ];
  const [ada, bob] = ['ada', 'bob'].map((subject) => ({ issuer, subject }));
  const [teams, guests] = ['teams', 'guests'].map((of) => ({ issuer, subject: `of:${of}:*`, pattern: true }));
  // Of the same letters as a pattern, and none: it is another identity.
  const literal = { issuer, subject: 'of:guests:*' };
  await done(server, 'updateAccount', { id: holder.id, identities: [ada, bob, teams, guests, literal] });
  const reading = await makeRole(server, ['CREDENTIAL_READ']);
  const held = await grant(server, holder.id, reading, { onAccount: account });
  await grant(server, narrowed.id, role, { onAccount: account });
  await server.pause();
  const putBack = await server.keepState();

  const expiresAt = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 3_600_000).toISOString();
  await killedAfter(server, async (door) => {
    await done(door, 'revokeCredential', { id: revoked.id });
    await done(door, 'revokeCredential', { id: parent.id });
    await done(door, 'deleteCredential', { id: deleted.id });
    await done(door, 'updateCredential', { id: disabled.id, enabled: false });
    await done(door, 'updateCredential', { id: again.id, enabled: false });
    await done(door, 'updateCredential', { id: again.id, enabled: true });
    await done(door, 'updateCredential', { id: expiring.id, expiresAt });
    await done(door, 'updateCredential', { id: bound.id, allowedIps: ['192.0.2.0/24'] });
    await done(door, 'updateCredential', { id: carrying.id, roles: [] });
    await done(door, 'rotateCredential', { id: rotated.id });
    await done(door, 'updateAccount', { id: stopped.id, enabled: false });
    await done(door, 'updateAccount', { id: narrowed.id, mfaRequired: true });
    await done(door, 'deleteAccount', { id: gone.id, revokeCredentials: true });
    await done(door, 'withdrawRole', { grant: held });
    await done(door, 'updateAccount', { id: holder.id, identities: [ada, teams, literal] });
    await done(door, 'updateRole', { id: role, permissions: ['PROJECT_READ'] });
    // What was made after the state, and ended, is not there to be ended.
    const later = await makeCredential(door, account);
    await done(door, 'revokeCredential', { id: later.id });
  });
  await putBack();
  await server.restart();
  expect(await isReady(server)).toBe(false);
  await server.pause();

  const { code, output } = await accept(server);
  expect(output).toContain('Ended again, as they had been:');
  expect(output).toMatch(/1 of what had ended is not in this database|of what had ended is not in this/);
  expect(code).toBe(0);
  await server.restart();
  expect(await isReady(server)).toBe(true);

  expect(await codeOf(revoked)).toBe('REVOKED');
  expect(await codeOf(parent)).toBe('REVOKED');
  expect(await codeOf(deleted)).toBe('NOT_VALID');
  expect(await codeOf(disabled)).toBe('DISABLED');
  expect(await codeOf(rotated)).toBe('NOT_VALID');
  expect(await codeOf(bound, '192.0.2.7')).toBe('VALID');
  expect(await codeOf(bound, '198.51.100.7')).toBe('IP_NOT_ALLOWED');
  expect(await codeOf(kept)).toBe('VALID');
  expect(await codeOf(again)).toBe('VALID');
  expect(await callsAs(stopped.token)).toBe('UNAUTHENTICATED');
  expect(await callsAs(gone.token)).toBe('UNAUTHENTICATED');
  expect(await callsAs(holder.token)).toBe('CALLS');
  for (const token of [holder.token, narrowed.token]) expect(await sees(kept.id, token)).toBe(false);
  expect(await sees(project, narrowed.token)).toBe(true);
  expect(await readNode(server, carrying.id, '... on Credential { roles { id } }')).toEqual({ roles: [] });
  expect(await readNode(server, holder.id, '... on Account { identities { subject pattern } }')).toEqual({
    identities: [
      { subject: 'ada', pattern: false },
      { subject: 'of:guests:*', pattern: false },
      { subject: 'of:teams:*', pattern: true },
    ],
  });
  const { expiresAt: ends } = await readNode(server, expiring.id, '... on Credential { expiresAt }');
  expect(Date.parse(ends)).toBe(Date.parse(expiresAt));
  expect(await readNode(server, narrowed.id, '... on Account { mfaRequired }')).toEqual({
    mfaRequired: true,
  });
});

test('S66: users whose account the state does not know, and who were shut out since, get no account at first sight', async () => {
  const signer = await makeSigner();
  const issuer = await startIssuer(signer);
  try {
    server = await startTestServer(trusting(issuer.settings()));
    const parent = await makeAccount(server);
    const when = [{ claim: 'groups', is: 'users' }];
    server.environment['KEYWAY_JWT_ISSUERS'] = JSON.stringify([
      issuer.settings({ accounts: { parent, when } }),
    ]);
    await server.restart();
    const viewerOf = async (door: Door, subject: string) => {
      const token = await signed(signer, claimsAt(Date.now(), issuer.name, subject, { groups: ['users'] }));
      const { data, code } = await door.ask('{ viewer { id } }', {}, { token });
      return (data?.viewer.id as string | undefined) ?? code;
    };
    await server.pause();
    const putBack = await server.keepState();
    await killedAfter(server, async (door) => {
      const account = async (subject: string) => String(await viewerOf(door, subject));
      await done(door, 'updateAccount', { id: await account('disabled'), enabled: false });
      await done(door, 'deleteAccount', { id: await account('deleted') });
      await done(door, 'updateAccount', { id: await account('bereft'), identities: [] });
      const id = await account('again');
      for (const enabled of [false, true]) await done(door, 'updateAccount', { id, enabled });
      await account('usual');
    });
    await putBack();
    await server.restart();
    expect(await isReady(server)).toBe(false);
    await server.pause();
    expect((await accept(server)).code).toBe(0);
    await server.restart();
    for (const subject of ['disabled', 'deleted', 'bereft'])
      expect([subject, await viewerOf(server, subject)]).toEqual([subject, 'UNAUTHENTICATED']);
    for (const subject of ['again', 'usual', 'new'])
      expect([subject, await viewerOf(server, subject)]).toEqual([subject, expect.stringMatching(/^acct_/)]);
    // Somebody lets one in again by saying so.
    const identities = [{ issuer: issuer.name, subject: 'disabled' }];
    const id = await makeAccount(server, { identities });
    expect(await viewerOf(server, 'disabled')).toBe(id);
  } finally {
    await issuer.stop();
  }
});

test('S66: a second factor that was taken off, or replaced, and a recovery code that was used prove nothing in a state that has them', async () => {
  server = await startTestServer();
  const [bare, another, same] = [
    await makeCaller(server),
    await makeCaller(server),
    await makeCaller(server, ['CREDENTIAL_REVEAL']),
  ];
  const apps = new Map<string, Awaited<ReturnType<typeof enrolAndConfirm>>>();
  for (const { id, token } of [bare, another, same]) apps.set(id, await enrolAndConfirm(server, token));
  const { recoveryCodes: [code = '', next = ''] = [] } = apps.get(another.id) ?? {};
  const used = apps.get(same.id)?.recoveryCodes.slice(1, 3) ?? [];
  expect(used).toHaveLength(2);
  const shown = await makeCredential(server, same.id, { retrievable: true });
  const proveAs = (door: Door, { token }: { token: string }, mfaCode: string) =>
    run(door, 'revealCredential', { id: shown.id, mfaCode }, { token });
  const removeAs = (door: Door, { token }: { token: string }, code = '') =>
    door.ask(
      'mutation ($code: String!) { removeMfa(input: { code: $code }) { account { id } } }',
      { code },
      { token },
    );
  await lost(server, async (door) => {
    expectData(await removeAs(door, bare, apps.get(bare.id)?.recoveryCodes[0]));
    expectData(await removeAs(door, another, code));
    const text = 'mutation { enrolMfa(input: {}) { otpauthUri } }';
    const { otpauthUri } = expectData(await door.ask(text, {}, { token: another.token })).enrolMfa;
    const confirming = 'mutation ($code: String!) { confirmMfa(input: { code: $code }) { recoveryCodes } }';
    const { token } = another;
    expectData(await door.ask(confirming, { code: takeOver(server, otpauthUri).code() }, { token }));
    for (const one of used) expectData(await proveAs(door, same, one));
  });
  for (const one of used) expect((await proveAs(server, same, one)).code).toBe('FORBIDDEN');
  const enrolled = async ({ token }: { token: string }) =>
    expectData(await server.ask('{ viewer { mfaEnrolled } }', {}, { token })).viewer.mfaEnrolled;
  expect([await enrolled(bare), await enrolled(another), await enrolled(same)]).toEqual([false, true, true]);
  await enrolAndConfirm(server, bare.token);
  for (const wrong of [apps.get(another.id)?.code(2), next])
    expect((await removeAs(server, another, wrong)).code).toBe('FORBIDDEN');
  // Nobody enrols another by the token alone: an operator takes it off.
  const enrolling = await server.ask(
    'mutation { enrolMfa(input: {}) { qrCode } }',
    {},
    { token: another.token },
  );
  expect(enrolling.code).toBe('CONFLICT');
  expectData(await removeAs(server, same, apps.get(same.id)?.recoveryCodes[0]));
});

test('R36: what the checkpoints do not tell is named, and accepted only where somebody says so', async () => {
  server = await startTestServer();
  const account = await makeAccount(server);
  const [one, other] = [await makeCredential(server, account), await makeCredential(server, account)];
  await server.pause();
  const putBack = await server.keepState();
  await server.restart();
  await done(server, 'revokeCredential', { id: one.id });
  await done(server, 'revokeCredential', { id: other.id });
  await server.pause();
  await putBack();
  const lines = readFileSync(file(), 'utf8').split('\n');
  const told = (line: string) => /"gone":"REVOKED"/.test(line);
  expect(lines.filter(told)).toHaveLength(2);
  // The first of the two is gone from the file, and so is what it told.
  writeFileSync(file(), lines.filter((line) => line !== lines.find(told)).join('\n'));

  const refused = await accept(server);
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(/the checkpoints do not tell what ended by the events \d+ to \d+/);
  expect(refused.output).toContain('Nothing was changed');
  await server.restart();
  expect(await isReady(server)).toBe(false);
  await server.pause();

  // A line that nobody signed does not stand for it.
  appendFileSync(file(), `${lines.find(told)?.replace('"REVOKED"', '"DELETED"')}\n`);
  const forged = await accept(server);
  expect(forged.code).toBe(1);
  expect(forged.output).toContain('1 checkpoint lines are not signed by these keys');

  // The line itself does, wherever it comes from.
  appendFileSync(file(), `${lines.find(told)}\n`);
  const accepted = await accept(server);
  expect([accepted.code, accepted.output]).toEqual([0, expect.stringContaining('2 credentials')]);
  await server.restart();
  expect(await codeOf(one)).toBe('REVOKED');
  expect(await codeOf(other)).toBe('REVOKED');
  await server.pause();

  // Who knows better says so.
  await putBack();
  const now = readFileSync(file(), 'utf8').split('\n');
  writeFileSync(file(), now.filter((line) => !told(line)).join('\n'));
  expect((await accept(server)).code).toBe(1);
  expect((await accept(server, '--incomplete')).code).toBe(0);
  await server.restart();
  expect(await isReady(server)).toBe(true);
  expect(await codeOf(one)).toBe('VALID');
});

test('S47, R36: a state from before a key was retired is put back with the keys of then, and brought to those of now', async () => {
  server = await startTestServer();
  const account = await makeAccount(server);
  const plain = await makeCredential(server, account, { retrievable: true });
  const revoked = await makeCredential(server, account);
  const keysDir = join(server.dataDir, 'keys');
  const before = join(server.dataDir, 'keys-of-before');
  const keys = async (...args: string[]) => {
    const { code, output } = await runKeyway(['keys', ...args], server.environment);
    expect([code, output]).toEqual([0, expect.any(String)]);
    return output;
  };
  const left = async () =>
    (
      await server.rows<{ id: string }>(
        'SELECT DISTINCT kek_id AS id FROM credential_versions WHERE sealed IS NOT NULL',
      )
    )
      .map(({ id }) => id)
      .join();
  const untilAllAreBy = async (kek: string) => {
    for (let tries = 0; tries < 400 && (await left()) !== kek; tries++) await sleep(100);
    expect(await left()).toBe(kek);
  };
  await server.pause();
  const putBack = await server.keepState();
  cpSync(keysDir, before, { recursive: true });
  await server.restart();
  await done(server, 'revokeCredential', { id: revoked.id });
  await keys('rotate', 'kek');
  await untilAllAreBy('k2');
  await server.pause();
  await keys('retire', 'kek', 'k1');
  await putBack();

  const without = await accept(server);
  expect([without.code, without.output]).toEqual([
    1,
    expect.stringMatching(/keys that are not here: kek k1[^]*keyway keys bring/),
  ]);
  expect(await keys('bring', before)).toContain('and not current: kek k1.');
  expect(await keys('bring', before)).toContain('are in');
  expect(JSON.parse(readFileSync(join(keysDir, 'kek.json'), 'utf8'))).toEqual({
    current: 'k2',
    keys: { k1: expect.any(String), k2: expect.any(String) },
  });
  expect(await accept(server)).toMatchObject({ code: 0, output: expect.stringContaining('1 credentials') });
  await server.restart();
  expect(await isReady(server)).toBe(true);
  expect(await codeOf(revoked)).toBe('REVOKED');
  await untilAllAreBy('k2');
  const shown = expectData(await reveal(server, { id: plain.id })).revealCredential;
  expect(shown.issued.secret).toBe(plain.secret);
  await server.pause();
  await keys('retire', 'kek', 'k1');
  await server.restart();
  expect(await isReady(server)).toBe(true);
});

test('keys of another Keyway are not brought in: an id has one key', async () => {
  server = await startTestServer();
  const other = join(server.dataDir, 'keys-of-another');
  cpSync(join(server.dataDir, 'keys'), other, { recursive: true });
  const bring = () => runKeyway(['keys', 'bring', other], server.environment);
  const was = readFileSync(join(server.dataDir, 'keys', 'kek.json'), 'utf8');
  const key = randomBytes(32).toString('base64');
  writeFileSync(join(other, 'kek.json'), JSON.stringify({ current: 'k1', keys: { k1: key } }));
  const refused = await bring();
  expect([refused.code, refused.output]).toEqual([
    1,
    expect.stringContaining('kek.json: another key goes by the id k1'),
  ]);
  expect(refused.output).not.toContain(key);
  rmSync(join(other, 'kek.json'));
  expect(await bring()).toMatchObject({
    code: 1,
    output: expect.stringMatching(
      /In .*keys-of-another the key files cannot be used:\s+kek.json: is missing/,
    ),
  });
  expect(readFileSync(join(server.dataDir, 'keys', 'kek.json'), 'utf8')).toBe(was);
});

test('R36: a still older state can be put back after one was accepted, and another one after that', async () => {
  server = await startTestServer();
  const account = await makeAccount(server);
  const [first, second] = [await makeCredential(server, account), await makeCredential(server, account)];
  await server.pause();
  const putBack = await server.keepState();
  await server.restart();
  await done(server, 'revokeCredential', { id: first.id });
  for (const round of [1, 2]) {
    await done(server, 'rotateCredential', { id: second.id });
    await server.pause();
    await putBack();
    const { code, output } = await accept(server);
    expect([round, code, output]).toEqual([round, 0, expect.stringContaining('2 credentials')]);
    await server.restart();
    expect(await isReady(server)).toBe(true);
    expect(await codeOf(first)).toBe('REVOKED');
    expect(await codeOf(second)).toBe('NOT_VALID');
  }
  // It has no secret until it is rotated, and says so.
  expect(await readNode(server, second.id, '... on Credential { status }')).toEqual({ status: 'UNKNOWN' });
  const rotated = expectData(
    await server.ask(
      `mutation ($input: RotateCredentialInput!) {
        rotateCredential(input: $input) { credential { id status } issued { accessKey secret } }
      }`,
      { input: { id: second.id } },
    ),
  ).rotateCredential;
  expect(rotated.credential.status).toBe('ACTIVE');
  expect(await codeOf({ ...rotated.issued, id: second.id })).toBe('VALID');

  const { auditEvents } = expectData(
    await server.ask(
      'query ($filter: AuditFilter) { auditEvents(filter: $filter) { nodes { action actor { id } targetId } } }',
      { filter: { action: ['restore:end'] } },
    ),
  );
  expect(auditEvents.nodes).toHaveLength(2);
  await server.pause();
  expect((await runKeyway(['audit', 'verify'], server.environment)).output).toContain('is whole');
  expect(linesOf(file()).length).toBeGreaterThan(0);
  await server.restart();
});

const elsewhere: [string, () => Promise<{ environment: Record<string, string>; end(): Promise<unknown> }>][] =
  [
    [
      'a bucket',
      async () => {
        const store = await startObjectStore();
        const environment = { ...store.environment, KEYWAY_CHECKPOINTS: 's3://keyway/checkpoints' };
        return { environment, end: () => store.stop() };
      },
    ],
  ];
if (process.env['TEST_DATABASE_URL'])
  elsewhere.push([
    'another database',
    async () => {
      const place = await emptyPlace();
      const environment = { KEYWAY_CHECKPOINTS: place.environment['DATABASE_URL'] ?? '' };
      return { environment, end: () => place.drop() };
    },
  ]);

test.each(elsewhere)(
  'S66, R36: checkpoints in %s know what was lost, also with the data folder',
  async (_, make) => {
    const { environment, ...place } = await make();
    const before = { ...process.env };
    Object.assign(process.env, environment);
    try {
      server = await startTestServer(environment);
      const account = await makeAccount(server);
      const [one, other] = [await makeCredential(server, account), await makeCredential(server, account)];
      await server.pause();
      const putBack = await server.keepState();
      await killedAfter(server, async (door) => {
        await done(door, 'revokeCredential', { id: one.id });
      });
      await putBack();
      for (const name of readdirSync(server.dataDir))
        if (name.startsWith('audit-checkpoints')) rmSync(join(server.dataDir, name));
      await server.restart();
      expect(await isReady(server)).toBe(false);
      await server.pause();
      const accepted = await accept(server);
      expect([accepted.code, accepted.output]).toEqual([0, expect.stringContaining('1 credentials')]);
      const verify = await runKeyway(['audit', 'verify'], server.environment);
      expect([verify.code, verify.output]).toEqual([0, expect.stringContaining('is whole')]);
      await server.restart();
      expect(await codeOf(one)).toBe('REVOKED');
      expect(await codeOf(other)).toBe('VALID');
      await server.stop();
    } finally {
      for (const name of Object.keys(environment)) delete process.env[name];
      Object.assign(process.env, before);
      await place.end();
    }
  },
);
