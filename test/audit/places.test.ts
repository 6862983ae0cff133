import { apinizer, seqera, veracode, type Vendor } from '../credentials/outside/vendors.js';
import { rowOf } from '../credentials/due/due.js';
import { makeStore } from '../stores/stores.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';

// Of what account and project each row of the audit log tells, who did it with what, and what becomes of the revision.
// The caller is of another account than what it does something to, and so is the owner.

type Input = Record<string, unknown>;

let server: TestServer;
let caller: { id: string; token: string; credential: string };
let account: string;
let owner: string;
let project: string;
let elsewhere: string;
let role: string;
let admin: string;
const vendors: Vendor[] = [];

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  caller = await makeCaller(server, [
    ...['READ', 'CREATE', 'UPDATE', 'ROTATE', 'REVOKE', 'REVEAL'].map((verb) => `CREDENTIAL_${verb}`),
    ...['ACCOUNT', 'PROJECT', 'ROLE'].flatMap((noun) => [`${noun}_READ`, `${noun}_MANAGE`]),
    'STORE_MANAGE',
    'ROLE_GIVE',
  ]);
  account = await makeAccount(server);
  owner = await makeAccount(server);
  project = await makeProject(server, account);
  elsewhere = await makeProject(server, account);
  role = await makeRole(server, ['CREDENTIAL_READ']);
  admin = expectData(await server.ask('{ viewer { id } }')).viewer.id;
});
afterAll(async () => {
  await server.stop();
  for (const { standIn } of vendors) await standIn.stop();
});

interface Told {
  action: string;
  account: string;
  project: string | null;
  actor: string;
  actorCredential: string;
  target: string | null;
}

/** What is told of one request. */
const toldOf = (requestId: string | null) =>
  server.rows<Told>(
    `SELECT action, account_id AS account, project_id AS project, actor_id AS actor,
       actor_credential_id AS "actorCredential", target_id AS target
     FROM audit_events WHERE request_id = :requestId`,
    { requestId },
  );

const revisionOf = async (id: string) =>
  (
    await server.rows<{ revision: number }>('SELECT revision FROM credentials WHERE id = :id', {
      id: rowOf(id),
    })
  )[0]?.revision;

const here = (input: Input = {}) =>
  makeCredential(server, account, { owner, project, retrievable: true, ...input });

async function thereAt(open: () => Promise<Vendor>) {
  const vendor = await open();
  vendors.push(vendor);
  const store = await makeStore(server, account, vendor.connection);
  const spot = vendor.spot();
  return { create: { ...spot.create, store, owner, project }, rotate: spot.rotate };
}

interface Deed {
  mutation: string;
  action: string;
  /** What is on record before that, where it is. */
  first?: string;
  input: () => Promise<Input>;
  /** The projects that it tells of, each in a row; the credential's alone where left out. */
  of?: () => (string | null)[];
  /** By how much the revision grows. */
  by: number;
}

const inStore =
  (open: () => Promise<Vendor>, mutation: string, more: Input = {}) =>
  async () => {
    const { create, rotate } = await thereAt(open);
    if (mutation === 'createCredential') return { account, ...create };
    const { id } = await makeCredential(server, account, create);
    return { id, ...(mutation === 'rotateCredential' ? rotate : {}), ...more };
  };

const ofCredentials: [string, Deed][] = [
  [
    'a credential is made',
    {
      mutation: 'createCredential',
      action: 'credential:create',
      input: async () => ({ account, owner, project, name: 'made', secret: { accessKey: {} } }),
      by: 1,
    },
  ],
  [
    'one without a project is made',
    {
      mutation: 'createCredential',
      action: 'credential:create',
      input: async () => ({ account, owner, name: 'made', secret: { accessKey: {} } }),
      of: () => [null],
      by: 1,
    },
  ],
  ...(
    [
      ['changed', 'updateCredential', 'credential:update', { description: 'Another' }, 1],
      ['rotated', 'rotateCredential', 'credential:rotate', {}, 1],
      ['rotated with grace', 'rotateCredential', 'credential:rotate', { gracePeriod: 'PT1H' }, 1],
      ['revealed', 'revealCredential', 'credential:reveal', {}, 0],
      ['revoked', 'revokeCredential', 'credential:revoke', {}, 1],
    ] as const
  ).map(([name, mutation, action, more, by]): [string, Deed] => [
    `one is ${name}`,
    { mutation, action, input: async () => ({ id: (await here()).id, ...more }), by },
  ]),
  [
    'one is changed that has no project',
    {
      mutation: 'updateCredential',
      action: 'credential:update',
      input: async () => ({ id: (await here({ project: null })).id, description: 'Another' }),
      of: () => [null],
      by: 1,
    },
  ],
  [
    'one is moved to another project',
    {
      mutation: 'updateCredential',
      action: 'credential:update',
      input: async () => ({ id: (await here()).id, project: elsewhere }),
      of: () => [project, elsewhere],
      by: 1,
    },
  ],
  [
    'one is moved to no project',
    {
      mutation: 'updateCredential',
      action: 'credential:update',
      input: async () => ({ id: (await here()).id, project: null }),
      of: () => [project, null],
      by: 1,
    },
  ],
  [
    'one is deleted',
    {
      mutation: 'deleteCredential',
      action: 'credential:delete',
      input: async () => ({ id: (await here()).id }),
      by: 2,
    },
  ],
  ...(
    [
      ['made in Seqera', seqera, 'createCredential', 'credential:create', {}],
      ['rotated in Seqera', seqera, 'rotateCredential', 'credential:rotate', {}],
      ['rotated in Veracode', veracode, 'rotateCredential', 'credential:rotate', {}],
      ['changed in Apinizer', apinizer, 'updateCredential', 'credential:update', { fullName: 'Another' }],
      ['revealed from Seqera', seqera, 'revealCredential', 'credential:reveal', {}],
      ['revoked in Seqera', seqera, 'revokeCredential', 'credential:revoke', {}],
      ['deleted in Veracode', veracode, 'deleteCredential', 'credential:delete', {}],
    ] as const
  ).map(([name, open, mutation, action, more]): [string, Deed] => [
    `one is ${name}`,
    {
      mutation,
      action,
      input: inStore(open, mutation, more),
      by: mutation === 'revealCredential' ? 0 : 1,
      ...(/^(revoke|delete)/.test(mutation) && { first: 'credential:revoking' }),
    },
  ]),
];

