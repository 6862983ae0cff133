/** @embedded what vendors answer */
import { expectData, unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { atEach, toEach } from './at-each.js';

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

/** What `settable` of a store names, with something to ask for. */
const asked = {
  ALLOWED_IPS: ['allowedIps', ['192.0.2.1']],
  BASE_URL: ['baseUrl', 'https://git.example.com'],
  ENABLED: ['enabled', false],
  EXPIRES_AT: ['expiresAt', new Date(Date.now() + 86_400_000).toISOString()],
} as const;

test('what a store says can be given to its credentials is what it takes, and the others are refused at the field', async () => {
  const told = await atEach(server, async (world) => {
    const { store } = expectData(
      await server.ask('query ($id: ID!) { store: node(id: $id) { ... on CredentialStore { settable } } }', {
        id: world.store,
      }),
    );
    const refused: string[] = [];
    for (const [what, [field, value]] of Object.entries(asked)) {
      const { errors } = await world.run('createCredential', {
        ...{ account: world.account, store: world.store, name: unique('given') },
        ...world.wish(),
        [field]: value,
      });
      const faults = errors.flatMap(({ extensions }) => extensions.fields ?? []);
      const isRefused = faults.some(({ message }) => message.includes('this store has no such setting'));
      if (isRefused) expect(faults.map(({ path }) => path)).toEqual([`input.${field}`]);
      if (isRefused) refused.push(what);
    }
    return [...store.settable, ...refused].sort();
  });
  // Each of them is one or the other.
  expect(told).toEqual(toEach(() => Object.keys(asked).sort()));
});
