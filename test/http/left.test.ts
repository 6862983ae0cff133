import { expectData, unique } from '../support/make.js';
import { gate } from '../support/on-the-way.js';
import { startTestServer, type TestServer } from '../support/server.js';

// Who has left reads no answer: what was not begun by then never is, and what was begun comes to its end.

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const createAccount =
  'mutation ($name: String!) { createAccount(input: { name: $name, title: "Left", kind: ORGANIZATION }) { account { id } } }';

const made = async (name: string) =>
  (await server.rows('SELECT id FROM accounts WHERE name = :name', { name })).length;

/** Where a request is held: it calls `here`, which returns when its caller has left, and the server knows. */
type Hold = (here: () => Promise<void>) => void;

/** Has a caller ask for an account of this name, and leave where the request is held. */
async function leave(name: string, hold: Hold): Promise<void> {
  const reached = gate();
  const going = gate();
  hold(async () => {
    reached.open();
    await going.opened;
  });
  const leaving = new AbortController();
  const answer = fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.adminToken}` },
    body: JSON.stringify({ query: createAccount, variables: { name } }),
    signal: leaving.signal,
  });
  await reached.opened;
  leaving.abort();
  await expect(answer).rejects.toThrow();
  // Connections that came later are served: the end of that one has been seen.
  for (let count = 0; count < 3; count++)
    await fetch(`${server.url}/health`, { headers: { connection: 'close' } });
  going.open();
}

const whileFindingOut: Hold = (here) => {
  const { db } = server;
  const rows = db.rows.bind(db);
  db.rows = async (statement, parameters) => {
    if (!statement.text.includes('v.verifier')) return rows(statement, parameters);
    db.rows = rows;
    await here();
    return rows(statement, parameters);
  };
};

/** Holds the transaction of the request ahead of its work, or behind it. */
const inTransaction =
  (when: 'ahead' | 'behind'): Hold =>
  (here) => {
    const { db } = server;
    const transaction = db.transaction.bind(db);
    db.transaction = async (work) => {
      // Those of jobs are not made by a request.
      if (!String(new Error().stack).includes('standing')) return transaction(work);
      db.transaction = transaction;
      return transaction(async (tx) => {
        if (when === 'ahead') await here();
        const result = await work(tx);
        if (when === 'behind') await here();
        return result;
      });
    };
  };

test.each([
  ['while it was found out who it is', whileFindingOut],
  ['while it waited for a connection of the database', inTransaction('ahead')],
])('R25: nothing is begun for a caller who left %s', async (_, hold) => {
  const [name, next] = [unique('left'), unique('next')];
  await leave(name, hold);
  expectData(await server.ask(createAccount, { name: next }));
  expect([await made(name), await made(next)]).toEqual([0, 1]);
  expect(server.logged.join('\n')).not.toContain('failed inside');
});

test('R25: what was begun is done, though its caller left', async () => {
  const name = unique('left');
  await leave(name, inTransaction('behind'));
  while ((await made(name)) === 0);
});
