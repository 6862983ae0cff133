/**
 * @embedded what comes in by HTTP
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sharedServer, type SharedServer } from '../support/server.js';

let server: SharedServer;
beforeAll(async () => void (server = await sharedServer()));

interface Seen {
  method: string;
  status: number;
  type: string;
}

interface Outcome {
  data: { viewer: { name: string }; credentials: { totalCount: number } };
  made: { createAccount: { account: { name: string } } };
  wrong: string;
  code: string;
  seen: Seen[];
}

/** What a client made of it, in a process of its own, as its package comes. */
async function outcomeOf(client: string): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['test/clients/clients.mjs', client, `${server.url}/graphql`],
    { env: { PATH: process.env['PATH'], KEYWAY_TOKEN: server.adminToken }, maxBuffer: 2 ** 25 },
  );
  return JSON.parse(stdout) as Outcome;
}

test.each([
  ['Apollo Client', 'apollo', 'POST'],
  ['Apollo Client, by GET', 'apolloByGet', 'GET'],
  ['urql, with its defaults', 'urql', 'GET'],
  ['Relay', 'relay', 'POST'],
  ['graphql-request, by GET', 'graphqlRequest', 'GET'],
])('%s asks, changes, and is told what is wrong', async (_, client, method) => {
  const { data, made, wrong, seen } = await outcomeOf(client);
  expect(data).toMatchObject({
    viewer: { name: 'admin' },
    credentials: { totalCount: expect.any(Number) as number },
  });
  expect(made.createAccount.account.name).toMatch(new RegExp(`^client-${client}-`));
  expect(wrong).toContain('first: must be from 1 to 100');
  expect(seen.map((one) => [one.method, one.status])).toEqual([
    [method, 200],
    ['POST', 200],
    [method, 400],
  ]);
  for (const { type } of seen) expect(type).toMatch(/^application\/graphql-response\+json/);
});

test('graphql-codegen makes types of the graph, and of operations', async () => {
  const { code, seen } = await outcomeOf('codegen');
  expect(seen[0]?.status).toBe(200);
  expect(code).toContain('export type CreateAccountInput = {');
  expect(code).toContain('export type MineQuery =');
  expect(code).toContain('export type MakeMutationVariables =');
});
