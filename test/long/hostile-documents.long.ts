import { startTestServer, type TestServer } from '../support/server.js';

// What documents that are made to be slow cost the server: the median of 20, on a machine that does nothing else.

const most = 100;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function medianMs(query: string, variables: Record<string, unknown>, code: string): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < 20; round++) {
    const began = performance.now();
    const answer = await server.ask(query, variables);
    taken.push(performance.now() - began);
    expect(answer.code).toBe(code);
  }
  return taken.sort((one, other) => one - other)[10] ?? Infinity;
}

test('S3: ten faults after a hundred thousand lines are told within 100 ms', async () => {
  const names = Array.from({ length: 100 }, (_, index) => `x${index}`);
  const query = `${'\n'.repeat(80_000)}{ ${names.join(' ')} }`;
  expect(await medianMs(query, {}, 'GRAPHQL_VALIDATION_FAILED')).toBeLessThan(most);
});

test('S3: a document of the deepest kind, with a long list beside it, is measured within 100 ms', async () => {
  const query = `query ($ids: [ID!]!) {
    nodes(ids: $ids) { id } viewer { ${'... { parent { '.repeat(150)} id ${'} '.repeat(300)} }
  }`;
  const ids = Array<string>(10_000).fill('x');
  expect(await medianMs(query, { ids }, 'LIMIT_EXCEEDED')).toBeLessThan(most);
});
