import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../src/database/database.js';
import { openOutbound } from '../../src/outbound/outbound.js';
import { makeStore } from '../stores/stores.js';
import { another, holdReads, type HeldReads } from '../support/held-reads.js';
import { expectData, makeAccount, makeCredential, unique } from '../support/make.js';
import { gate } from '../support/on-the-way.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';
import { waitingDeeds } from '../support/waiting.js';
import { partsOf, rotateDue, rowOf, setDue } from './due/due.js';
import { landscape, ncloud, type Vendor } from './outside/vendors.js';
import { read, rotate } from './verbs.js';

let server: TestServer;
const vendors: Vendor[] = [];
const outbound = openOutbound({ allowedRanges: [], local: true });
const rotationPolicy = { every: 'P30D', gracePeriod: 'PT0S' };
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(async () => {
  await server.stop();
  await outbound.close();
  for (const { standIn } of vendors) await standIn.stop();
});

const holding: HeldReads[] = [];
// One that fails leaves some that stand, and a server is not ended before they are.
afterEach(() => {
  for (const held of holding.splice(0)) held.releaseAll();
});

interface Turning {
  id: string;
  /** The requests by which its store was told to make another secret; undefined for Keyway's own. */
  told?: () => number;
}

async function builtIn(): Promise<Turning> {
  const account = await makeAccount(server);
  return makeCredential(server, account, { retrievable: true, rotationPolicy });
}

const outside = (open: () => Promise<Vendor>) => async (): Promise<Turning> => {
  const vendor = await open();
  vendors.push(vendor);
  const account = await makeAccount(server);
  const store = await makeStore(server, account, vendor.connection);
  const made = await makeCredential(server, account, { ...vendor.spot().create, store, rotationPolicy });
  const { method, path } = vendor.writes.rotate;
  const told = () =>
    vendor.standIn.calls.filter((call) => call.method === method && path?.test(call.target)).length;
  const before = told();
  return { id: made.id, told: () => told() - before };
};

const stores: [string, () => Promise<Turning>][] = [
  ['Keyway itself', builtIn],
  ['NAVER Cloud', outside(ncloud)],
  ['Landscape', outside(landscape)],
];

/** Sends rotations of which each stands, before the next is sent, between what it has read and what it does. */
async function standing(id: string, count: number, input: Record<string, unknown> = {}) {
  const held = holdReads(server.db, rowOf(id));
  holding.push(held);
  const answers: Promise<Answer>[] = [];
  while (answers.length < count) {
    answers.push(rotate(server, { id, ...input }));
    await held.standing(answers.length);
  }
  held.end();
  return { answers, held };
}

const outcome = ({ code, errors }: Answer) => code ?? errors[0]?.message ?? 'done';
const numbers = async (id: string) =>
  (await read(server, id)).versions.map(({ number, state }: { number: number; state: string }) => [
    number,
    state === 'CURRENT',
  ]);
const turnedOnce = [
  [2, true],
  [1, false],
];
const refused = [
  'CONFLICT',
  'Another rotation of this credential was under way: read it again before you rotate.',
];
const refusal = ({ code, errors }: Answer) => [code, errors[0]?.message];

