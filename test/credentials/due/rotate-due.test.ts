import { setTimeout as sleep } from 'node:timers/promises';
import { openOutbound } from '../../../src/outbound/outbound.js';
import { makeStore } from '../../stores/stores.js';
import { expectData, makeAccount, makeCredential } from '../../support/make.js';
import { startReplica, startTestServer, type TestServer } from '../../support/server.js';
import { partsOf, rotateDue, rowOf, setDue } from './due.js';
import { apinizer, landscape, ncloud, seqera, type Vendor } from '../outside/vendors.js';

const rotationPolicy = { every: 'P30D', gracePeriod: 'PT1H' };
const apartMs = 600_000;

let server: TestServer;
const vendors: Vendor[] = [];
const outbound = openOutbound({ allowedRanges: [], local: true });
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(async () => {
  await outbound.close();
  await server.stop();
  for (const { standIn } of vendors) await standIn.stop();
});

const parts = () => partsOf(server, outbound);

/** A credential of the built-in store with a policy. */
async function builtIn(account: string, input: Record<string, unknown> = {}) {
  const made = await makeCredential(server, account, { retrievable: true, rotationPolicy, ...input });
  return { id: made.id, row: rowOf(made.id) };
}

/** A credential of an outside store with a policy. */
async function outside(open: () => Promise<Vendor>, account: string, input: Record<string, unknown> = {}) {
  const vendor = await open();
  vendors.push(vendor);
  const store = await makeStore(server, account, vendor.connection);
  const spot = vendor.spot();
  // In the other stores the previous secret ends at once.
  const gracePeriod = open === ncloud ? rotationPolicy.gracePeriod : 'PT0S';
  const policy = { rotationPolicy: { ...rotationPolicy, gracePeriod } };
  const made = await makeCredential(server, account, { ...spot.create, store, ...policy, ...input });
  return { id: made.id, row: rowOf(made.id), vendor, spot };
}

type Turning = { id: string; row: string };

const due = (...all: Turning[]) => setDue(server, ...all.map(({ row }) => row));

const seen = async ({ id }: Turning) =>
  expectData(
    await server.ask(
      `query ($id: ID!) { node(id: $id) { ... on Credential { status versions { number state }
        rotation { state startedBy { id } } auditEvents(first: 50) { nodes { action actor { id } code changed } } } } }`,
      { id },
    ),
  ).node;
const versionsOf = async (one: Turning): Promise<number> => (await seen(one)).versions.length;

async function turned(one: Turning) {
  for (;;) {
    const now = await seen(one);
    if (now.versions.find(({ state }: { state: string }) => state === 'CURRENT')?.number > 1) return now;
    await sleep(50);
  }
}

const eventsOf = async (one: Turning, action: string) =>
  (await seen(one)).auditEvents.nodes.filter((event: { action: string }) => event.action === action);

test('what is due turns by itself, with the grace of its policy where the previous one lives', async () => {
  const all = {
    'built-in': await builtIn(await makeAccount(server)),
    ncloud: await outside(ncloud, await makeAccount(server)),
    landscape: await outside(landscape, await makeAccount(server)),
    apinizer: await outside(apinizer, await makeAccount(server)),
  };
  await due(...Object.values(all));
  await rotateDue(await parts());
  for (const [name, one] of Object.entries(all)) {
    const now = await turned(one);
    const lives = name === 'built-in' || name === 'ncloud';
    expect([name, now.status, now.rotation.state]).toEqual([
      name,
      ...(lives ? ['ROTATING', 'SWITCHED'] : ['ACTIVE', 'FINISHED']),
    ]);
    const reveal = `mutation ($id: ID!) { revealCredential(input: { id: $id }) {
      issued { accessKey secret keys { name value } } other { accessKey secret keys { name value } } } }`;
    const { issued, other } = expectData(await server.ask(reveal, { id: one.id })).revealCredential;
    expect(other !== null).toBe(lives);
    if ('vendor' in one)
      for (const shown of [issued, ...(other ? [other] : [])]) expect(one.vendor.accepts(shown)).toBe(true);
    const [row] = await server.rows<{ ahead: boolean }>(
      `SELECT rotation_due_at > now() + interval '29 days' AS ahead FROM credentials WHERE id = :id`,
      { id: one.row },
    );
    expect(row).toEqual({ ahead: true });
  }
});

