import type { Database, Parameters, Statement } from '../../../src/database/database.js';
import { DueRotations } from '../../../src/credentials/due/rotate-due.js';
import { atRest, type AtRest } from '../../support/at-rest.js';
import { makeAccount, makeCredential } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { rotateDue, rowOf } from './due.js';

// Rotations that are due, where there are more of them than are looked at in one round.

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.stop());

const rotationPolicy = { every: 'P30D', gracePeriod: 'PT0S' };
const make = async (account: string) =>
  rowOf((await makeCredential(server, account, { retrievable: true, rotationPolicy })).id);

/** Copies of a credential that are late for longer than it, some of each of so many owners. */
async function late(rest: AtRest, of: string, count: number, owners = 1): Promise<void> {
  const parameters = { of, count, owners };
  await rest.rows(
    `WITH made AS (
       INSERT INTO accounts (id, kind, name, title)
       SELECT gen_random_uuid(), 'SERVICE', 'late-' || n, 'Late' FROM generate_series(2, CAST(:owners AS integer)) n
       RETURNING id
     ), owners AS (
       SELECT id, row_number() OVER () AS nth FROM (SELECT id FROM made UNION ALL
         SELECT account_id FROM credentials WHERE id = :of) one
     )
     INSERT INTO credentials (id, store_id, account_id, kind, name, retrievable, rotate_every, rotate_grace, rotation_due_at)
     SELECT gen_random_uuid(), c.store_id, owners.id, c.kind, 'late ' || n, true, c.rotate_every, c.rotate_grace,
       now() - interval '1 day' - n * interval '1 second'
     FROM credentials c, generate_series(1, CAST(:count AS integer)) n
     JOIN owners ON owners.nth = 1 + n % CAST(:owners AS integer) WHERE c.id = :of`,
    parameters,
  );
  await rest.rows(`UPDATE credentials SET rotation_due_at = now() - interval '1 second' WHERE id = :of`, {
    of,
  });
  await rest.rows('ANALYZE credentials, accounts');
}

/** Lets none of those copies turn. */
const hold = (rest: AtRest) =>
  rest.rows(
    `INSERT INTO intents (id, credential_id, store_id, verb, state, lease_until, next_at, request_id)
     SELECT gen_random_uuid(), id, store_id, 'UPDATE', 'OPEN', 'infinity', 'infinity', 'none' FROM credentials
     WHERE name LIKE 'late %'`,
  );

const turned = async (rest: AtRest, id: string): Promise<boolean> =>
  (await rest.rows('SELECT 1 FROM credential_versions WHERE number = 2 AND credential_id = :id', { id }))
    .length > 0;

/** The rounds until it turned, of so many at most. */
async function roundsUntil(rest: AtRest, id: string, most: number): Promise<number> {
  const due = new DueRotations(rest.parts, 0);
  for (let round = 1; round <= most; round++) {
    await Promise.all(await due.tick());
    if (await turned(rest, id)) return round;
  }
  return Infinity;
}

interface Node {
  'Node Type': string;
  'Actual Rows': number;
  'Actual Loops': number;
  Plans?: Node[];
}
const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** The most rows that one step of a round's statements has read. */
async function mostRead(rest: AtRest): Promise<number> {
  const { db } = rest.parts;
  const sent: [Statement, Parameters | undefined][] = [];
  const watched = Object.create(db, {
    rows: {
      value: (statement: Statement, parameters?: Parameters) => {
        if (/"storeKind"| AS last/.test(statement.text)) sent.push([statement, parameters]);
        return db.rows(statement, parameters);
      },
    },
  }) as Database;
  await rotateDue({ ...rest.parts, db: watched }, 0);
  expect(sent.length).toBeGreaterThan(0);
  let most = 0;
  for (const [{ text, names }, parameters] of sent) {
    const explained = { text: `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, names };
    const [plan] = await db.rows<{ 'QUERY PLAN': [{ Plan: Node }] }>(explained, parameters);
    if (!plan) throw new Error('a statement has a plan');
    for (const node of nodesOf(plan['QUERY PLAN'][0].Plan))
      most = Math.max(most, node['Actual Rows'] * node['Actual Loops']);
  }
  return most;
}

test.each([1, 40])(
  'of what is late, of %d owners, no more is read than can be taken',
  async (owners) => {
    const one = await make(await makeAccount(server));
    await atRest(server, async (rest) => {
      await late(rest, one, 4_000, owners);
      expect(await mostRead(rest)).toBeLessThan(1_500);
    });
  },
  60_000,
);

test('what cannot turn keeps nothing of its owner waiting, however much it is', async () => {
  const one = await make(await makeAccount(server));
  await atRest(server, async (rest) => {
    await late(rest, one, 120);
    await hold(rest);
    expect(await roundsUntil(rest, one, 5)).toBe(3);
  });
});

test('what cannot turn keeps nobody else waiting, however many it is of', async () => {
  const [account, other] = [await makeAccount(server), await makeAccount(server)];
  const [many, one] = [await make(account), await make(other)];
  await atRest(server, async (rest) => {
    await late(rest, many, 700, 700);
    await hold(rest);
    await rest.rows(`UPDATE credentials SET rotation_due_at = now() - interval '1 second' WHERE id = :one`, {
      one,
    });
    expect(await roundsUntil(rest, one, 5)).toBeLessThanOrEqual(3);
  });
});

test('an owner whose turn was had keeps nobody else waiting, however much is late', async () => {
  const [account, other] = [await makeAccount(server), await makeAccount(server)];
  const [many, one] = [await make(account), await make(other)];
  await atRest(server, async (rest) => {
    await late(rest, many, 700, 1);
    await rest.rows(
      `INSERT INTO rotation_turns SELECT account_id, 'infinity' FROM credentials WHERE id = :many`,
      { many },
    );
    await rest.rows(`UPDATE credentials SET rotation_due_at = now() - interval '1 second' WHERE id = :one`, {
      one,
    });
    expect(await roundsUntil(rest, one, 1)).toBe(1);
    expect(await turned(rest, many)).toBe(false);
  });
});
