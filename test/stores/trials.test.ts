import { makeAccount, makeCaller, unique } from '../support/make.js';
import { mostTrials } from '../../src/config/limits.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';
import { createStore, seqeraAt } from './stores.js';

let server: TestServer;
let seqera: Seqera;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  seqera = await startSeqera();
});
afterAll(async () => {
  await server.stop();
  await seqera.stop();
});

/** Connects a store of an account, as one that may, and is part of it. */
async function connectorOf() {
  const account = await makeAccount(server);
  const { token } = await makeCaller(server, ['STORE_MANAGE'], { onAccount: account }, { parent: account });
  return async (endpoint = seqera.url): Promise<string | undefined> => {
    const connection = seqeraAt({ ...seqera, url: endpoint });
    return (await createStore(server, { account, name: unique('store'), connection }, { token })).code;
  };
}

test('R20: one tenant has so many connections tried at once, and another connects beside it', async () => {
  const [theirs, mine] = [await connectorOf(), await connectorOf()];
  const held = Array.from({ length: mostTrials.atOnce }, () => seqera.hold('before'));
  const trying = Array.from({ length: mostTrials.atOnce }, () => theirs());
  const standing = await Promise.all(held);
  expect(await theirs()).toBe('RATE_LIMITED');
  expect(await mine()).toBeUndefined();
  for (const stopped of standing) stopped.release();
  expect(await Promise.all(trying)).toEqual(trying.map(() => undefined));
  expect(await theirs()).toBeUndefined();
});

test('R20: one tenant whose connections fail tries so many in a minute', async () => {
  const [theirs, mine] = [await connectorOf(), await connectorOf()];
  const nowhere = 'https://localhost:1';
  const codes = new Set<string | undefined>();
  for (let time = 0; time < mostTrials.failures / 8; time++)
    for (const code of await Promise.all(Array.from({ length: 8 }, () => theirs(nowhere)))) codes.add(code);
  expect(codes).toEqual(new Set(['UNAVAILABLE']));
  expect(await theirs(nowhere)).toBe('RATE_LIMITED');
  expect(await mine()).toBeUndefined();
});
