/** @embedded what vendors answer */
// What a store has made is of use as it is answered: where it is presented, and as the vendor's own tools call its parts.
import { spawnSync } from 'node:child_process';
import { expectData, unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { startApinizer } from '../upstreams/apinizer.js';
import { startLandscape } from '../upstreams/landscape.js';
import { makeStore } from '../stores/stores.js';
import { makeAccount } from '../support/make.js';
import { outside, type Case } from './conformance.js';
import { connect, type World } from './world.js';

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

const issued = `issued { accessKey secret endpoint keys { name value }
  theirs: exports(names: VENDOR, format: JSON) bare: exports(names: VENDOR, format: JSON, withoutRegion: true)
  ours: exports(format: JSON) dotenv: exports(names: VENDOR, format: DOTENV) }`;

const run = (mutation: string, input: Record<string, unknown>) => {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  return server.ask(
    `mutation ($input: ${type}!) { ${mutation}(input: $input) { credential { id createdAt } ${issued} } }`,
    { input },
  );
};

const named = (name: string): Case => {
  const found = outside.find((store) => store.name === name);
  if (!found) throw new Error('there is no such store');
  return found;
};

async function withWorld<Result>(name: string, work: (world: World) => Promise<Result>): Promise<Result> {
  const world = await connect(server, named(name));
  try {
    return await work(world);
  } finally {
    await world.standIn.stop();
  }
}

const made = async (world: World) =>
  expectData(
    await run('createCredential', {
      ...{ store: world.store, account: world.account, name: unique('made') },
      ...world.wish(),
    }),
  ).createCredential;

test('Landscape: the address of the older API, and the variables of its client', () =>
  withWorld('Landscape', async (world) => {
    const { credential, issued: first } = await made(world);
    const { issued: next } = expectData(
      await run('rotateCredential', { id: credential.id }),
    ).rotateCredential;
    const { issued: again } = expectData(
      await run('revealCredential', { id: credential.id }),
    ).revealCredential;
    for (const one of [first, next, again]) {
      expect(one.endpoint).toBe(`${world.standIn.url}/api/`);
      expect(JSON.parse(one.theirs)).toEqual({
        LANDSCAPE_API_URI: `${world.standIn.url}/api/`,
        LANDSCAPE_API_KEY: one.accessKey,
        LANDSCAPE_API_SECRET: one.secret,
      });
      expect(JSON.parse(one.ours)).toEqual({ KEYWAY_ACCESS_KEY: one.accessKey, KEYWAY_SECRET: one.secret });
    }
  }));

test.each(['', '/', '/api', '/api/', '/api/v2', '/api/v2/'])(
  'Landscape, connected at %j, is presented at its /api/',
  async (path) => {
    const at = await startLandscape({ accounts: [{ name: 'first' }] });
    try {
      const { email, password } = at.person;
      const account = await makeAccount(server);
      const store = await makeStore(server, account, {
        landscape: { endpoint: `${at.url}${path}`, email, password },
      });
      await server.ask('mutation ($id: ID!) { syncStore(input: { id: $id }) { store { id } } }', {
        id: store,
      });
      const list = await server.ask(
        'query ($id: ID!) { credentials(filter: { store: [$id], kind: [ACCESS_KEY] }) { nodes { id } } }',
        { id: store },
      );
      const [{ id }] = expectData(list).credentials.nodes;
      const { issued: shown } = expectData(await run('revealCredential', { id })).revealCredential;
      expect(shown.endpoint).toBe(`${at.url}/api/`);
    } finally {
      await at.stop();
    }
  },
);

test('Veracode: the variables of its tools, without the region where that is asked for', () =>
  withWorld('Veracode', async (world) => {
    const { issued: one } = await made(world);
    expect(one.accessKey).toMatch(/^vera01/);
    expect(JSON.parse(one.theirs)).toEqual({
      VERACODE_API_KEY_ID: one.accessKey,
      VERACODE_API_KEY_SECRET: one.secret,
    });
    const bare = JSON.parse(one.bare) as Record<string, string>;
    expect(bare['VERACODE_API_KEY_ID']).toBe(one.accessKey.slice(9));
    expect(bare['VERACODE_API_KEY_SECRET']).toBe(one.secret.slice(9));
    expect(one.endpoint).toBe(`${world.standIn.url}/`);
  }));

test.each(['NAVER Cloud, Sub Account 1', 'NAVER Cloud, Sub Account 2'])(
  '%s: a temporary key has the same address when it is issued and when it is revealed',
  (name) =>
    withWorld(name, async (world) => {
      const { credential, issued: one } = await made(world);
      expect(JSON.parse(one.theirs)).toEqual({
        NCLOUD_ACCESS_KEY: one.accessKey,
        NCLOUD_SECRET_KEY: one.secret,
      });
      const input = { parent: credential.id, idempotencyKey: unique('key') };
      const answers = [
        await run('issueTemporaryCredential', input),
        await run('issueTemporaryCredential', input),
      ].map((answer) => expectData(answer).issueTemporaryCredential);
      const [temporary, replayed] = answers;
      expect(replayed).toEqual(temporary);
      const { id } = temporary.credential;
      const shown = expectData(await run('revealCredential', { id })).revealCredential.issued;
      expect([one.endpoint, temporary.issued.endpoint, shown.endpoint]).toEqual(
        Array(3).fill(`${world.standIn.url}/`),
      );
      expect(shown.secret).toBe(temporary.issued.secret);
    }),
);

test.each([undefined, 'https://gateway.example.com/api'])(
  'Apinizer: what is issued is presented at the gateway, %s, and not at the manager',
  async (gatewayEndpoint) => {
    const at = await startApinizer({});
    try {
      const account = await makeAccount(server);
      const apinizer = { endpoint: at.url, token: at.token, ...(gatewayEndpoint && { gatewayEndpoint }) };
      const store = await makeStore(server, account, { apinizer });
      const input = {
        ...{
          store,
          account,
          name: unique('made'),
          scope: 'Orders',
          fullName: 'Bot',
          email: 'bot@example.com',
        },
        secret: { password: { username: unique('bot') } },
      };
      const { credential, issued: one } = expectData(await run('createCredential', input)).createCredential;
      const { id } = credential;
      const { issued: shown } = expectData(await run('revealCredential', { id })).revealCredential;
      expect([one.endpoint, shown.endpoint]).toEqual(Array(2).fill(gatewayEndpoint ?? null));
      // Its tools have no names for them.
      expect(one.theirs).toBe(one.ours);
    } finally {
      await at.stop();
    }
  },
);

test('keys of a provider have the names that its tools know, at Seqera and in Keyway itself', async () => {
  const aws = { accessKey: 'AKIAEXAMPLE', secretKey: "it's a\tsecret" };
  const account = await makeAccount(server);
  const wanted = {
    AWS_ACCESS_KEY_ID: aws.accessKey,
    AWS_SECRET_ACCESS_KEY: aws.secretKey,
  };
  const input = { account, name: unique('made'), secret: { providerKeys: { aws } } };
  const here = expectData(await run('createCredential', input)).createCredential;
  expect(JSON.parse(here.issued.theirs)).toEqual(wanted);
  const { id } = here.credential;
  expect(
    JSON.parse(expectData(await run('revealCredential', { id })).revealCredential.issued.theirs),
  ).toEqual(wanted);
  await withWorld('Seqera Platform', async ({ store, account: of }) => {
    const there = expectData(
      await run('createCredential', { ...input, store, account: of }),
    ).createCredential;
    expect(JSON.parse(there.issued.theirs)).toEqual(wanted);
  });
});

test('S49: a tab in a secret is in no command as it is, and arrives all the same', async () => {
  const account = await makeAccount(server);
  const password = 'with\ta tab and more';
  const input = {
    account,
    name: unique('made'),
    secret: { password: { username: unique('user'), password } },
  };
  const text = `mutation ($input: CreateCredentialInput!) { createCredential(input: $input) {
    issued { posix: exports fish: exports(format: FISH) old: exports(shell: POWERSHELL) } } }`;
  const { posix, fish, old } = expectData(await server.ask(text, { input })).createCredential.issued;
  for (const one of [posix, fish, old]) expect(one).not.toContain('\t');
  const { stdout } = spawnSync('sh', ['-c', `${posix}\nprintf %s "$KEYWAY_SECRET"`], { encoding: 'utf8' });
  expect(stdout).toBe(password);
});

test.each([
  ['a password with both quotes', 'DOTENV', `it's "both" quotes`],
  ['a password of two lines', 'DOCKER_ENV', 'two\nlines of it'],
  ['a password with a return', 'POSIX', 'a return\rin it all'],
])('S49: %s is refused for %s before it is made, and shown by JSON', async (_, format, password) => {
  const account = await makeAccount(server);
  const secret = { password: { username: unique('user'), password } };
  const input = { account, name: unique('made'), retrievable: true, secret };
  const text = `mutation ($input: CreateCredentialInput!, $format: ExportFormat) { createCredential(input: $input) {
    credential { id } issued { secret exports(format: $format) } } }`;
  const refused = await server.ask(text, { input, format });
  expect(refused.errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  expect(refused.text).not.toContain('both');
  const { credential, issued: shown } = expectData(
    await server.ask(text, { input, format: 'JSON' }),
  ).createCredential;
  expect(JSON.parse(shown.exports)['KEYWAY_SECRET']).toBe(password);
  // An error of the text takes no secret with it.
  const { data, errors } = await server.ask(
    'mutation ($id: ID!, $format: ExportFormat) { revealCredential(input: { id: $id }) { issued { secret exports(format: $format) } } }',
    { id: credential.id, format },
  );
  expect(data.revealCredential.issued).toEqual({ secret: password, exports: null });
  expect(errors).toHaveLength(1);
});

test('a shell beside a format is refused before anything is made', async () => {
  const account = await makeAccount(server);
  const input = { account, name: unique('made'), secret: { accessKey: {} } };
  const { code } = await server.ask(
    `mutation ($input: CreateCredentialInput!) { createCredential(input: $input) {
      issued { exports(shell: FISH, format: JSON) } } }`,
    { input },
  );
  expect(code).toBe('BAD_USER_INPUT');
});
