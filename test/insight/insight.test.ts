// Answers are read as they come: each query knows what it asked for.
/* eslint-disable @typescript-eslint/no-explicit-any */
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeId } from '../../src/inputs/decode-id.js';
import { dayMs, instant } from '../../src/time.js';
import { codeOf } from '../credentials/verification/verifying.js';
import { expectData, makeAccount, makeCaller, makeCredential, makeProject } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { statementsOf } from '../support/statements.js';

let server: TestServer;
let organization: string;
let other: string;
let reader: { id: string; token: string };
let owner: { id: string; token: string };

const inDays = (days: number) => instant(Date.now() + days * dayMs);
const uuid = (id: string) => decodeId('Credential', id, 'id');
const set = (id: string, columns: string) =>
  server.rows(`UPDATE credentials SET ${columns} WHERE id = :id RETURNING id`, { id: uuid(id) });

beforeAll(async () => {
  server = await startTestServer();
  organization = await makeAccount(server);
  other = await makeAccount(server);
  reader = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: organization });
  owner = await makeCaller(server);
  const project = await makeProject(server, organization);
  await makeCredential(server, organization, { owner: owner.id, expiresAt: inDays(10), project });
  await makeCredential(server, organization, { expiresAt: inDays(3), secret: { token: {} } });
  await makeCredential(server, organization, { enabled: false, expiresAt: inDays(3) });
  const revoked = await makeCredential(server, organization, { expiresAt: inDays(3) });
  const late = await makeCredential(server, organization, {
    owner: owner.id,
    rotationPolicy: { every: 'P30D', gracePeriod: 'P1D' },
  });
  const unused = await makeCredential(server, organization, { owner: owner.id });
  const expired = await makeCredential(server, organization);
  const deleted = await makeCredential(server, organization);
  await makeCredential(server, other, { owner: owner.id, expiresAt: inDays(60) });
  for (const [verb, { id }] of [
    ['revoke', revoked],
    ['delete', deleted],
  ] as const)
    expectData(
      await server.ask(
        `mutation ($id: ID!) { ${verb}Credential(input: { id: $id }) { credential { id } } }`,
        { id },
      ),
    );
  await set(late.id, "rotation_due_at = now() - interval '1 day', rotation_tried_at = now()");
  await set(expired.id, "expires_at = now() - interval '1 hour'");
  await set(unused.id, "created_at = now() - interval '100 days'");
  await server.rows(
    `UPDATE credential_uses SET unused_since = now() - interval '100 days' WHERE credential_id = :id RETURNING 1 AS one`,
    { id: uuid(unused.id) },
  );
});
afterAll(() => server.stop());

const counts = `credentials byStatus { status count } byStore { store { name } count } byKind { kind count }
  expiring within7: expiring(within: "P7D") overdue withoutOwner unused`;

const insight = async (asked: string, token?: string, args = '') =>
  expectData(
    await server.ask(`query { insight${args} { ${asked} } }`, {}, token === undefined ? {} : { token }),
  ).insight;

/** How many a list has, through the same eyes. */
const listed = async (filter: object, token: string) =>
  expectData(
    await server.ask(
      'query ($filter: CredentialFilter) { credentials(filter: $filter, first: 1) { totalCount } }',
      { filter },
      { token },
    ),
  ).credentials.totalCount;

const works = ['ACTIVE', 'ROTATING'];

test('counts what the caller may see, by status, store and kind', async () => {
  const { byStatus, byStore, byKind, ...others } = await insight(counts, reader.token);
  expect(byStatus).toEqual([
    { status: 'ACTIVE', count: 5 },
    { status: 'DISABLED', count: 1 },
    { status: 'EXPIRED', count: 1 },
    { status: 'REVOKED', count: 1 },
  ]);
  // Its own token is one it may see as well, but of another account.
  expect(others).toEqual({
    credentials: 8,
    expiring: 2,
    within7: 1,
    overdue: 1,
    withoutOwner: 2,
    unused: 1,
  });
  expect(byStore).toEqual([{ store: { name: 'keyway' }, count: 8 }]);
  expect(byKind).toEqual([
    { kind: 'ACCESS_KEY', count: 6 },
    { kind: 'TOKEN', count: 2 },
  ]);
});

test.each(['the reader', 'the owner', 'the administrator'])(
  'each number is that of the list that it opens, for %s',
  async (who) => {
    const tokens = { 'the reader': reader.token, 'the owner': owner.token };
    const token = tokens[who as keyof typeof tokens] ?? server.adminToken;
    const found = await insight(counts, token);
    const lists: [string, object][] = [
      ['credentials', {}],
      ['expiring', { status: works, expiresBefore: inDays(30) }],
      ['within7', { status: works, expiresBefore: inDays(7) }],
      ['overdue', { status: works, rotationOverdue: true }],
      ['withoutOwner', { status: works, withoutOwner: true }],
      ['unused', { status: works, unusedFor: 'P90D' }],
    ];
    for (const [name, filter] of lists)
      expect([name, found[name]]).toEqual([name, await listed(filter, token)]);
    for (const { status, count } of found.byStatus)
      expect([status, count]).toEqual([status, await listed({ status: [status] }, token)]);
    for (const { kind, count } of found.byKind)
      expect([kind, count]).toEqual([kind, await listed({ kind: [kind] }, token)]);
    expect(found.byStatus.reduce((sum: number, { count }: any) => sum + count, 0)).toBe(found.credentials);
  },
);

