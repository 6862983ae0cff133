import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeRole,
  unique,
} from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { readNode, run } from '../support/verbs.js';

// What becomes of roles where an account is deleted and another takes over.

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

/** A part of an organization, with a part of its own, and what roles of both are on. */
async function handing() {
  const [organization, heir] = [await makeAccount(server), await makeAccount(server)];
  const leaving = await makeAccount(server, { parent: organization });
  const part = await makeAccount(server, { parent: leaving });
  const names = [unique('above'), unique('own')];
  const [above, own] = [
    await makeRole(server, ['CREDENTIAL_READ'], { account: organization, name: names[0] }),
    await makeRole(server, ['CREDENTIAL_READ'], { account: leaving, name: names[1] }),
  ];
  const { id: key } = await makeCredential(server, leaving, { roles: [above, own] });
  const person = await makeAccount(server, { kind: 'PERSON' });
  const [ofAbove, ofOwn] = [
    await grant(server, person, above, { onAccount: part }),
    await grant(server, person, own, { onAccount: part }),
  ];
  return { organization, heir, leaving, part, names, above, own, key, person, ofAbove, ofOwn };
}
const handOver = (id: string, transferTo: string) => run(server, 'deleteAccount', { id, transferTo });
const rolesOn = async (id: string) =>
  (await readNode(server, id, '... on Credential { roles { id } }')).roles.map(
    ({ id }: { id: string }) => id,
  );

test('S38: its own go to the heir; those of an organization that was left are carried and held no more', async () => {
  const { heir, leaving, part, above, own, key, ofAbove, ofOwn, person } = await handing();
  const reader = await makeCaller(server, ['AUDIT_READ'], { onAccount: heir });
  expectData(await handOver(leaving, heir));
  expect(await readNode(server, own, '... on Role { account { id } }')).toEqual({ account: { id: heir } });
  expect(await rolesOn(key)).toEqual([own]);
  expect(await readNode(server, ofAbove, 'id')).toBeNull();
  expect(await readNode(server, ofOwn, 'id')).toEqual({ id: ofOwn });
  const { nodes } = expectData(
    await server.ask(
      '{ auditEvents(first: 100) { nodes { action targetId recipientId changed } } }',
      {},
      { token: reader.token },
    ),
  ).auditEvents;
  const withdrawn = { action: 'role:withdraw', targetId: ofAbove, recipientId: person, changed: [] };
  expect(nodes).toContainEqual(withdrawn);
  expect(nodes).toContainEqual(
    expect.objectContaining({ action: 'credential:update', targetId: key, changed: ['roles'] }),
  );
  // What manages roles above has no more to say there.
  expect((await run(server, 'grantRole', { account: person, role: above, onAccount: part })).code).toBe(
    'BAD_USER_INPUT',
  );
});

test('within an organization all stays as it is', async () => {
  const { organization, leaving, above, own, key, ofAbove } = await handing();
  expectData(await handOver(leaving, await makeAccount(server, { parent: organization })));
  expect(new Set(await rolesOn(key))).toEqual(new Set([above, own]));
  expect(await readNode(server, ofAbove, 'id')).toEqual({ id: ofAbove });
});

test.each(['heir', 'part of the heir', 'organization of the heir'])(
  'a name that the %s has already keeps it from being handed over: CONFLICT, and nothing is changed',
  async (where) => {
    const { leaving, names, own, key, above } = await handing();
    const organization = await makeAccount(server);
    const heir = await makeAccount(server, { parent: organization });
    const part = await makeAccount(server, { parent: heir });
    const account = { heir, 'part of the heir': part, 'organization of the heir': organization }[where];
    await makeRole(server, [], { account, name: names[1] });
    expect((await handOver(leaving, heir)).code).toBe('CONFLICT');
    expect(await readNode(server, own, '... on Role { account { id } }')).toEqual({
      account: { id: leaving },
    });
    expect(new Set(await rolesOn(key))).toEqual(new Set([above, own]));
  },
);

test('without an heir they are of no use, and their names are free', async () => {
  const organization = await makeAccount(server);
  const part = await makeAccount(server, { parent: organization });
  const name = unique('own');
  await makeRole(server, [], { account: part, name });
  expectData(await run(server, 'deleteAccount', { id: part }));
  await makeRole(server, [], { account: organization, name });
});

test('without an heir they go with the account, but those that let read its audit log', async () => {
  const account = await makeAccount(server);
  const [unheld, withdrawn, kept] = [
    await makeRole(server, ['CREDENTIAL_READ'], { account }),
    await makeRole(server, ['CREDENTIAL_READ'], { account }),
    await makeRole(server, ['AUDIT_READ'], { account }),
  ];
  await makeCredential(server, account, { roles: [unheld] });
  const person = await makeAccount(server, { kind: 'PERSON' });
  await grant(server, person, withdrawn, { onAccount: account });
  await grant(server, person, kept, { onAccount: account });
  expectData(await run(server, 'deleteAccount', { id: account, revokeCredentials: true }));
  const left = await Promise.all([unheld, withdrawn, kept].map((id) => readNode(server, id, 'id')));
  expect(left).toEqual([null, null, { id: kept }]);
  const { nodes } = expectData(
    await server.ask('{ auditEvents(first: 100) { nodes { action targetId } } }'),
  ).auditEvents;
  for (const targetId of [unheld, withdrawn])
    expect(nodes).toContainEqual({ action: 'role:delete', targetId });
});
