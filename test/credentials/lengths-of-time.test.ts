import { parseId } from '../../src/ids.js';
import { dayMs } from '../../src/time.js';
import { makeStore } from '../stores/stores.js';
import { expectData, makeAccount, makeCredential, unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { ncloud, veracode, type Vendor } from './outside/vendors.js';
import { issue } from './temporary.js';
import { create, faultPaths, read, rotate, update } from './verbs.js';

/** Lengths by their one spelling, each with others: of the calendar a year has 365 or 366 days, and 12 months are one. */
const lengths: [canonical: string, ms: number, ...others: string[]][] = [
  ['P1D', dayMs, 'PT24H', 'PT86400S', 'P0Y0M1DT0S'],
  ['P7D', 7 * dayMs, 'P1W', 'PT168H'],
  ['P30D', 30 * dayMs, 'P1M', 'PT720H', 'P4W2D'],
  ['P360D', 360 * dayMs, 'P12M', 'P51W3D'],
  ['P365D', 365 * dayMs, 'P1Y', 'PT8760H', 'P12M5D'],
];
const spellings = lengths.flatMap(([canonical, ms, ...others]) =>
  [canonical, ...others].map((spelling) => ({ spelling, canonical, ms })),
);
const grace = (ms: number) => ms <= 90 * dayMs;
/** Longer than any test takes, and shorter than any two ways to count differ by. */
const slackMs = dayMs / 4;

let server: SharedServer;
let account: string;
const vendors: Vendor[] = [];
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
});
afterAll(async () => {
  for (const { standIn } of vendors) await standIn.stop();
});

const row = (id: string) => parseId(id)?.uuid ?? '';
const fromNow = (instant: string) => Date.parse(instant) - Date.now();
function expectAbout(actualMs: number, ms: number) {
  expect(Math.abs(actualMs - ms)).toBeLessThan(slackMs);
}
const policyOf = async (id: string) => (await read(server, id)).rotationPolicy;
const changedLast = async (id: string): Promise<{ changed: string[] }> =>
  expectData(
    await server.ask(
      'query ($id: ID!) { credential(id: $id) { auditEvents(first: 1) { nodes { changed } } } }',
      { id },
    ),
  ).credential.auditEvents.nodes[0].changed;

describe.each(spellings)('$spelling', ({ spelling, canonical, ms }) => {
  test('S20: is as long as ever where a filter asks what was not used for it', async () => {
    const owner = await makeAccount(server);
    const made = await Promise.all(
      ['longer', 'shorter'].map((name) => makeCredential(server, owner, { name })),
    );
    for (const [index, { id }] of made.entries()) {
      const unusedMs = index === 0 ? ms + 60_000 : ms - 60_000;
      await server.rows(
        `WITH made AS (UPDATE credentials
           SET created_at = now() - CAST(:unusedMs AS double precision) * interval '1 millisecond'
           WHERE id = CAST(:id AS uuid) RETURNING id, created_at)
         UPDATE credential_uses u SET unused_since = made.created_at FROM made WHERE u.credential_id = made.id`,
        { id: row(id), unusedMs },
      );
    }
    const text = `query ($owner: ID!, $for: Duration!) {
      credentials(filter: { account: [$owner], unusedFor: $for }) { nodes { name } totalCount } }`;
    expect(expectData(await server.ask(text, { owner, for: spelling })).credentials).toEqual({
      nodes: [{ name: 'longer' }],
      totalCount: 1,
    });
  });

  test('S20: is as long as ever in a policy and its rotation, and is read back in its one spelling', async () => {
    const rotationPolicy = { every: spelling, gracePeriod: grace(ms) ? spelling : 'PT0S' };
    const { id } = await makeCredential(server, account, { rotationPolicy });
    const made = await policyOf(id);
    expect(made).toMatchObject({ every: canonical, gracePeriod: grace(ms) ? canonical : 'PT0S' });
    expectAbout(fromNow(made.nextAt), ms);
    await server.rows(
      "UPDATE credentials SET rotation_due_at = now() + interval '1 hour' WHERE id = CAST(:id AS uuid)",
      {
        id: row(id),
      },
    );
    expectData(await rotate(server, { id }));
    expectAbout(fromNow((await policyOf(id)).nextAt), ms);
  });

  test('is what it was, where a policy is given it in another spelling', async () => {
    const rotationPolicy = { every: canonical, gracePeriod: 'P1D' };
    const { id } = await makeCredential(server, account, { rotationPolicy });
    const before = await read(server, id);
    const same = { every: spelling, gracePeriod: 'PT24H' };
    expectData(await update(server, { id, rotationPolicy: same, expectedRevision: before.revision }));
    expect(await read(server, id)).toEqual(before);
    expect(await changedLast(id)).toEqual([]);
    expectData(await update(server, { id, rotationPolicy: { ...same, every: `${canonical}T1S` } }));
    expect(await changedLast(id)).toEqual(['rotationPolicy']);
  });

  test('R2: is the same input under an idempotency key', async () => {
    const { id } = await makeCredential(server, account);
    const input = { id, idempotencyKey: unique('key') };
    const policy = (every: string) => ({ ...input, rotationPolicy: { every, gracePeriod: 'PT0S' } });
    expectData(await update(server, policy(canonical)));
    const { revision } = await read(server, id);
    expectData(await update(server, policy(spelling)));
    expect((await read(server, id)).revision).toBe(revision);
    expect((await update(server, policy(`${canonical}T1S`))).code).toBe('CONFLICT');
  });

  if (grace(ms))
    test('S20: is as long as ever as a grace period, and a rotation repeated with it is one', async () => {
      const { id } = await makeCredential(server, account);
      const input = { id, idempotencyKey: unique('key') };
      const first = expectData(await rotate(server, { ...input, gracePeriod: canonical }));
      expect(expectData(await rotate(server, { ...input, gracePeriod: spelling }))).toEqual(first);
      const { versions } = await read(server, id);
      expect(versions).toHaveLength(2);
      expectAbout(fromNow(versions[1].validUntil), ms);
    });
});