describe.each(stores)('R6: of rotations at once in %s', (_, make) => {
  test.each([[[0, 1, 2]], [[0, 2, 1]], [[1, 0, 2]], [[1, 2, 0]], [[2, 0, 1]], [[2, 1, 0]]])(
    'the first that goes on happens, in the order %j',
    async ([first = 0, ...others]) => {
      const { id, told } = await make();
      const { answers, held } = await standing(id, 3);
      held.release(first);
      expectData(await (answers[first] as Promise<Answer>));
      for (const other of others) {
        held.release(other);
        expect(refusal(await (answers[other] as Promise<Answer>))).toEqual(refused);
      }
      expect(await numbers(id)).toEqual(turnedOnce);
      if (told) expect(told()).toBe(1);
    },
  );

  test('one happens where all go on together', async () => {
    const { id, told } = await make();
    // More would wait for their turn: one account has so much under way at once.
    const { answers, held } = await standing(id, 15);
    for (const index of answers.keys()) held.release(index);
    const outcomes = (await Promise.all(answers)).map(outcome).sort();
    expect(outcomes).toEqual([...Array.from({ length: 14 }, () => 'CONFLICT'), 'done']);
    expect(await numbers(id)).toEqual(turnedOnce);
    if (told) expect(told()).toBe(1);
  });

  test('one that begins when another is done is one of its own', async () => {
    const { id } = await make();
    const { answers, held } = await standing(id, 1);
    held.release(0);
    expectData(await (answers[0] as Promise<Answer>));
    expectData(await rotate(server, { id }));
    expect((await read(server, id)).versions[0]).toMatchObject({ number: 3, state: 'CURRENT' });
  });

  test.each([[[0, 1, 2]], [[2, 1, 0]]])(
    'R1: under one idempotency key all have the same answer, in the order %j',
    async (order) => {
      const { id, told } = await make();
      const { answers, held } = await standing(id, 3, { idempotencyKey: unique('key') });
      const issued = [];
      for (const index of order) {
        held.release(index);
        issued.push(expectData(await (answers[index] as Promise<Answer>)).rotateCredential.issued);
      }
      expect(issued[0].secret).toEqual(expect.any(String));
      expect(issued).toEqual([issued[0], issued[0], issued[0]]);
      expect(await numbers(id)).toEqual(turnedOnce);
      if (told) expect(told()).toBe(1);
    },
  );

  test('R1: and where they go on together', async () => {
    const { id, told } = await make();
    const { answers, held } = await standing(id, 10, { idempotencyKey: unique('key') });
    for (const index of answers.keys()) held.release(index);
    const issued = (await Promise.all(answers)).map((answer) => expectData(answer).rotateCredential.issued);
    for (const one of issued) expect(one).toEqual(issued[0]);
    expect(await numbers(id)).toEqual(turnedOnce);
    if (told) expect(told()).toBe(1);
  });

  test('one that was asked for before another began does not happen, though it reads when that is done', async () => {
    const { id, told } = await make();
    const held = holdReads(server.db, rowOf(id), 'before');
    holding.push(held);
    const late = rotate(server, { id });
    await held.standing(1);
    held.end();
    // What comes within the exactness of the clock may be either.
    await sleep(5 + 2 * server.db.nowIsOffMs);
    expectData(await rotate(server, { id }));
    held.release(0);
    expect(refusal(await late)).toEqual(refused);
    expect(await numbers(id)).toEqual(turnedOnce);
    if (told) expect(told()).toBe(1);
  });

  test('one by hand does not happen after one by policy that it did not know of', async () => {
    const { id, told } = await make();
    const { answers, held } = await standing(id, 1);
    await setDue(server, rowOf(id));
    const parts = await partsOf(server, outbound);
    // The job of the server may come before.
    while ((await read(server, id)).versions.length === 1) await rotateDue(parts, 0);
    held.release(0);
    expect(refusal(await (answers[0] as Promise<Answer>))).toEqual(refused);
    expect((await read(server, id)).versions).toHaveLength(2);
    if (told) expect(told()).toBeLessThanOrEqual(1);
  });

  test('one by policy does not happen after one by hand that it did not know of', async () => {
    const { id } = await make();
    const parts = await partsOf(server, outbound);
    const db = another(parts.db);
    const held = holdReads(db, rowOf(id));
    holding.push(held);
    let byPolicy: Promise<number>;
    do {
      await server.rows('DELETE FROM rotation_turns RETURNING owner_id');
      await setDue(server, rowOf(id));
      byPolicy = rotateDue({ ...parts, db }, 0);
      // The job of the server may come before: then it is tried again.
    } while ((await Promise.race([held.standing(1), byPolicy])) !== undefined);
    held.end();
    // One of that job may still be under way: then this one is refused until it is done.
    while ((await rotate(server, { id })).errors.length > 0);
    await setDue(server, rowOf(id));
    held.release(0);
    const begun = await byPolicy;
    // What is due is begun by whoever looks next.
    await server.rows(
      `UPDATE credentials SET rotation_due_at = now() + interval '1 day' WHERE id = :id RETURNING id`,
      { id: rowOf(id) },
    );
    expect(begun).toBe(0);
  });
});

test('two of one request know of each other', async () => {
  const { id } = await builtIn();
  const rotation = 'rotateCredential(input: { id: $id }) { issued { secret } }';
  expectData(await server.ask(`mutation ($id: ID!) { first: ${rotation} second: ${rotation} }`, { id }));
  expect((await read(server, id)).versions).toHaveLength(3);
});

test('one whose credential goes to another account meanwhile is done there', async () => {
  const [account, heir] = [await makeAccount(server), await makeAccount(server)];
  const { id } = await makeCredential(server, account);
  const { answers, held } = await standing(id, 1);
  expectData(await run(server, 'deleteAccount', { id: account, transferTo: heir }));
  held.release(0);
  expect(outcome(await (answers[0] as Promise<Answer>))).toBe('done');
  expect(await numbers(id)).toEqual(turnedOnce);
  const { nodes } = expectData(
    await server.ask('query ($filter: AuditFilter) { auditEvents(filter: $filter) { nodes { action } } }', {
      filter: { account: [heir], target: [id] },
    }),
  ).auditEvents;
  expect(nodes[0]).toEqual({ action: 'credential:rotate' });
});

// The embedded database has one connection: nobody waits for a row there.
if (process.env['TEST_DATABASE_URL'])
  test.each(stores)('R6: of rotations that wait for one row one happens, in %s', async (_, make) => {
    const { id } = await make();
    const locked = gate();
    const going = gate();
    const holding = server.db.transaction(async (tx) => {
      await tx.rows(sql('SELECT id FROM credentials WHERE id = :id FOR UPDATE'), { id: rowOf(id) });
      locked.open();
      await going.opened;
    });
    await locked.opened;
    const answers = [rotate(server, { id }), rotate(server, { id }), rotate(server, { id })];
    while ((await waitingDeeds(server)) < 3) await sleep(5);
    going.open();
    await holding;
    expect((await Promise.all(answers)).map(outcome).sort()).toEqual(['CONFLICT', 'CONFLICT', 'done']);
    expect(await numbers(id)).toEqual(turnedOnce);
  });
