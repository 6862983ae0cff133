import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { retireOutlived } from '../../../src/credentials/retire.js';
import { makeStore } from '../../stores/stores.js';
import { expectData, makeAccount, makeCredential, unique } from '../../support/make.js';
import { sharedServer, type SharedServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import { rowOf } from '../due/due.js';
import { apinizer, seqera, veracode, type Vendor } from '../outside/vendors.js';
import { remove, revoke, rotate } from '../verbs.js';

/** Files beside `versions` and `rotations` that write their tables, and why each must. */
const writing: Record<string, string> = {
  'access/renew-verifiers': 'keeps the same secret by another key, where credentials are not known of',
  'credentials/verification/renew-hashes': 'keeps the same password by other parameters',
  'credentials/record/last-used': 'notes uses, many at once',
  'start/demo/demo': 'makes a past, for examples alone',
  'roles/delete-store': 'is beneath the credentials; no rotation goes on in a store that is gone',
  'stores/abandon': 'is beneath the credentials; what is given up is told of, and shown no more',
  'stores/sealed/reseal': 'keeps the same secret, for another place',
  'stores/own-key': 'is beneath the credentials; what it puts on record has no secret',
};

test('the tables of secrets and of rotations are written in two files', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  const writers = files.filter((path) =>
    /\b(INSERT INTO|UPDATE|DELETE FROM)\s+(credential_versions|rotations)\b|(getRepository|into|update|delete)\((CredentialSecret|Rotation)\b/.test(
      readFileSync(`src/${path}`, 'utf8'),
    ),
  );
  expect(writers.map((path) => path.replace(/\.ts$/, '')).sort()).toEqual(
    [...Object.keys(writing), 'credentials/record/rotations', 'credentials/record/versions'].sort(),
  );
});

let server: SharedServer;
const vendors: Vendor[] = [];
beforeAll(async () => {
  server = await sharedServer();
});
afterAll(async () => {
  for (const { standIn } of vendors) await standIn.stop();
});

interface Held {
  number: number;
  state: string;
  /** Whether its end is past, to come, or not there at all. */
  until: 'past' | 'to come' | null;
  /** The columns that hold something of the secret. */
  kept: string[];
}

const columns = ['verifier', 'verifier_key_id', 'password_hash', 'pepper_id', 'sealed', 'kek_id'];
const when = (time: string) =>
  `CASE WHEN ${time} IS NULL THEN NULL WHEN ${time} <= clock_timestamp() THEN 'past' ELSE 'to come' END`;

/** What is left of a credential's secrets, the oldest first, and what the credential shows of them. */
async function left(id: string) {
  const held = await server.rows<Held>(
    `SELECT number, state, ${when('valid_until')} AS until, array_remove(ARRAY[${columns
      .map((name) => `CASE WHEN ${name} IS NOT NULL THEN '${name}' END`)
      .join()}], NULL) AS kept FROM credential_versions WHERE credential_id = :id ORDER BY number`,
    { id: rowOf(id) },
  );
  const [shown] = await server.rows<{ revision: number; rotating: Held['until'] }>(
    `SELECT revision, ${when('rotating_until')} AS rotating FROM credentials WHERE id = :id`,
    { id: rowOf(id) },
  );
  const rotations = await server.rows<{ state: string }>(
    'SELECT state FROM rotations WHERE credential_id = :id ORDER BY started_at',
    { id: rowOf(id) },
  );
  return { ...shown, held, rotations: rotations.map(({ state }) => state) };
}

const retired = (number: number, kept: string[] = []): Held => ({
  number,
  state: 'RETIRED',
  until: 'past',
  kept,
});
const current = (number: number, kept: string[]): Held => ({ number, state: 'CURRENT', until: null, kept });

interface Kind {
  secret: () => Record<string, unknown>;
  /** The next one, where the caller has to bring it. */
  next?: Record<string, unknown>;
  /** What tells the secret again. */
  telling: string[];
}

const s3 = (secretKey: string) => ({ providerKeys: { s3: { accessKey: 'AKIA', secretKey } } });
const kinds: Record<string, Kind> = {
  'a token': { secret: () => ({ token: {} }), telling: ['verifier', 'verifier_key_id'] },
  'a password': {
    secret: () => ({ password: { username: unique('user') } }),
    telling: ['password_hash', 'pepper_id'],
  },
  'an access key': { secret: () => ({ accessKey: {} }), telling: ['verifier', 'verifier_key_id'] },
  'provider keys': { secret: () => s3('first-secret-0001'), next: s3('second-secret-0001'), telling: [] },
};
const showing = ['sealed', 'kek_id'];

interface Way {
  end: (of: { id: string; account: string; next: Record<string, unknown> }) => Promise<unknown>;
  expected: (kind: { whole: string[]; telling: string[] }) => Awaited<ReturnType<typeof left>>;
}

const ways: Record<string, Way> = {
  'rotated without grace': {
    end: async ({ id, next }) => expectData(await rotate(server, { id, ...next })),
    expected: ({ whole }) => ({
      revision: 2,
      rotating: null,
      held: [retired(1), current(2, whole)],
      rotations: ['FINISHED'],
    }),
  },
  'rotated, in its grace period': {
    end: async ({ id, next }) => expectData(await rotate(server, { id, gracePeriod: 'PT1H', ...next })),
    expected: ({ whole }) => ({
      revision: 2,
      rotating: 'to come',
      held: [{ number: 1, state: 'PREVIOUS', until: 'to come', kept: whole }, current(2, whole)],
      rotations: ['SWITCHED'],
    }),
  },
  'rotated, its grace period over': {
    end: async ({ id, next }) => {
      expectData(await rotate(server, { id, gracePeriod: 'PT1H', ...next }));
      for (const statement of [
        "UPDATE credential_versions SET valid_until = now() WHERE credential_id = :id AND state = 'PREVIOUS'",
        'UPDATE credentials SET rotating_until = now() WHERE id = :id',
      ])
        await server.rows(statement, { id: rowOf(id) });
      await retireOutlived(server.db);
    },
    expected: ({ whole }) => ({
      revision: 2,
      rotating: 'past',
      held: [retired(1), current(2, whole)],
      rotations: ['FINISHED'],
    }),
  },
  'rotated again within the grace period': {
    end: async ({ id, next }) => {
      for (let count = 0; count < 2; count++)
        expectData(await rotate(server, { id, gracePeriod: 'PT1H', ...next }));
    },
    expected: ({ whole }) => ({
      revision: 3,
      rotating: 'to come',
      held: [retired(1), { number: 2, state: 'PREVIOUS', until: 'to come', kept: whole }, current(3, whole)],
      rotations: ['FINISHED', 'SWITCHED'],
    }),
  },
  revoked: {
    end: async ({ id }) => expectData(await revoke(server, { id })),
    expected: ({ telling }) => ({ revision: 2, rotating: null, held: [retired(1, telling)], rotations: [] }),
  },
  'revoked within the grace period': {
    end: async ({ id, next }) => {
      expectData(await rotate(server, { id, gracePeriod: 'PT1H', ...next }));
      expectData(await revoke(server, { id }));
    },
    expected: ({ telling }) => ({
      revision: 3,
      rotating: null,
      held: [retired(1), retired(2, telling)],
      rotations: ['FINISHED'],
    }),
  },
  deleted: {
    end: async ({ id }) => expectData(await remove(server, { id })),
    expected: () => ({ revision: 3, rotating: null, held: [retired(1)], rotations: [] }),
  },
  'of a deleted account': {
    end: async ({ account }) =>
      expectData(await run(server, 'deleteAccount', { id: account, revokeCredentials: true })),
    expected: () => ({ revision: 3, rotating: null, held: [retired(1)], rotations: [] }),
  },
};

describe.each(Object.entries(ways))('what is left of a secret that is %s', (_, { end, expected }) => {
  test.each(Object.entries(kinds))('and is %s', async (__, { secret, next, telling }) => {
    const account = await makeAccount(server);
    const { id } = await makeCredential(server, account, { secret: secret(), retrievable: true });
    const whole = [...telling, ...showing];
    expect((await left(id)).held).toEqual([current(1, whole)]);
    await end({ id, account, next: next ? { secret: next } : {} });
    expect(await left(id)).toEqual(expected({ whole, telling }));
  });
});

describe.each<[string, () => Promise<Vendor>, string[]]>([
  ['a password that Keyway chose', apinizer, showing],
  ['provider keys that the caller brought', seqera, showing],
  ['an access key that the store makes', veracode, []],
])('what is left of %s', (_, open, brought) => {
  async function made() {
    const vendor = await open();
    vendors.push(vendor);
    const account = await makeAccount(server);
    const store = await makeStore(server, account, vendor.connection);
    const spot = vendor.spot();
    const { id } = await makeCredential(server, account, { ...spot.create, store });
    return { id, before: await left(id), vendor, input: { id, ...spot.rotate } };
  }

  test('where its store did not take it', async () => {
    const { id, before, vendor, input } = await made();
    vendor.standIn.meet({ kind: 'fail', status: 429 }, vendor.writes.rotate);
    expect((await rotate(server, input)).code).toBe('RATE_LIMITED');
    expect(await left(id)).toEqual({
      revision: (before.revision ?? 0) + 2,
      rotating: null,
      held: [...before.held, { number: 2, state: 'FAILED', until: null, kept: [] }],
      rotations: ['FAILED'],
    });
    expect(before.held).toEqual([current(1, showing)]);
  });

  test('where nobody knows whether its store took it', async () => {
    const { id, before, vendor, input } = await made();
    vendor.standIn.meet({ kind: 'drop' }, vendor.writes.rotate);
    vendor.standIn.meet({ kind: 'fail', status: 401 }, vendor.writes.rotate);
    expect((await rotate(server, input)).code).toBe('OUTCOME_UNKNOWN');
    while ((await left(id)).rotations[0] === 'PLANNED') await sleep(50);
    expect(await left(id)).toEqual({
      revision: (before.revision ?? 0) + 2,
      rotating: null,
      held: [...before.held, { number: 2, state: 'UNKNOWN', until: null, kept: brought }],
      rotations: ['OUTCOME_UNKNOWN'],
    });
  });
});
