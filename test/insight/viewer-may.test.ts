// Answers are read as they come: each query knows what it asked for.
/* eslint-disable @typescript-eslint/no-explicit-any */
import { expectData, makeAccount, makeCaller, makeCredential, makeProject } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';

// What may be offered to the viewer, against what was granted to it.

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

const asked = `query ($account: String!, $credential: ID!) {
  viewerMay
  account(name: $account) { viewerMay }
  credential(id: $credential) { viewerMay project { viewerMay } store { viewerMay creates } }
}`;

/** What the caller is told, each in the order of its letters. */
async function toldTo(token: string, account: { id: string; name: string }, credential: string) {
  const answer = await server.ask(asked, { account: account.name, credential }, { token });
  const data: any = expectData(answer);
  const sorted = (permissions: string[] | undefined) => permissions && [...permissions].sort();
  return {
    somewhere: sorted(data.viewerMay),
    account: sorted(data.account?.viewerMay),
    credential: sorted(data.credential?.viewerMay),
    project: sorted(data.credential?.project?.viewerMay),
    store: sorted(data.credential?.store.viewerMay),
  };
}

const nameOf = async (id: string): Promise<{ id: string; name: string }> => {
  const data = expectData(
    await server.ask('query ($id: ID!) { node(id: $id) { ... on Account { id name } } }', { id }),
  );
  return data.node;
};

test('what is held on an account is held for what is in it, and nothing of it elsewhere', async () => {
  const account = await makeAccount(server);
  const project = await makeProject(server, account);
  const { id } = await makeCredential(server, account, { project });
  const held = ['ACCOUNT_READ', 'CREDENTIAL_READ', 'CREDENTIAL_ROTATE', 'PROJECT_READ'];
  const { token } = await makeCaller(server, held, { onAccount: account });
  expect(await toldTo(token, await nameOf(account), id)).toEqual({
    somewhere: held,
    account: held,
    credential: held,
    project: held,
    store: [],
  });
});

test('what is held on a project is held for its credentials, not for their account', async () => {
  const account = await makeAccount(server);
  const project = await makeProject(server, account);
  const { id } = await makeCredential(server, account, { project });
  const { token } = await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_UPDATE'], {
    onProject: project,
  });
  const told = await toldTo(token, await nameOf(account), id);
  expect(told.credential).toEqual(['CREDENTIAL_READ', 'CREDENTIAL_UPDATE']);
  expect(told.account ?? []).toEqual([]);
});

test('an owner may read, rotate and revoke what is its own, as far as its token reaches', async () => {
  const account = await makeAccount(server);
  const owner = await makeCaller(server);
  const { id } = await makeCredential(server, account, { owner: owner.id });
  const told = await toldTo(owner.token, await nameOf(account), id);
  expect([told.somewhere, told.credential]).toEqual([
    [],
    ['CREDENTIAL_READ', 'CREDENTIAL_REVOKE', 'CREDENTIAL_ROTATE'],
  ]);
  const { secret: narrow } = await makeCredential(server, owner.id, {
    secret: { token: { permissions: ['CREDENTIAL_READ', 'STORE_MANAGE'] } },
  });
  expect((await toldTo(String(narrow), await nameOf(account), id)).credential).toEqual(['CREDENTIAL_READ']);
});

test('a store tells which kinds can be created in it', async () => {
  const data = expectData(await server.ask('{ stores { kind creates } }'));
  const byKind = Object.fromEntries(data.stores.map(({ kind, creates }: any) => [kind, creates]));
  expect(byKind['BUILT_IN']).toEqual(['ACCESS_KEY', 'TOKEN', 'PASSWORD', 'PROVIDER_KEYS']);
});
