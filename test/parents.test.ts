import { makeStore, seqeraAt } from './stores/stores.js';
import { makeSigner, startIssuer, trusting, type TestIssuer } from './support/issuer.js';
import { expectData, makeAccount, makeCredential, makeProject, makeRole, unique } from './support/make.js';
import { startTestServer, type Answer, type TestServer } from './support/server.js';
import { run } from './support/verbs.js';
import { inTurn } from './support/waiting.js';
import { startSeqera, type Seqera } from './upstreams/seqera.js';

type Input = Record<string, unknown>;

let server: TestServer;
let issuer: TestIssuer;
let seqera: Seqera;
let other: string;
beforeAll(async () => {
  seqera = await startSeqera();
  issuer = await startIssuer(await makeSigner());
  server = await startTestServer(trusting(issuer.settings()));
  other = await makeAccount(server);
});
afterAll(async () => {
  await server.stop();
  await issuer.stop();
  await seqera.stop();
});

const name = () => unique('made');
const credential = async (account = other, input: Input = {}) =>
  (await makeCredential(server, account, input)).id;
const github = () => ({ providerKeys: { github: { username: 'bot', password: unique('password') } } });

/** What names a parent, and may be made while that is deleted. */
type Child = [mutation: string, input: (parent: string) => Input | Promise<Input>];
const children: Record<string, { parent: () => Promise<string>; named: Record<string, Child> }> = {
  deleteAccount: {
    parent: () => makeAccount(server),
    named: {
      'a project of it': ['createProject', (account) => ({ account, name: name() })],
      'a part of it': [
        'createAccount',
        (parent) => ({ parent, kind: 'PERSON', name: name(), title: 'Made' }),
      ],
      'a role that it holds': [
        'grantRole',
        async (account) => ({ account, role: await makeRole(server, []) }),
      ],
      'a role that is held on it': [
        'grantRole',
        async (onAccount) => ({ account: other, onAccount, role: await makeRole(server, []) }),
      ],
      'a credential of it': [
        'createCredential',
        (account) => ({ account, name: name(), secret: { accessKey: {} } }),
      ],
      'a credential that it owns': [
        'createCredential',
        (owner) => ({ account: other, owner, name: name(), secret: { accessKey: {} } }),
      ],
      'a credential that is handed to it': [
        'updateCredential',
        async (owner) => ({ id: await credential(), owner }),
      ],
      'a role of it': ['createRole', (account) => ({ account, name: name(), permissions: [] })],
      'an identity of it': [
        'updateAccount',
        (id) => ({ id, identities: [{ issuer: issuer.name, subject: name() }] }),
      ],
      'a scope that it is granted': [
        'grantScope',
        async (account) => ({ account, store: await makeStore(server, other, seqeraAt(seqera)) }),
      ],
      'what another leaves to it': [
        'deleteAccount',
        async (transferTo) => {
          const id = await makeAccount(server);
          await makeProject(server, id);
          await makeCredential(server, id);
          return { id, transferTo };
        },
      ],
      'a store of it': [
        'createStore',
        (account) => ({ account, name: name(), connection: seqeraAt(seqera) }),
      ],
    },
  },
  deleteProject: {
    parent: () => makeProject(server, other),
    named: {
      'a role that is held on it': [
        'grantRole',
        async (onProject) => ({ account: other, onProject, role: await makeRole(server, []) }),
      ],
      'a credential in it': [
        'createCredential',
        (project) => ({ account: other, project, name: name(), secret: { accessKey: {} } }),
      ],
      'a credential that moves to it': [
        'updateCredential',
        async (project) => ({ id: await credential(), project }),
      ],
    },
  },
  deleteRole: {
    parent: () => makeRole(server, []),
    named: {
      'a grant of it': ['grantRole', (role) => ({ account: other, role })],
      'a credential with it': [
        'createCredential',
        (role) => ({ account: other, roles: [role], name: name(), secret: { accessKey: {} } }),
      ],
      'a credential that gets it': [
        'updateCredential',
        async (role) => ({ id: await credential(), roles: [role] }),
      ],
    },
  },
  deleteStore: {
    parent: () => makeStore(server, other, seqeraAt(seqera)),
    named: {
      'a credential in it': [
        'createCredential',
        (store) => ({ account: other, store, name: name(), secret: github() }),
      ],
      'a sync of it': ['syncStore', (id) => ({ id })],
      'a role of it': ['createRole', (store) => ({ store, name: name(), permissions: [] })],
      'a grant of a role of it': [
        'grantRole',
        async (store) => ({ account: other, role: await makeRole(server, [], { store }) }),
      ],
      'a change of what it is reached by': ['updateStore', (id) => ({ id, connection: seqeraAt(seqera) })],
      'a scope of it that is granted': [
        'grantScope',
        async (store) => ({ store, account: await makeAccount(server) }),
      ],
    },
  },
  deleteCredential: {
    parent: () => credential(),
    named: { 'what is derived from it': ['issueTemporaryCredential', (parent) => ({ parent })] },
  },
};