test('an account and a store narrow it; what one may not see counts as nothing', async () => {
  const ofAccount = await insight('credentials expiring', reader.token, `(account: "${organization}")`);
  expect(ofAccount).toEqual({ credentials: 7, expiring: 2 });
  const elsewhere = await insight(counts, reader.token, `(account: "${other}")`);
  expect(elsewhere).toEqual({
    credentials: 0,
    byStatus: [],
    byStore: [],
    byKind: [],
    expiring: 0,
    within7: 0,
    overdue: 0,
    withoutOwner: 0,
    unused: 0,
  });
  expect(await insight('credentials', owner.token, `(account: "${other}")`)).toEqual({ credentials: 1 });
  const stores = expectData(await server.ask('{ stores { id name } }')).stores;
  const { id } = stores.find(({ name }: any) => name === 'keyway');
  expect(await insight('credentials', reader.token, `(store: "${id}")`)).toEqual({ credentials: 8 });
  for (const [args, field] of [
    [`(account: "${id}")`, 'account'],
    [`(store: "${organization}")`, 'store'],
  ] as const) {
    const { errors } = await server.ask(`{ insight${args} { credentials } }`);
    expect(errors[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', fields: [{ path: field }] } });
  }
});

test('expiries are told by week, from the current one on, each a Monday', async () => {
  const { expiriesByWeek: weeks } = await insight(
    'expiriesByWeek(window: "P70D") { week count }',
    owner.token,
  );
  expect(weeks).toHaveLength(10);
  for (const { week } of weeks) expect(new Date(week).getUTCDay()).toBe(1);
  expect(weeks.reduce((sum: number, { count }: any) => sum + count, 0)).toBe(2);
  const weekOf = (days: number) => {
    const found = weeks.findLast(({ week }: any) => week <= inDays(days).slice(0, 10));
    return found.count;
  };
  expect([weekOf(10), weekOf(60)]).toEqual([1, 1]);
});

test('rotations are told by the day on which they began, and how the last ones stand', async () => {
  const account = await makeAccount(server);
  const made = await Promise.all(Array.from({ length: 4 }, () => makeCredential(server, account)));
  for (const { id } of made)
    expectData(
      await server.ask(
        'mutation ($id: ID!) { rotateCredential(input: { id: $id, gracePeriod: "P1D" }) { credential { id } } }',
        { id },
      ),
    );
  const [, failed, unknown, used] = made.map(({ id }) => uuid(id));
  const state = (id: string | undefined, to: string) =>
    server.rows(
      `UPDATE rotations SET state = '${to}', started_at = started_at - interval '3 days' WHERE credential_id = :id RETURNING id`,
      { id },
    );
  await state(failed, 'FAILED');
  await state(unknown, 'OUTCOME_UNKNOWN');
  await server.rows(
    'UPDATE credential_versions SET last_used_at = now() WHERE credential_id = :id AND number = 1 RETURNING number',
    { id: used },
  );
  const { rotationHealth, rotationsByDay } = await insight(
    'rotationHealth { rotating safeToRetire failed unknown } rotationsByDay(window: "P7D") { day count failed unknown }',
    server.adminToken,
    `(account: "${account}")`,
  );
  expect(rotationHealth).toEqual({ rotating: 2, safeToRetire: 1, failed: 1, unknown: 1 });
  expect(rotationsByDay).toHaveLength(7);
  const told = rotationsByDay.filter(({ count }: any) => count > 0);
  expect(told.map(({ count, failed, unknown }: any) => [count, failed, unknown])).toEqual([
    [2, 1, 1],
    [2, 0, 0],
  ]);
  const { rotationHealth: none } = await insight('rotationHealth { rotating failed }', reader.token);
  expect(none).toEqual({ rotating: 0, failed: 0 });
});

/** Waits until so many verifications are written. */
async function onceWritten(count: number): Promise<void> {
  for (;;) {
    const [row] = await server.rows<{ written: number }>(
      'SELECT CAST(coalesce(sum(good + refused), 0) AS integer) AS written FROM verification_days',
    );
    if ((row?.written ?? 0) >= count) return;
    await sleep(50);
  }
}

test('verifications are told by day, good and refused apart, and of a credential alone', async () => {
  const account = await makeAccount(server);
  const [one, two] = [await makeCredential(server, account), await makeCredential(server, account)];
  const present = (made: typeof one, secret = made.secret) =>
    codeOf(server, { accessKey: made.accessKey, proof: { secret } });
  for (let time = 0; time < 3; time++) expect(await present(one)).toBe('VALID');
  expect(await present(two)).toBe('VALID');
  expect(await present(two, 'a secret that is none of its own')).toBe('NOT_VALID');
  await onceWritten(5);
  await server.rows(
    `INSERT INTO credential_days (credential_id, day, good, refused)
      SELECT :id, CAST(now() AT TIME ZONE 'UTC' AS date) - days, 10, 0 FROM unnest(CAST(ARRAY[5, 40] AS integer[])) days RETURNING day`,
    { id: uuid(two.id) },
  );
  const ask = (token: string, args = `(account: "${account}")`) =>
    insight('verificationsByDay(window: "P10D") { day count } refusalsByDay { day count }', token, args);
  const found = await ask(server.adminToken);
  expect(found.verificationsByDay).toHaveLength(10);
  expect(found.refusalsByDay).toHaveLength(30);
  expect(found.verificationsByDay.map(({ count }: any) => count)).toEqual([0, 0, 0, 0, 10, 0, 0, 0, 0, 4]);
  expect(found.refusalsByDay.at(-1).count).toBe(1);
  const hidden = await ask(reader.token);
  expect(hidden.verificationsByDay.every(({ count }: any) => count === 0)).toBe(true);

  const { credentials } = expectData(
    await server.ask(
      `query ($ids: [ID!]) { credentials(filter: { ids: $ids }, orderBy: { by: CREATED_AT, direction: ASC }) { nodes {
        use(window: "P7D") { window total refused byDay { day count } } } } }`,
      { ids: [one.id, two.id] },
    ),
  );
  expect(
    credentials.nodes.map(({ use: { total, refused, window, byDay } }: any) => [
      total,
      refused,
      window,
      byDay.length,
    ]),
  ).toEqual([
    [3, 0, 'P7D', 7],
    [11, 1, 'P7D', 7],
  ]);
  expect(credentials.nodes[0].use.byDay.at(-1)).toEqual({ day: inDays(0).slice(0, 10), count: 3 });
});

test('over all there is, the sums of days are those of the credentials', async () => {
  const sums = await server.rows<{ total: string; good: string }>(
    `SELECT (SELECT sum(good) FROM verification_days) AS total,
      (SELECT sum(good) FROM credential_days WHERE day >= CAST(now() AT TIME ZONE 'UTC' AS date) - 1) AS good`,
  );
  const whole = await insight('verificationsByDay(window: "P2D") { count }', server.adminToken);
  const told = whole.verificationsByDay.reduce((sum: number, { count }: any) => sum + count, 0);
  expect([String(sums[0]?.total), String(sums[0]?.good)]).toEqual([String(told), String(told)]);
});

const everything = `${counts} rotationHealth { rotating } rotationsByDay { count } verificationsByDay { count }
  refusalsByDay { count } expiriesByWeek { count }`;

test('it costs as many statements, however much there is, and only for what is asked', async () => {
  const counted = async (asked: string, token: string) => {
    const { statements } = await statementsOf(server, () => insight(asked, token));
    return statements.map(({ text }) => text);
  };
  const before = await counted(everything, reader.token);
  for (let made = 0; made < 5; made++)
    await makeCredential(server, organization, { expiresAt: inDays(20 + made), secret: { token: {} } });
  const after = await counted(everything, reader.token);
  expect(after).toHaveLength(before.length);
  // Who calls; which accounts are stopped, twice; counts, rotations twice, verifications, expiries; the stores.
  expect(after).toHaveLength(9);
  const few = await counted('credentials', reader.token);
  expect(few).toHaveLength(3);
  expect(few.join()).not.toMatch(/credential_uses|credential_days|FROM rotations/);
});

test('it costs more than its rows, and as many as the days that are asked for', async () => {
  const costOf = async (asked: string, variables?: object) => {
    const query = `query ${variables ? '($window: Duration!) ' : ''}{ insight { ${asked} } }`;
    const { text } = await server.ask(query, { ...variables });
    return JSON.parse(text).extensions.cost;
  };
  expect(await costOf('credentials')).toBe(201);
  expect(await costOf('rotationsByDay(window: "P10D") { day }')).toBe(211);
  expect(await costOf('rotationsByDay { day }')).toBe(231);
  expect(await costOf('rotationsByDay(window: $window) { day }', { window: 'P5D' })).toBe(206);
  expect(await costOf('rotationsByDay(window: $window) { day }', { window: 'P6D' })).toBe(207);
});

test.each(['rotationsByDay', 'verificationsByDay', 'refusalsByDay', 'expiriesByWeek'])(
  '%s takes a window of a day up to 400',
  async (field) => {
    for (const window of ['PT1H', 'P401D']) {
      const { errors } = await server.ask(`{ insight { ${field}(window: "${window}") { count } } }`);
      expect(errors[0]).toMatchObject({
        extensions: {
          code: 'BAD_USER_INPUT',
          fields: [{ path: 'window', message: 'must be from P1D to P400D' }],
        },
      });
    }
  },
);
