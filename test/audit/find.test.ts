import { expectData, makeAccount, makeCaller, makeCredential } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';
import { rowOf } from '../credentials/due/due.js';

let server: TestServer;
/** The ids of what filters name, and the times of the events, by what they are called below. */
const named: Record<string, string> = {};
beforeAll(async () => {
  server = await startTestServer();
  named['account'] = await makeAccount(server);
  named['other'] = await makeAccount(server);
  const { id, token } = await makeCaller(server, ['ACCOUNT_READ', 'ACCOUNT_MANAGE']);
  named['actor'] = id;
  named['credential'] = (await makeCredential(server, named['account'])).id;
  const mine = { token };
  expectData(await run(server, 'updateAccount', { id: named['account'], title: 'One' }, mine));
  expectData(await run(server, 'updateAccount', { id: named['other'], title: 'Two' }, mine));
  // Refused: the caller may not revoke. Failed: what is revoked is not rotated.
  expect((await run(server, 'revokeCredential', { id: named['credential'] }, mine)).code).toBe('NOT_FOUND');
  expectData(await run(server, 'revokeCredential', { id: named['credential'] }));
  expect((await run(server, 'rotateCredential', { id: named['credential'] })).code).toBe('CONFLICT');
  named['admin'] = expectData(await server.ask('{ viewer { id } }')).viewer.id;
  // What is refused is written behind.
  for (;;) {
    const { nodes: all } = await asked({ actor: [named['actor'], named['admin']] });
    if (all.some(({ outcome }) => outcome === 'REFUSED') && all.some(({ outcome }) => outcome === 'FAILED'))
      break;
  }
});
afterAll(() => server.stop());

interface Event {
  action: string;
  outcome: string;
  at: string;
  id: string;
  actor: { id: string } | null;
  targetId: string | null;
  target: { id: string } | null;
}

async function asked(filter: object): Promise<{ nodes: Event[]; totalCount: number }> {
  const answer = await server.ask(
    `query ($filter: AuditFilter) { auditEvents(first: 100, filter: $filter) { totalCount nodes {
      id action outcome at actor { id } targetId target { id } } } }`,
    { filter },
  );
  return expectData(answer).auditEvents;
}

async function found(filter: object): Promise<Event[]> {
  const { nodes, totalCount } = await asked(filter);
  expect(totalCount).toBe(nodes.length);
  return nodes;
}

test.each<[string, () => object, (event: Event) => boolean]>([
  ['actor', () => ({ actor: [named['actor']] }), ({ actor }) => actor?.id === named['actor']],
  ['target', () => ({ target: [named['credential']] }), ({ target }) => target?.id === named['credential']],
  ['action', () => ({ action: ['account:update'] }), ({ action }) => action === 'account:update'],
  [
    'actions',
    () => ({ action: ['account:update', 'credential:revoke'] }),
    ({ action }) => ['account:update', 'credential:revoke'].includes(action),
  ],
  ['outcome DONE', () => ({ outcome: ['DONE'] }), ({ outcome }) => outcome === 'DONE'],
  ['outcome FAILED', () => ({ outcome: ['FAILED'] }), ({ outcome }) => outcome === 'FAILED'],
  ['outcome REFUSED', () => ({ outcome: ['REFUSED'] }), ({ outcome }) => outcome === 'REFUSED'],
  [
    'actor and action',
    () => ({ actor: [named['actor']], action: ['account:update'] }),
    ({ actor, action }) => actor?.id === named['actor'] && action === 'account:update',
  ],
])('a filter by %s finds just those events', async (_, filter, fits) => {
  const all = await found({});
  const wanted = all.filter(fits);
  expect(wanted.length).toBeGreaterThan(0);
  expect(wanted.length).toBeLessThan(all.length);
  expect(await found(filter())).toEqual(wanted);
});

test.each([[['account']], [['other']], [['account', 'other']]])(
  'a filter by the chains of %j finds just those events',
  async (names) => {
    const account = names.map((name) => named[name] ?? '');
    const events = await found({ account });
    const rows = await server.rows<{ id: string; account: string }>(
      'SELECT id, account_id AS account FROM audit_events',
    );
    const wanted = rows.filter((row) => account.map(rowOf).includes(row.account));
    expect(wanted.length).toBeGreaterThan(0);
    expect(events.map(({ id }) => rowOf(id)).sort()).toEqual(wanted.map(({ id }) => id).sort());
  },
);

test('an event names what it is about, also where that cannot be seen any more', async () => {
  expectData(await run(server, 'deleteAccount', { id: await makeAccount(server, { title: 'Gone' }) }));
  const [event] = await found({ action: ['account:delete'] });
  expect(event).toMatchObject({ target: null, targetId: expect.stringMatching(/./) });
  for (const { target, targetId } of await found({ target: [named['credential'], event?.targetId] }))
    expect(targetId).toBe(target?.id ?? event?.targetId);
});

test('events are found from a time on, and up to a time without it', async () => {
  const all = await found({});
  const middle = all[Math.floor(all.length / 2)];
  const { at } = middle as Event;
  const since = await found({ since: at });
  const until = await found({ until: at });
  expect(since).toContainEqual(middle);
  expect(until).not.toContainEqual(middle);
  // Each is in one of them, and the newest come first.
  expect([...since, ...until]).toEqual(all);
  expect(await found({ since: at, until: at })).toEqual([]);
});

test('a filter by what is no account, or no id, is refused', async () => {
  for (const filter of [
    { account: [named['credential']] },
    { actor: [named['credential']] },
    { target: ['x'] },
  ]) {
    const answer = await server.ask(
      'query ($filter: AuditFilter) { auditEvents(filter: $filter) { totalCount } }',
      { filter },
    );
    expect(answer.code).toBe('BAD_USER_INPUT');
  }
});
