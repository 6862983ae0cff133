import { durationMs } from '../../src/time.js';
import { makeStore } from '../stores/stores.js';
import { expectData, makeAccount, makeCredential, unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { rowOf } from './due/due.js';
import { ncloud, veracode, type Vendor } from './outside/vendors.js';
import { create, faultPaths, read, rotate, update } from './verbs.js';

// What a policy promises: when the next rotation is due, and what is refused because it could not be kept.

let server: SharedServer;
const vendors: Vendor[] = [];
beforeAll(async () => {
  server = await sharedServer();
});
afterAll(async () => {
  for (const { standIn } of vendors) await standIn.stop();
});

const policy = (every: string, gracePeriod = 'PT0S') => ({ every, gracePeriod });
const ago = (length: string) => Date.now() - durationMs(length);
const slackMs = 600_000;

/** A credential whose secret was made so long ago, with a policy since then. */
async function aged(length: string, every: string, input: Record<string, unknown> = {}): Promise<string> {
  const { id } = await makeCredential(server, await makeAccount(server), {
    rotationPolicy: policy(every),
    ...input,
  });
  await server.rows(
    `WITH made AS (UPDATE credential_versions
       SET created_at = created_at - CAST(:ageMs AS double precision) * interval '1 millisecond'
       WHERE credential_id = :id RETURNING credential_id AS id)
     UPDATE credentials c
       SET rotation_due_at = rotation_due_at - CAST(:ageMs AS double precision) * interval '1 millisecond'
     FROM made WHERE c.id = made.id RETURNING c.id`,
    { id: rowOf(id), ageMs: durationMs(length) },
  );
  return id;
}

const policyOf = async (id: string) => (await read(server, id)).rotationPolicy;
const set = async (id: string, rotationPolicy: object | null) =>
  expectData(await update(server, { id, rotationPolicy })).updateCredential.credential.rotationPolicy;
const expectAt = (instant: string, ms: number) =>
  expect(Math.abs(Date.parse(instant) - ms)).toBeLessThan(slackMs);

describe('the next rotation is due', () => {
  test.each(['P89D', 'P120D', 'P81D'])(
    'when the secret is as old as a new interval says: %s',
    async (every) => {
      const id = await aged('P80D', 'P90D');
      expectAt((await set(id, policy(every))).nextAt, ago('P80D') + durationMs(every));
    },
  );

  test('no later for being edited again and again', async () => {
    const id = await aged('P80D', 'P90D');
    for (const every of ['P91D', 'P92D', 'P91D', 'P90D']) await set(id, policy(every));
    expectAt((await policyOf(id)).nextAt, ago('P80D') + durationMs('P90D'));
  });

  test('no later for a policy that was taken away in between', async () => {
    const id = await aged('P80D', 'P90D');
    expect(await set(id, null)).toBeNull();
    expectAt((await set(id, policy('P90D'))).nextAt, ago('P80D') + durationMs('P90D'));
  });

  test('an interval after a rotation by hand', async () => {
    const id = await aged('P80D', 'P90D');
    expectData(await rotate(server, { id }));
    expectAt((await policyOf(id)).nextAt, Date.now() + durationMs('P90D'));
    expectAt((await set(id, policy('P30D'))).nextAt, Date.now() + durationMs('P30D'));
  });

  test.each(['P90D', 'PT2160H', 'P3M', 'PT7776000S'])(
    'when it was, for an equal interval: %s',
    async (every) => {
      const id = await aged('P80D', 'P90D');
      await server.rows(
        `UPDATE credentials SET rotation_due_at = rotation_due_at + interval '3 hours' WHERE id = :id RETURNING id`,
        { id: rowOf(id) },
      );
      const before = await read(server, id);
      await set(id, policy(every));
      expect(await read(server, id)).toEqual(before);
    },
  );
});

describe('what is late', () => {
  const listed = async (id: string, rotationOverdue: boolean) => {
    const { accessKey } = await read(server, id);
    const text = `query ($filter: CredentialFilter!) { credentials(filter: $filter) { nodes { id } } }`;
    return expectData(
      await server.ask(text, { filter: { search: accessKey, rotationOverdue, includeDeleted: true } }),
    ).credentials.nodes.map((node: { id: string }) => node.id);
  };
  const late = async (id: string) => {
    const { rotationPolicy } = expectData(
      await server.ask(
        'query ($id: ID!) { credential(id: $id) { rotationPolicy { nextAt overdueSince } } }',
        { id },
      ),
    ).credential;
    return rotationPolicy;
  };

  test('says since when, and is found by a filter', async () => {
    const id = await aged('P80D', 'P90D');
    expect((await late(id)).overdueSince).toBeNull();
    expect([await listed(id, true), await listed(id, false)]).toEqual([[], [id]]);
    await set(id, policy('P79D'));
    const { nextAt, overdueSince } = await late(id);
    expect(overdueSince).toBe(nextAt);
    expectAt(overdueSince, ago('P1D'));
    expect([await listed(id, true), await listed(id, false)]).toEqual([[id], []]);
  });

  test('is late no more once it is revoked', async () => {
    const id = await aged('P80D', 'P79D');
    expect((await late(id)).overdueSince).not.toBeNull();
    expectData(
      await server.ask('mutation ($id: ID!) { revokeCredential(input: { id: $id }) { credential { id } } }', {
        id,
      }),
    );
    expect((await late(id)).overdueSince).toBeNull();
    expect([await listed(id, true), await listed(id, false)]).toEqual([[], [id]]);
  });

  test('is not late for having no policy', async () => {
    const { id } = await makeCredential(server, await makeAccount(server));
    expect([await listed(id, true), await listed(id, false)]).toEqual([[], [id]]);
  });
});

describe('is refused, and nothing is changed', () => {
  const asked = (account: string, input: Record<string, unknown>) =>
    create(server, { account, name: unique('policy'), secret: { accessKey: {} }, ...input });

  test.each([
    ['PT1H', 'PT2H'],
    ['P30D', 'P31D'],
    ['P1M', 'P30DT1S'],
  ])('a grace period that the next rotation would cut short: every %s, %s', async (every, gracePeriod) => {
    const account = await makeAccount(server);
    const rotationPolicy = policy(every, gracePeriod);
    const fields = ['input.rotationPolicy.gracePeriod'];
    expect(faultPaths(await asked(account, { rotationPolicy }))).toEqual(fields);
    const { id } = await makeCredential(server, account, { rotationPolicy: policy('P60D', 'P40D') });
    const before = await read(server, id);
    for (const wrong of [rotationPolicy, policy('P39D', 'P40D')])
      expect(faultPaths(await update(server, { id, rotationPolicy: wrong }))).toEqual(fields);
    expect(await read(server, id)).toEqual(before);
    expect((await set(id, policy(every, every))).gracePeriod).toBe((await policyOf(id)).every);
  });

  test('more rotations of one owner than are done one after another', async () => {
    const [owner, account] = [await makeAccount(server), await makeAccount(server)];
    const field = ['input.rotationPolicy.every'];
    const made = async (input: Record<string, unknown>) => asked(account, { retrievable: true, ...input });
    expect(faultPaths(await made({ rotationPolicy: policy('PT1S'), owner }))).toEqual(field);
    for (let count = 0; count < 3; count++) expectData(await made({ rotationPolicy: policy('PT8S'), owner }));
    const { id } = expectData(await made({ owner })).createCredential.credential;
    expect(faultPaths(await update(server, { id, rotationPolicy: policy('PT7S') }))).toEqual(field);
    await set(id, policy('PT8S'));
    // It counts once: with its own, there is room for no other.
    await set(id, policy('PT9S'));
    await set(id, policy('PT8S'));
    expect(faultPaths(await asked(owner, { rotationPolicy: policy('PT8S') }))).toEqual(field);
    // Of another owner, and of the account itself.
    expectData(await made({ rotationPolicy: policy('PT8S') }));
  });

  test('of whoever owns it from now on', async () => {
    const [owner, account] = [await makeAccount(server), await makeAccount(server)];
    expectData(await asked(owner, { rotationPolicy: policy('PT3S') }));
    const { id } = await makeCredential(server, account, { owner });
    const rotationPolicy = policy('PT3S');
    expect(faultPaths(await update(server, { id, rotationPolicy }))).toEqual(['input.rotationPolicy.every']);
    const moved = expectData(await update(server, { id, rotationPolicy, owner: null }));
    expect(moved.updateCredential.credential).toMatchObject({
      owner: null,
      rotationPolicy: { every: 'PT3S' },
    });
  });

  test('an owner who has no time for the policy that a credential has', async () => {
    const [owner, account] = [await makeAccount(server), await makeAccount(server)];
    const rotationPolicy = policy('PT3S');
    expectData(await asked(owner, { rotationPolicy }));
    const { id } = expectData(await asked(account, { rotationPolicy })).createCredential.credential;
    const before = await read(server, id);
    for (const more of [{}, { rotationPolicy }])
      expect(faultPaths(await update(server, { id, owner, ...more }))).toEqual(['input.owner']);
    expect(await read(server, id)).toEqual(before);
    expectData(await update(server, { id, owner, rotationPolicy: null }));
  });

  test('more rotations in one store than its limit of calls has room for', async () => {
    const vendor = await veracode();
    vendors.push(vendor);
    const account = await makeAccount(server);
    const store = await makeStore(server, account, vendor.connection);
    const spot = vendor.spot();
    const { id } = await makeCredential(server, account, { ...spot.create, store });
    await server.rows(
      `UPDATE credentials SET rotate_every = 'PT1S', rotate_grace = 'PT0S', rotation_due_at = 'infinity',
         owner_id = :owner
       WHERE id = :id RETURNING id`,
      { id: rowOf(id), owner: rowOf(await makeAccount(server)) },
    );
    const other = { ...vendor.spot().create, store, account, name: unique('policy') };
    expect(faultPaths(await create(server, { ...other, rotationPolicy: policy('PT2S') }))).toEqual([
      'input.rotationPolicy.every',
    ]);
    expectData(await create(server, { ...other, rotationPolicy: policy('PT1M') }));
  });

  test('a grace period in a store where the previous secret ends at once', async () => {
    const vendor = await veracode();
    vendors.push(vendor);
    const account = await makeAccount(server);
    const store = await makeStore(server, account, vendor.connection);
    const input = { ...vendor.spot().create, store, account, name: unique('policy') };
    const given = policy('P30D', 'PT1S');
    const fields = ['input.rotationPolicy.gracePeriod'];
    expect(faultPaths(await create(server, { ...input, rotationPolicy: given }))).toEqual(fields);
    const made = expectData(await create(server, { ...input, rotationPolicy: policy('P30D') }));
    const { id } = made.createCredential.credential;
    expect(faultPaths(await update(server, { id, rotationPolicy: given }))).toEqual(fields);
  });

  test('the same in an outside store, before anything is made there', async () => {
    const vendor = await ncloud();
    vendors.push(vendor);
    const account = await makeAccount(server);
    const store = await makeStore(server, account, vendor.connection);
    const spot = vendor.spot();
    const before = spot.has().length;
    const refused = await create(server, {
      ...spot.create,
      store,
      account,
      name: unique('policy'),
      rotationPolicy: policy('PT1H', 'PT2H'),
    });
    expect(faultPaths(refused)).toEqual(['input.rotationPolicy.gracePeriod']);
    expect(spot.has()).toHaveLength(before);
  });
});
