import { startTestServer, type TestServer } from '../support/server.js';
import { expectData } from '../support/make.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe('stores', () => {
  test('are the one that is built in, with what it can do', async () => {
    const fields =
      'name kind endpoint capabilities rotation { chosenBy previous } health { reachable } budget { limit } lastSync { added }';
    const { store, stores } = expectData(
      await server.ask(`{ store(name: "keyway") { ${fields} } stores { ${fields} } }`),
    );
    expect(stores).toEqual([store]);
    expect(store).toMatchObject({
      name: 'keyway',
      kind: 'BUILT_IN',
      endpoint: null,
      capabilities: expect.arrayContaining([
        'CREATE',
        'UPDATE',
        'ROTATE',
        'REVOKE',
        'DELETE',
        'REVEAL',
        'ISSUE',
      ]),
      rotation: { previous: 'LIVES' },
      health: { reachable: true },
      budget: null,
      lastSync: null,
    });
    expect(expectData(await server.ask('{ store(name: "no-such-store") { id } }')).store).toBeNull();
  });
});
