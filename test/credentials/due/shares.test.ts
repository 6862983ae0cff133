import { makeAccount, makeCredential } from '../../support/make.js';
import { atRest, type AtRest } from '../../support/at-rest.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { rotateDue, rowOf } from './due.js';

// Rotations that are due, of a tenant that has many of them and of one that has one.

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.stop());

const rotationPolicy = { every: 'P30D', gracePeriod: 'PT0S' };
const make = async (account: string) =>
  rowOf((await makeCredential(server, account, { retrievable: true, rotationPolicy })).id);

/** Credentials in parts of one tenant, each of which has a turn of its own. */
async function many(count: number): Promise<string[]> {
  const parent = await makeAccount(server);
  const all: string[] = [];
  for (let made = 0; made < count; made++) all.push(await make(await makeAccount(server, { parent })));
  return all;
}

const setDue = (rest: AtRest, ids: string[], ago: string) =>
  rest.rows(
    `UPDATE credentials SET rotation_due_at = now() - CAST(:ago AS interval) WHERE id = ANY(CAST(:ids AS uuid[]))
     RETURNING id`,
    { ids, ago },
  );
const turned = async (rest: AtRest, ids: string[]): Promise<string[]> =>
  (
    await rest.rows<{ id: string }>(
      'SELECT credential_id AS id FROM credential_versions WHERE number = 2 AND credential_id = ANY(CAST(:ids AS uuid[]))',
      { ids },
    )
  ).map(({ id }) => id);

test('what fails in a way that nobody foresaw keeps nothing of others waiting, and is put off by itself', async () => {
  const bad = await many(24);
  const good = await make(await makeAccount(server));
  await atRest(server, async (rest) => {
    await setDue(rest, bad, '1 day');
    await setDue(rest, [good], '1 second');
    await rest.rows(
      `UPDATE credentials SET rotate_grace = 'what is no length of time' WHERE id = ANY(CAST(:ids AS uuid[])) RETURNING id`,
      { ids: bad },
    );
    await rotateDue(rest.parts);
    expect(await turned(rest, [...bad, good])).toEqual([good]);
    // What was tried is not tried again at once, so that each has been tried soon.
    const tried = async () =>
      (
        await rest.rows('SELECT id FROM credentials WHERE rotation_tried_at IS NOT NULL AND NOT id = :good', {
          good,
        })
      ).length;
    expect(await tried()).toBe(10);
    await rotateDue(rest.parts);
    await rotateDue(rest.parts);
    expect(await tried()).toBe(24);
    const of = bad.map((id) => rest.logged.filter((line) => line.includes(id)).length);
    expect(of).toEqual(bad.map(() => 1));
  });
});

test('what failed is tried again after half the time that it was late then: a minute at least, ten at most', async () => {
  const cases: [late: string, since: string, again: boolean][] = [
    ['10 seconds', '50 seconds', false],
    ['10 seconds', '61 seconds', true],
    ['6 minutes', '170 seconds', false],
    ['6 minutes', '181 seconds', true],
    ['1 day', '590 seconds', false],
    ['1 day', '601 seconds', true],
  ];
  const all: string[] = [];
  while (all.length < cases.length) all.push(await make(await makeAccount(server)));
  await atRest(server, async (rest) => {
    for (const [index, [late, since]] of cases.entries())
      await rest.rows(
        `UPDATE credentials SET rotation_tried_at = now() - CAST(:since AS interval),
           rotation_due_at = now() - CAST(:since AS interval) - CAST(:late AS interval) WHERE id = :id RETURNING id`,
        { id: all[index], late, since },
      );
    await rotateDue(rest.parts);
    const done = await turned(rest, all);
    expect(cases.map((_, index) => done.includes(all[index] ?? ''))).toEqual(
      cases.map(([, , again]) => again),
    );
  });
});

test('one of a tenant comes before the many that another has, though these are due for longer', async () => {
  const theirs = await many(24);
  const one = await make(await makeAccount(server));
  await atRest(server, async (rest) => {
    await setDue(rest, theirs, '1 day');
    await setDue(rest, [one], '1 second');
    await rotateDue(rest.parts);
    const done = await turned(rest, [...theirs, one]);
    expect(done).toContain(one);
    expect(done).toHaveLength(11);
  });
});
