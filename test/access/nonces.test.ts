import { forgetNonces } from '../../src/access/nonces.js';
import { windowMs } from '../../src/signatures/scheme.js';
import { schemes } from '../../src/signatures/schemes.js';
import { rowOf } from '../credentials/due/due.js';
import { makeAccount, makeCredential, type Made } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { callingSchemes, keyOf, presentation, question, send } from '../support/signing.js';

// A nonce is kept for as long as the request that it came with could be sent again and be in time: by the clock of
// whoever signed it, which may be ahead. Both doors take nonces: that of callers, and verification.

let server: TestServer;
let account: string;
beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
});
afterAll(() => server.stop());

const makeKey = () => makeCredential(server, account, { secret: { accessKey: { secretFormat: 'HEX' } } });

type Scheme = (typeof callingSchemes)[number];

function signedAt(key: Made, scheme: Scheme, fromNowMs: number) {
  const ms = Math.round(server.db.now()) + fromNowMs;
  return { ms, request: schemes[scheme].sign(question(server, '{ viewer { id } }'), keyOf(key), { ms }) };
}

type Sent = ReturnType<typeof signedAt>;

/** Whether a request is taken, at each door. */
const doors: Record<string, (scheme: Scheme, sent: Sent) => Promise<boolean>> = {
  'calling Keyway': async (_, { request }) => (await send(server, request)).status === 200,
  verification: async (scheme, { request }) => {
    const answer = await server.ask(
      'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code } }',
      { input: presentation(scheme, request) },
    );
    return answer.data.verifyCredential.code === 'VALID';
  },
};

/** By how much the nonces of a key outlive an instant, in milliseconds. */
const leftAfter = async (key: Made, ms: number) =>
  (
    await server.rows<{ left: number }>(
      `SELECT CAST(extract(epoch FROM expires_at) * 1000 - CAST(:ms AS double precision) AS double precision) AS left
       FROM nonces WHERE credential_id = :id`,
      { id: rowOf(key.id), ms },
    )
  ).map(({ left }) => left);

const nearlyMs = windowMs - 5_000;

describe.each(Object.keys(doors))('S21: by %s', (door) => {
  const takes = (scheme: Scheme, sent: Sent) => doors[door]?.(scheme, sent);

  describe.each(callingSchemes)('in %s', (scheme) => {
    test.each([
      ['long ago', -nearlyMs],
      ['now', 0],
      ['by a clock that is ahead', nearlyMs],
    ])('what was signed %s is taken once, for as long as it is in time', async (_, fromNowMs) => {
      const key = await makeKey();
      const sent = signedAt(key, scheme, fromNowMs);
      expect(await takes(scheme, sent)).toBe(true);
      const left = await leftAfter(key, sent.ms + windowMs);
      expect(left).toHaveLength(1);
      expect(Math.min(...left)).toBeGreaterThan(0);
      await forgetNonces(server.db);
      for (const other of Object.keys(doors)) expect(await doors[other]?.(scheme, sent)).toBe(false);
    });

    test('what is out of time is not taken, and leaves no nonce', async () => {
      const key = await makeKey();
      for (const fromNowMs of [-windowMs - 5_000, windowMs + 5_000])
        expect(await takes(scheme, signedAt(key, scheme, fromNowMs))).toBe(false);
      expect(await leftAfter(key, 0)).toEqual([]);
    });
  });
});

test('S21: nonces that nothing could come with any more are forgotten, and no others', async () => {
  const [scheme] = callingSchemes;
  const keys = [await makeKey(), await makeKey(), await makeKey()];
  for (const key of keys) expect((await send(server, signedAt(key, scheme, 0).request)).status).toBe(200);
  const [past, alsoPast, toCome] = keys;
  await server.rows(
    `UPDATE nonces SET expires_at = now() - interval '1 second' WHERE credential_id = ANY(CAST(:ids AS uuid[]))
     RETURNING 1`,
    { ids: [past, alsoPast].map((key) => rowOf(key?.id ?? '')) },
  );
  const kept = async () => Promise.all(keys.map(async (key) => (await leftAfter(key, 0)).length));
  // The server forgets by itself as well.
  await forgetNonces(server.db);
  expect(await kept()).toEqual([0, 0, 1]);
  expect(await leftAfter(toCome as Made, server.db.now())).toHaveLength(1);
  expect(await forgetNonces(server.db)).toBe(0);
});