describe.each([
  ['where both secrets live', ncloud, 'PT24H'],
  ['where the previous one ends', veracode, 'PT0S'],
])('in an outside store %s', (_, open, gracePeriod) => {
  let vendor: Vendor;
  let store: string;
  beforeAll(async () => {
    vendor = await open();
    vendors.push(vendor);
    store = await makeStore(server, account, vendor.connection);
  });

  test.each(spellings)(
    'S20: $spelling is as long as ever in a policy',
    async ({ spelling, canonical, ms }) => {
      const spot = vendor.spot();
      const rotationPolicy = { every: spelling, gracePeriod };
      const { id } = await makeCredential(server, account, { ...spot.create, store, rotationPolicy });
      const made = await policyOf(id);
      expect(made.every).toBe(canonical);
      expectAbout(fromNow(made.nextAt), ms);
      await server.rows(
        "UPDATE credentials SET rotation_due_at = now() + interval '1 hour' WHERE id = CAST(:id AS uuid)",
        {
          id: row(id),
        },
      );
      expectData(await rotate(server, { id, ...spot.rotate, gracePeriod }));
      const { rotationPolicy: policy, versions } = await read(server, id);
      expectAbout(fromNow(policy.nextAt), ms);
      expectAbout(fromNow(versions[1].validUntil), gracePeriod === 'PT0S' ? 0 : dayMs);
    },
  );
});

test.each([
  ['P3M', 'P90D', 90 * dayMs],
  ['P12M', 'P360D', 360 * dayMs],
  ['P1Y2W', 'P379D', 379 * dayMs],
])('what was stored as %s before lengths had one spelling is %s', async (stored, canonical, ms) => {
  const rotationPolicy = { every: canonical, gracePeriod: 'P7D' };
  const { id } = await makeCredential(server, account, { rotationPolicy });
  await server.rows(
    "UPDATE credentials SET rotate_every = :stored, rotate_grace = 'P1W' WHERE id = CAST(:id AS uuid)",
    { id: row(id), stored },
  );
  const before = await read(server, id);
  expect(before.rotationPolicy).toMatchObject(rotationPolicy);
  for (const every of [stored, canonical]) {
    expectData(await update(server, { id, rotationPolicy: { ...rotationPolicy, every } }));
    expect(await read(server, id)).toEqual(before);
  }
  expectData(await rotate(server, { id }));
  expectAbout(fromNow((await policyOf(id)).nextAt), ms);
});

describe('a limit is the same length in every spelling', () => {
  test.each([
    ['P90D', 'P90DT0.001S'],
    ['P3M', 'P3M1D'],
    ['P12W6D', 'P13W'],
    ['PT2160H', 'PT2160H1S'],
  ])('of a grace period: %s, and not %s', async (longest, longer) => {
    const { id } = await makeCredential(server, account);
    expectData(await rotate(server, { id, gracePeriod: longest }));
    expect(faultPaths(await rotate(server, { id, gracePeriod: longer }))).toEqual(['input.gracePeriod']);
  });

  test.each([
    ['P10Y', 'P10YT1S'],
    ['P121M20D', 'P122M'],
    ['P3650D', 'P3651D'],
    ['PT87600H', 'PT87601H'],
  ])('of a policy: %s, and not %s', async (longest, longer) => {
    const policy = (every: string) => ({
      account,
      name: unique('limit'),
      secret: { accessKey: {} },
      rotationPolicy: { every, gracePeriod: 'PT0S' },
    });
    expectData(await create(server, policy(longest)));
    expect(faultPaths(await create(server, policy(longer)))).toEqual(['input.rotationPolicy.every']);
  });

  test.each([
    ['PT36H', 'PT36H1S'],
    ['P1DT12H', 'P1DT12H1S'],
    ['PT2160M', 'PT2161M'],
  ])(
    'of a temporary credential: %s, and not %s; repeated in another spelling it is one',
    async (longest, longer) => {
      const parent = (await makeCredential(server, account)).id;
      const input = { parent, idempotencyKey: unique('key') };
      const first = expectData(await issue(server, { ...input, duration: longest }));
      expectAbout(fromNow(first.issueTemporaryCredential.credential.expiresAt), 1.5 * dayMs);
      expect(expectData(await issue(server, { ...input, duration: 'P1DT12H' }))).toEqual(first);
      expect(faultPaths(await issue(server, { parent, duration: longer }))).toEqual(['input.duration']);
    },
  );
});
