import { SignatureScheme } from '../../src/signatures/scheme.js';
import { makeAccount, makeCaller, makeCredential, type Made } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { question, signedBy } from '../support/signing.js';
import { poster } from '../support/verify.js';

// How well a classifier tells two kinds of answers apart by how long they took: 0.5 is not at all, 1 always.

const samples = 2_000;
const most = 0.55;
// Two standard errors of so many samples below the most: where one run ends here, no other is needed.
const clear = 0.525;
const runs = 3;

let server: TestServer;
let token: string;
const caller = poster(2);
beforeAll(async () => {
  // All that is refused comes from one address.
  server = await startTestServer({ KEYWAY_RATE_LIMITS: 'points=0,failures=0' });
  ({ token } = await makeCaller(server, ['CREDENTIAL_VERIFY']));
});
afterAll(async () => {
  caller.close();
  await server.stop();
});

/** The area under the classifier's curve, by ranks (Mann-Whitney), whichever way it decides. */
function area(one: readonly number[], other: readonly number[]): number {
  const all = [...one.map((ms) => ({ ms, mine: true })), ...other.map((ms) => ({ ms, mine: false }))];
  all.sort((a, b) => a.ms - b.ms);
  const ranks = all.reduce((sum, { mine }, index) => (mine ? sum + index + 1 : sum), 0);
  const auc = (ranks - (one.length * (one.length + 1)) / 2) / (one.length * other.length);
  return Math.max(auc, 1 - auc);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** Both kinds in turns, in an order that changes; the median of the runs, as one can fall into a bad moment. */
async function told(one: () => Promise<unknown>, other: () => Promise<unknown>, count = samples) {
  for (let warming = 0; warming < 100; warming++) await Promise.all([one(), other()]);
  const areas: number[] = [];
  for (let run = 0; run < runs; run++) {
    const [ones, others]: [number[], number[]] = [[], []];
    for (let sample = 0; sample < count / 2; sample++) {
      const first = (sample * 7919) % 13 < 6;
      if (first) ones.push(await timed(one));
      others.push(await timed(other));
      if (!first) ones.push(await timed(one));
    }
    areas.push(area(ones, others));
    if (run === 0 && area(ones, others) <= clear) break;
    if (areas.filter((auc) => auc <= most).length > runs / 2) break;
  }
  return areas.sort((a, b) => a - b)[Math.floor(areas.length / 2)] ?? 1;
}

const post = async (path: string, body: object, bearer = token) => {
  const headers = { authorization: `Bearer ${bearer}` };
  return (await caller.send(`${server.url}${path}`, headers, JSON.stringify(body))).body;
};

const some = <One>(many: readonly One[]) => {
  let next = 0;
  return () => many[next++ % many.length] as One;
};

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
// As Keyway makes them: a digit is among the letters.
const unknownKeys = Array.from({ length: 200 }, (_, n) =>
  Array.from({ length: 20 }, (_each, place) =>
    place === 19 ? '7' : letters[(n * 31 + place * place * 17 + n * place) % 32],
  ).join(''),
);

test('S25: an access key that nobody has is not told from a wrong secret by time', async () => {
  const account = await makeAccount(server);
  const made: Made[] = [];
  for (let n = 0; n < 200; n++) made.push(await makeCredential(server, account));
  const [known, unknown] = [some(made), some(unknownKeys)];
  const ask = (accessKey: string | null) =>
    post('/v1/verify', { accessKey, proof: { secret: 'x'.repeat(43) } });
  expect(
    await told(
      () => ask(known().accessKey),
      () => ask(unknown()),
    ),
  ).toBeLessThanOrEqual(most);
}, 400_000);

test("S25: a caller's token that nobody has is not told from one with a wrong secret by time", async () => {
  const account = await makeAccount(server);
  const made: string[] = [];
  for (let n = 0; n < 50; n++) {
    const { secret } = await makeCredential(server, account, { secret: { token: {} } });
    made.push(secret ?? '');
  }
  // Rotated, so that the secret is wrong and the rest of the token is whole; deleted, so that nobody has it.
  const gone: string[] = [];
  for (let n = 0; n < 50; n++) {
    const { id, secret } = await makeCredential(server, account, { secret: { token: {} } });
    gone.push(secret ?? '');
    await server.ask('mutation ($id: ID!) { deleteCredential(input: { id: $id }) { credential { id } } }', {
      id,
    });
  }
  const ids = await server.rows<{ id: string }>(
    `SELECT id::text AS id FROM credentials WHERE kind = 'TOKEN' AND deleted_at IS NULL AND account_id = (
      SELECT account_id FROM credentials WHERE access_key = :key)`,
    { key: /kw_\w+?_(\w{16})_/.exec(made[0] ?? '')?.[1] ?? '' },
  );
  await server.rows(
    'UPDATE credential_versions SET verifier = :other WHERE credential_id = ANY(CAST(:ids AS uuid[]))',
    {
      other: Buffer.alloc(32, 7),
      ids: ids.map(({ id }) => id),
    },
  );
  const [wrong, unknown] = [some(made), some(gone)];
  const ask = (bearer: string) => post('/graphql', { query: '{ viewer { id } }' }, bearer);
  expect(
    await told(
      () => ask(wrong()),
      () => ask(unknown()),
    ),
  ).toBeLessThanOrEqual(most);
}, 400_000);

describe('S25: the key of a signed call that nobody has', () => {
  type Key = Pick<Made, 'accessKey' | 'secret'>;
  const wrong = 'x'.repeat(43);
  let live: Key[];
  let revoked: Key[];
  let unknown: Key[];

  beforeAll(async () => {
    const account = await makeAccount(server);
    const made: Made[] = [];
    for (let n = 0; n < 60; n++) made.push(await makeCredential(server, account));
    live = made.slice(0, 30).map(({ accessKey }) => ({ accessKey, secret: wrong }));
    revoked = made.slice(30);
    await server.rows(
      `WITH gone AS (UPDATE credentials SET revoked_at = now() WHERE access_key = ANY(CAST(:keys AS text[])) RETURNING id)
       UPDATE credential_versions SET state = 'RETIRED', sealed = NULL, kek_id = NULL
       WHERE credential_id IN (SELECT id FROM gone)`,
      { keys: revoked.map(({ accessKey }) => accessKey) },
    );
    // Each is next to a revoked one, which is what is read in its place.
    unknown = revoked.map(({ accessKey }) => ({ accessKey: `${accessKey?.slice(0, -1)}!`, secret: wrong }));
  });

  const call = async (key: Key) => {
    const { headers, body } = signedBy(
      server,
      key,
      SignatureScheme.HTTP_MESSAGE_SIGNATURES,
      question(server, '{ viewer { id } }'),
    );
    const named = Object.fromEntries(headers.map(({ name, value }) => [name, value]));
    const answer = await caller.send(`${server.url}/graphql`, named, body?.toString() ?? '');
    if (answer.status !== 401) throw new Error('a call was taken');
  };

  test.each(['one that was revoked', 'one with a wrong secret'])(
    'is not told from %s by time',
    async (which) => {
      const [known, nobody] = [some(which.endsWith('revoked') ? revoked : live), some(unknown)];
      expect(
        await told(
          () => call(known()),
          () => call(nobody()),
        ),
      ).toBeLessThanOrEqual(most);
    },
    400_000,
  );
});