/** Rows that live on under something that is deleted. */
const orphans = (): Promise<object[]> =>
  server.rows(`
    SELECT 'account' AS what, a.id FROM accounts a JOIN accounts p ON p.id = a.parent_id
      WHERE p.deleted_at IS NOT NULL AND a.deleted_at IS NULL
    UNION ALL SELECT 'project', p.id FROM projects p JOIN accounts a ON a.id = p.account_id
      WHERE a.deleted_at IS NOT NULL AND p.deleted_at IS NULL
    UNION ALL SELECT 'store', s.id FROM stores s JOIN accounts a ON a.id = s.account_id
      WHERE a.deleted_at IS NOT NULL AND s.deleted_at IS NULL
    UNION ALL SELECT 'grant', g.id FROM grants g JOIN accounts a ON a.id IN (g.account_id, g.on_account_id)
      WHERE a.deleted_at IS NOT NULL
    UNION ALL SELECT 'grant', g.id FROM grants g JOIN projects p ON p.id = g.on_project_id
      WHERE p.deleted_at IS NOT NULL
    UNION ALL SELECT 'credential', c.id FROM credentials c JOIN accounts a ON a.id IN (c.account_id, c.owner_id)
      WHERE a.deleted_at IS NOT NULL AND c.deleted_at IS NULL
    UNION ALL SELECT 'credential', c.id FROM credentials c JOIN projects p ON p.id = c.project_id
      WHERE p.deleted_at IS NOT NULL AND c.deleted_at IS NULL
    UNION ALL SELECT 'credential', c.id FROM credentials c JOIN stores s ON s.id = c.store_id
      WHERE s.deleted_at IS NOT NULL AND c.deleted_at IS NULL
    UNION ALL SELECT 'credential', c.id FROM credentials c JOIN credentials p ON p.id = c.parent_id
      WHERE p.deleted_at IS NOT NULL AND c.deleted_at IS NULL
    UNION ALL SELECT 'role', r.id FROM roles r JOIN accounts a ON a.id = r.account_id WHERE a.deleted_at IS NOT NULL
    UNION ALL SELECT 'role', r.id FROM roles r JOIN stores s ON s.id = r.store_id WHERE s.deleted_at IS NOT NULL
    UNION ALL SELECT 'identity', a.id FROM identities i JOIN accounts a ON a.id = i.account_id
      WHERE a.deleted_at IS NOT NULL
    UNION ALL SELECT 'scope', s.id FROM scope_grants g JOIN stores s ON s.id = g.store_id
      JOIN accounts a ON a.id = g.account_id WHERE coalesce(a.deleted_at, s.deleted_at) IS NOT NULL
    UNION ALL SELECT 'sync', y.id FROM syncs y JOIN stores s ON s.id = y.store_id
      WHERE s.deleted_at IS NOT NULL AND y.finished_at IS NULL`);

const rows = Object.entries(children).flatMap(([deletion, { parent, named }]) =>
  Object.entries(named).map(([what, child]) => ({ deletion, parent, what, child })),
);
const remove = (deletion: string, id: string) => run(server, deletion, { id });
const codeOf = ({ code }: Answer) => code ?? 'done';

test.each(rows)('$what is not made after $deletion', async ({ deletion, parent, child }) => {
  const id = await parent();
  const [mutation, input] = child;
  const given = await input(id);
  expectData(await remove(deletion, id));
  expect(['NOT_FOUND', 'CONFLICT']).toContain(codeOf(await run(server, mutation, given)));
  expect(await orphans()).toEqual([]);
});

// The embedded database has one connection: no two transactions meet on it.
if (process.env['TEST_DATABASE_URL'])
  describe('at the same moment', () => {
    test.each(rows)(
      'R5: $what does not come to be while $deletion has it',
      async ({ deletion, parent, child }) => {
        const id = await parent();
        const [mutation, input] = child;
        const given = await input(id);
        const [deleted, made] = await inTurn(
          server,
          () => remove(deletion, id),
          () => run(server, mutation, given),
        );
        expect(codeOf(deleted)).toBe('done');
        expect(['NOT_FOUND', 'CONFLICT']).toContain(codeOf(made));
        expect(await orphans()).toEqual([]);
      },
    );

    test.each(rows)('R5: $deletion waits for $what, and sees it', async ({ deletion, parent, child }) => {
      const id = await parent();
      const [mutation, input] = child;
      const given = await input(id);
      const [made, deleted] = await inTurn(
        server,
        () => run(server, mutation, given),
        () => remove(deletion, id),
      );
      expect(codeOf(made)).toBe('done');
      expect(['done', 'CONFLICT']).toContain(codeOf(deleted));
      expect(await orphans()).toEqual([]);
    });
  });
