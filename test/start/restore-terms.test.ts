import { expectData, makeAccount, makeCredential, type Made } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';
import { verifierAt } from '../support/verify.js';
import { lost } from './restoring.js';

let server: TestServer;
afterEach(() => server.stop());

async function codeOf({ accessKey, secret }: Made, ip?: string): Promise<string> {
  const verifier = verifierAt(server.url, server.adminToken);
  try {
    return await verifier.code({ accessKey, proof: { secret }, ...(ip !== undefined && { ip }) });
  } finally {
    verifier.close();
  }
}

type Input = Record<string, unknown>;

/** Changes what is lost, and the database goes back to before. */
const changedAndLost = (...inputs: Input[]) =>
  lost(server, async (door) => {
    for (const input of inputs) expectData(await run(door, 'updateCredential', input));
  });

test('R36: addresses that a credential was moved away from do not work again', async () => {
  server = await startTestServer();
  const account = await makeAccount(server);
  const moved = await makeCredential(server, account, { allowedIps: ['198.51.100.0/24'] });
  const partly = await makeCredential(server, account, { allowedIps: ['198.51.100.0/24', '192.0.2.0/24'] });
  const widened = await makeCredential(server, account, { allowedIps: ['192.0.2.0/25'] });
  await changedAndLost(
    { id: moved.id, allowedIps: ['203.0.113.0/24'] },
    { id: partly.id, allowedIps: ['192.0.2.0/24', '203.0.113.0/24'] },
    { id: widened.id, allowedIps: ['192.0.2.0/24'] },
  );

  expect(await codeOf(moved, '198.51.100.7')).toBe('IP_NOT_ALLOWED');
  expect(await codeOf(moved, '203.0.113.7')).toBe('VALID');
  expect(await codeOf(partly, '198.51.100.7')).toBe('IP_NOT_ALLOWED');
  expect(await codeOf(partly, '192.0.2.7')).toBe('VALID');
  expect(await codeOf(partly, '203.0.113.7')).toBe('IP_NOT_ALLOWED');
  expect(await codeOf(widened, '192.0.2.7')).toBe('VALID');
  expect(await codeOf(widened, '192.0.2.200')).toBe('IP_NOT_ALLOWED');
});

const daily = (amount: number) => ({ amount, every: 'P1D' });
const limited: Record<string, { before: Input; changes: Input[]; after: Input }> = {
  'no use is left': {
    before: { remainingUses: { count: 100, refill: daily(100) } },
    changes: [{ remainingUses: { count: 0 } }],
    after: { rate: null, uses: { count: 0, refill: null } },
  },
  'there was no limit': {
    before: {},
    changes: [{ remainingUses: { count: 3, refill: daily(2) } }],
    after: { rate: null, uses: { count: 3, refill: daily(2) } },
  },
  'more uses came': {
    before: { remainingUses: { count: 2, refill: daily(1) } },
    changes: [{ remainingUses: { count: 50, refill: daily(50) } }],
    after: { rate: null, uses: { count: 2, refill: daily(1) } },
  },
  'the rate became lower': {
    before: { rateLimit: { uses: 60, window: 'PT1M' } },
    changes: [{ rateLimit: { uses: 100, window: 'PT1H' } }],
    after: { rate: { uses: 100, window: 'PT1H' }, uses: null },
  },
  'the rate became higher': {
    before: { rateLimit: { uses: 1, window: 'PT1M' } },
    changes: [{ rateLimit: { uses: 100, window: 'PT1H' }, remainingUses: { count: 9 } }],
    after: { rate: { uses: 1, window: 'PT1M' }, uses: { count: 9, refill: null } },
  },
  'the limit was taken away again': {
    before: { remainingUses: { count: 5 } },
    changes: [{ remainingUses: { count: 1 } }, { remainingUses: null }],
    after: { rate: null, uses: { count: 5, refill: null } },
  },
};

test('R36: a credential may not be used more often again than it might be since', async () => {
  server = await startTestServer();
  const account = await makeAccount(server);
  const made: Record<string, Made> = {};
  for (const [name, { before }] of Object.entries(limited))
    made[name] = await makeCredential(server, account, before);
  const idOf = (name: string) => made[name]?.id ?? '';
  await changedAndLost(
    ...Object.entries(limited).flatMap(([name, { changes }]) =>
      changes.map((change) => ({ id: idOf(name), ...change })),
    ),
  );

  for (const [name, { after }] of Object.entries(limited)) {
    const { credential } = expectData(
      await server.ask(
        `query ($id: ID!) {
          credential(id: $id) {
            rate: rateLimit { uses window }
            uses: remainingUses { count refill { amount every } }
          }
        }`,
        { id: idOf(name) },
      ),
    );
    expect({ [name]: credential as unknown }).toEqual({ [name]: after });
  }
  const ended = made['no use is left'];
  expect(ended && (await codeOf(ended))).toBe('RATE_LIMITED');
});