test('each start is on record beside the rotation itself, and nobody did it', async () => {
  const all = [await builtIn(await makeAccount(server)), await outside(ncloud, await makeAccount(server))];
  await due(...all);
  await rotateDue(await parts());
  for (const one of all) {
    expect((await turned(one)).rotation.startedBy).toBeNull();
    expect(await eventsOf(one, 'credential:rotate-due')).toEqual([
      expect.objectContaining({ actor: null, code: null }),
    ]);
  }
  const [, there] = all;
  if (!there) throw new Error('there are two');
  expect(await eventsOf(there, 'credential:rotate')).toEqual([
    expect.objectContaining({ actor: null, code: null, changed: ['secret'] }),
  ]);
});

test('what nobody could fetch, and what its caller has to bring, is left, and still told to be due', async () => {
  const account = await makeAccount(server);
  const all = [
    await builtIn(account, { retrievable: false }),
    await outside(seqera, await makeAccount(server)),
  ];
  await due(...all);
  await rotateDue(await parts(), 0);
  const listed = expectData(
    await server.ask(
      'query ($before: DateTime!) { credentials(first: 100, filter: { rotationDueBefore: $before }) { nodes { id } } }',
      { before: new Date(server.db.now()).toISOString() },
    ),
  ).credentials.nodes.map(({ id }: { id: string }) => id);
  for (const one of all) {
    expect(await versionsOf(one)).toBe(1);
    expect(listed).toContain(one.id);
  }
});

describe('linked credentials never turn together', () => {
  test.each(['of one owner', 'of one account'])('%s', async (which) => {
    const owner = which === 'of one owner' ? await makeAccount(server) : undefined;
    const account = await makeAccount(server);
    const linked = { ...(owner && { owner }) };
    const all = [
      await builtIn(account, linked),
      await builtIn(owner ? await makeAccount(server) : account, linked),
      await outside(apinizer, owner ? await makeAccount(server) : account, linked),
    ];
    await due(...all);
    const counts = async () => (await Promise.all(all.map(versionsOf))).filter((count) => count > 1).length;
    for (let turns = 1; turns <= all.length; turns++) {
      const running = await parts();
      // The job of the server may be at it, too, and not be done yet.
      do await Promise.all([rotateDue(running, apartMs), rotateDue(running, apartMs)]);
      while ((await counts()) < turns);
      expect(await counts()).toBe(turns);
      await rotateDue(running, apartMs);
      expect(await counts()).toBe(turns);
      await server.rows(
        `UPDATE rotation_turns SET next_at = now() - interval '1 second'
         WHERE owner_id = (SELECT coalesce(owner_id, account_id) FROM credentials WHERE id = :id) RETURNING owner_id`,
        { id: all[0]?.row },
      );
    }
  });
});

