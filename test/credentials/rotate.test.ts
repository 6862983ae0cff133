import { startTestServer, type TestServer } from '../support/server.js';
import { expectData, makeAccount, makeCredential } from '../support/make.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

test('R6: of many rotations at once, one happens', async () => {
  const { id } = await makeCredential(server, await makeAccount(server));
  const rotate = () =>
    server.ask('mutation ($id: ID!) { rotateCredential(input: { id: $id }) { credential { revision } } }', {
      id,
    });
  const answers = await Promise.all(Array.from({ length: 20 }, rotate));
  expect(answers.map(({ code }) => code).filter((code) => code === undefined)).toHaveLength(1);
  expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([undefined, 'CONFLICT']));
  const read = await server.ask('query ($id: ID!) { credential(id: $id) { versions { number state } } }', {
    id,
  });
  expect(expectData(read).credential.versions).toEqual([
    { number: 2, state: 'CURRENT' },
    { number: 1, state: 'RETIRED' },
  ]);
});