test.each(ofCredentials)('S60: that %s tells of its account and project, and who did it', async (_, deed) => {
  const input = await deed.input();
  const before = typeof input['id'] === 'string' ? await revisionOf(input['id']) : 0;
  const { mutation } = deed;
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
  const answer = await server.ask(
    `mutation ($input: ${type}) { done: ${mutation}(input: $input) { credential { id } } }`,
    { input },
    { token: caller.token },
  );
  const { done } = expectData(answer);
  const id = String(input['id'] ?? done.credential.id);
  const of = deed.of ? deed.of() : [project];
  const told = await toldOf(answer.headers.get('x-request-id'));
  const actions = [...(deed.first ? [deed.first] : []), deed.action];
  expect(told).toHaveLength(of.length * actions.length);
  expect(told).toEqual(
    expect.arrayContaining(
      of.flatMap((one) =>
        actions.map((action) => ({
          action,
          account: rowOf(account),
          project: one === null ? null : rowOf(one),
          actor: rowOf(caller.id),
          actorCredential: rowOf(caller.credential),
          target: rowOf(id),
        })),
      ),
    ),
  );
  const after = (await revisionOf(id)) ?? 0;
  if (deed.by === 0) expect(after).toBe(before);
  else expect(after).toBeGreaterThan(before ?? 0);
});

test.each<[string, string, string, () => Promise<Input>, () => [string[], string | null]]>([
  [
    'a project is made',
    'createProject',
    'project:create',
    async () => ({ account, name: unique('project') }),
    () => [[account], 'its own'],
  ],
  [
    'one is changed',
    'updateProject',
    'project:update',
    async () => ({ id: project, title: unique('title') }),
    () => [[account], project],
  ],
  [
    'a role is granted on a project',
    'grantRole',
    'role:grant',
    async () => ({ account: owner, role, onProject: project }),
    () => [[account, owner], project],
  ],
  [
    'a role is granted on an account',
    'grantRole',
    'role:grant',
    async () => ({ account: owner, role, onAccount: account }),
    () => [[account, owner], null],
  ],
  [
    'a role is granted everywhere',
    'grantRole',
    'role:grant',
    async () => ({ account: owner, role: await makeRole(server, []) }),
    () => [[admin, owner], null],
  ],
  [
    'one is withdrawn',
    'withdrawRole',
    'role:withdraw',
    async () => ({ grant: await grant(server, owner, await makeRole(server, []), { onProject: project }) }),
    () => [[account, owner], project],
  ],
  [
    'an account is changed',
    'updateAccount',
    'account:update',
    async () => ({ id: account, title: unique('title') }),
    () => [[account], null],
  ],
])('S60: that %s tells of the account and project that it is about', async (_, name, action, input, of) => {
  const answer = await run(server, name, await input(), { token: caller.token });
  expectData(answer);
  const rows = await toldOf(answer.headers.get('x-request-id'));
  const [about, on] = of();
  const told = about.map((one) =>
    expect.objectContaining({
      action,
      account: rowOf(one),
      project: on === 'its own' ? rows[0]?.target : on === null ? null : rowOf(on),
      actor: rowOf(caller.id),
      actorCredential: rowOf(caller.credential),
    }),
  );
  expect(rows).toHaveLength(told.length);
  expect(rows).toEqual(expect.arrayContaining(told));
});

test.each([
  ['checked', 'checkStore', 'store:check', {}],
  ['renamed', 'updateStore', 'store:update', { name: 'renamed' }],
  ['taken stock of', 'syncStore', 'store:sync', {}],
  ['deleted', 'deleteStore', 'store:delete', {}],
])('S60: that a store is %s tells of its account', async (_, mutation, action, more) => {
  const vendor = await seqera();
  vendors.push(vendor);
  const id = await makeStore(server, account, vendor.connection);
  const input = { id, ...('name' in more ? { name: unique('renamed') } : {}) };
  const answer = await run(server, mutation, input, { token: caller.token });
  expectData(answer);
  expect(await toldOf(answer.headers.get('x-request-id'))).toEqual([
    {
      action,
      account: rowOf(account),
      project: null,
      actor: rowOf(caller.id),
      actorCredential: rowOf(caller.credential),
      target: rowOf(id),
    },
  ]);
});