describe('of one owner', () => {
  const started = async (one: Turning): Promise<string> => {
    const [row] = await server.rows<{ at: string }>(
      "SELECT max(at) AS at FROM audit_events WHERE target_id = :id AND action = 'credential:rotate-due'",
      { id: one.row },
    );
    return row?.at ?? '';
  };
  const nextTurnMs = async (one: Turning): Promise<number> => {
    const [row] = await server.rows<{ ms: number }>(
      `SELECT CAST(extract(epoch FROM t.next_at - e.at) * 1000 AS double precision) AS ms
       FROM credentials c JOIN rotation_turns t ON t.owner_id = coalesce(c.owner_id, c.account_id)
       JOIN audit_events e ON e.target_id = c.id AND e.action = 'credential:rotate-due' WHERE c.id = :id`,
      { id: one.row },
    );
    return row?.ms ?? NaN;
  };

  test('what is late the longest turns first', async () => {
    const account = await makeAccount(server);
    const all: Turning[] = [];
    for (let count = 0; count < 4; count++) all.push(await builtIn(account));
    const wanted = [2, 0, 3, 1].map((index) => all[index]).filter((one) => one !== undefined);
    for (const [index, one] of wanted.entries())
      await server.rows(
        `UPDATE credentials SET rotation_due_at = now() - make_interval(hours => ${9 - index}) WHERE id = :id
         RETURNING id`,
        { id: one.row },
      );
    const running = await parts();
    for (const one of wanted) {
      while ((await versionsOf(one)) === 1) {
        await rotateDue(running, 0);
        await server.rows('DELETE FROM rotation_turns RETURNING owner_id');
      }
    }
    const times = await Promise.all(wanted.map(started));
    expect(times).toEqual([...times].sort());
  });

  test.each([
    [12, 'PT1M', 2_500],
    [1, 'PT1M', 30_000],
    [3, 'P90D', apartMs],
  ])('turns follow as fast as %d policies of %s each ask for', async (count, every, ms) => {
    const account = await makeAccount(server);
    const all: Turning[] = [];
    for (let made = 0; made < count; made++)
      all.push(await builtIn(account, { rotationPolicy: { every, gracePeriod: 'PT0S' } }));
    const [first] = all;
    if (!first) throw new Error('there is one');
    await due(first);
    await rotateDue(await parts());
    await turned(first);
    expect(Math.abs((await nextTurnMs(first)) - ms)).toBeLessThan(2_000);
  });

  test('what cannot turn keeps no other waiting, though it is late the longest', async () => {
    const account = await makeAccount(server);
    const owner = await makeAccount(server);
    const dead = await outside(ncloud, account, { owner });
    const linked = await builtIn(account, { owner });
    await dead.vendor.standIn.stop();
    await due(linked);
    await server.rows(
      "UPDATE credentials SET rotation_due_at = now() - interval '1 day' WHERE id = :id RETURNING id",
      { id: dead.row },
    );
    const running = await parts();
    // No time is set back: the turn of the one that failed is free for the other.
    while ((await versionsOf(linked)) === 1) await rotateDue(running);
    expect(await versionsOf(dead)).toBe(1);
  });
});

test('two that look at once turn each one once', async () => {
  const all = [
    await builtIn(await makeAccount(server)),
    await outside(ncloud, await makeAccount(server)),
    await outside(landscape, await makeAccount(server)),
  ];
  await due(...all);
  const [one, other] = [await parts(), await parts()];
  await Promise.all([rotateDue(one), rotateDue(other), rotateDue(one), rotateDue(other)]);
  for (const each of all) {
    expect((await turned(each)).versions).toHaveLength(2);
    expect(await eventsOf(each, 'credential:rotate-due')).toHaveLength(1);
  }
});

// The embedded database has one Keyway.
if (process.env['TEST_DATABASE_URL'])
  test('two replicas turn each one once, by themselves', async () => {
    const replica = await startReplica(server);
    try {
      const all = [
        await builtIn(await makeAccount(server)),
        await outside(ncloud, await makeAccount(server)),
      ];
      await due(...all);
      await Promise.all(all.map(turned));
      // Either of the two looks again within this time.
      await sleep(6_000);
      for (const each of all) {
        expect(await versionsOf(each)).toBe(2);
        expect(await eventsOf(each, 'credential:rotate-due')).toHaveLength(1);
      }
    } finally {
      await replica.stop();
    }
  });

test('one that was begun is finished after a restart', async () => {
  const one = await outside(ncloud, await makeAccount(server));
  const { standIn, writes } = one.vendor;
  standIn.meet({ kind: 'drop' }, writes.rotate);
  await due(one);
  await rotateDue(await parts());
  await server.restart();
  await turned(one);
  expect(one.spot.has()).toHaveLength(2);
  expect(await eventsOf(one, 'credential:rotate-due')).toHaveLength(1);
  expect(await eventsOf(one, 'credential:rotate')).toHaveLength(1);
});

test('a store that is down keeps nothing else from turning', async () => {
  const account = await makeAccount(server);
  const owner = await makeAccount(server);
  const dead = [
    await outside(ncloud, account, { owner }),
    await outside(ncloud, await makeAccount(server)),
    await outside(apinizer, await makeAccount(server)),
  ];
  const linked = await builtIn(account, { owner });
  const other = await builtIn(await makeAccount(server));
  for (const { vendor } of dead) await vendor.standIn.stop();
  await due(...dead, linked, other);
  const running = await parts();
  await rotateDue(running, 0);
  await turned(other);
  while ((await versionsOf(linked)) === 1) await rotateDue(running, 0);
  for (const one of dead) expect((await seen(one)).status).toBe('ACTIVE');
});
