import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
} from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { run } from '../support/verbs.js';

// Who gives power over a place to an account that is no part of it, and who can see that there.

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

interface Told {
  action: string;
  recipientId: string | null;
  recipient: { id: string } | null;
  targetId: string;
  changed: string[];
}

/** The events of roles that a caller reads, newest first. */
const eventsFor = async (token: string): Promise<Told[]> =>
  expectData(
    await server.ask(
      `query { auditEvents(filter: { action: ["role:grant", "role:withdraw", "role:update"], outcome: [DONE] }) {
        nodes { action recipientId recipient { id } targetId changed } } }`,
      {},
      { token },
    ),
  ).auditEvents.nodes;

/** An organization with somebody who reads its log and its roles, and nothing else. */
async function organization() {
  const id = await makeAccount(server);
  const { token } = await makeCaller(server, ['AUDIT_READ', 'ROLE_READ'], { onAccount: id });
  return { id, token };
}

test('S60: a role that somebody from outside gives itself is on record at the place, and seen there', async () => {
  const place = await organization();
  const contractor = await makeCaller(server, ['ROLE_MANAGE', 'ROLE_GIVE', 'CREDENTIAL_READ'], {
    onAccount: place.id,
  });
  const before = await eventsFor(place.token);
  const own = await makeCaller(server, ['AUDIT_READ'], { onAccount: contractor.id });
  const role = await makeRole(server, ['CREDENTIAL_READ'], { account: place.id });
  const given = await run(
    server,
    'grantRole',
    { account: contractor.id, role, onAccount: place.id },
    { token: contractor.token },
  );
  expectData(given);
  const [event, ...rest] = await eventsFor(place.token);
  expect(rest).toEqual(before);
  expect(event).toMatchObject({ action: 'role:grant', recipientId: contractor.id, recipient: null });
  // With the account that has it as well.
  expect((await eventsFor(own.token))[0]).toEqual({ ...event, recipient: { id: contractor.id } });
  const { grantsOn } = expectData(
    await server.ask(
      'query ($id: ID!) { node(id: $id) { ... on Account { grantsOn { id account { id } role { id } } } } }',
      { id: place.id },
      { token: place.token },
    ),
  ).node;
  expect(grantsOn).toContainEqual({
    id: event?.targetId,
    account: { id: contractor.id },
    role: { id: role },
  });

  expectData(await run(server, 'withdrawRole', { grant: event?.targetId }));
  for (const token of [place.token, own.token])
    expect((await eventsFor(token))[0]).toMatchObject({
      action: 'role:withdraw',
      recipientId: contractor.id,
      targetId: event?.targetId,
    });
});

test('S60: a role on a project is on record with its account and for the readers of the project', async () => {
  const place = await organization();
  const project = await makeProject(server, place.id);
  const { token } = await makeCaller(server, ['AUDIT_READ', 'ROLE_READ'], { onProject: project });
  const outside = await makeAccount(server);
  const id = await grant(server, outside, await makeRole(server, ['PROJECT_READ']), { onProject: project });
  expect((await eventsFor(place.token))[0]).toMatchObject({ recipientId: outside, targetId: id });
  expect((await eventsFor(token)).slice(0, 2)).toEqual([
    expect.objectContaining({ recipientId: outside, targetId: id }),
    expect.objectContaining({ recipientId: outside, targetId: id }),
  ]);
  const { grants } = expectData(
    await server.ask(
      'query ($id: ID!) { node(id: $id) { ... on Project { grants { id account { id } } } } }',
      { id: project },
      { token },
    ),
  ).node;
  expect(grants).toContainEqual({ id, account: { id: outside } });
});

test('S30: who reads roles at one place sees no grant on another, nor the other roles of who has one here', async () => {
  const [place, elsewhere] = [await organization(), await organization()];
  const outside = await makeAccount(server);
  const role = await makeRole(server, ['PROJECT_READ']);
  const here = await grant(server, outside, role, { onAccount: place.id });
  const there = await grant(server, outside, role, { onAccount: elsewhere.id });
  const answer = await server.ask(
    `query ($here: ID!, $there: ID!) { here: node(id: $here) { ... on Grant { account { id grants { id } } } }
      there: node(id: $there) { id } }`,
    { here, there },
    { token: place.token },
  );
  expect(expectData(answer)).toEqual({
    here: { account: { id: outside, grants: [{ id: here }] } },
    there: null,
  });
  expect((await eventsFor(place.token)).map(({ targetId }) => targetId)).not.toContain(there);
});

test('S60: a change of what a role allows is on record wherever it is held, and with each who holds it', async () => {
  const [one, other] = [await organization(), await organization()];
  const project = await makeProject(server, other.id);
  const role = await makeRole(server, ['PROJECT_READ']);
  const holder = await makeAccount(server);
  await grant(server, holder, role, { onAccount: one.id });
  await grant(server, holder, role, { onProject: project });
  const reader = await makeCaller(server, ['AUDIT_READ'], { onAccount: holder });
  const before = await Promise.all([one, other, reader].map(({ token }) => eventsFor(token)));
  expectData(await run(server, 'updateRole', { id: role, description: 'Says more' }));
  expect(await Promise.all([one, other, reader].map(({ token }) => eventsFor(token)))).toEqual(before);
  expectData(await run(server, 'updateRole', { id: role, permissions: ['PROJECT_READ', 'CREDENTIAL_READ'] }));
  for (const [index, { token }] of [one, other, reader].entries())
    expect(await eventsFor(token)).toEqual([
      expect.objectContaining({ action: 'role:update', targetId: role, changed: ['permissions'] }),
      ...(before[index] ?? []),
    ]);
});

test('S60: a change of what a role allows is on record where the credentials are that carry it', async () => {
  const place = await organization();
  const part = await makeAccount(server, { parent: place.id });
  const project = await makeProject(server, part);
  const role = await makeRole(server, ['PROJECT_READ'], { account: place.id });
  await makeCredential(server, part, { roles: [role], project });
  const readers = await Promise.all([
    makeCaller(server, ['AUDIT_READ'], { onAccount: part }),
    makeCaller(server, ['AUDIT_READ'], { onProject: project }),
  ]);
  expectData(await run(server, 'updateRole', { id: role, permissions: ['PROJECT_READ', 'CREDENTIAL_READ'] }));
  for (const { token } of readers)
    expect((await eventsFor(token))[0]).toMatchObject({ action: 'role:update', targetId: role });
});
