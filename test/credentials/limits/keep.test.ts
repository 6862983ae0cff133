import { expectData, makeAccount, makeCaller, makeCredential, type Made } from '../../support/make.js';
import { sharedServer, type SharedServer } from '../../support/server.js';
import { makeStore, seqeraAt } from '../../stores/stores.js';
import { startSeqera } from '../../upstreams/seqera.js';
import { codeOf } from '../verification/verifying.js';
import { create, faultPaths, read, update } from '../verbs.js';

let server: SharedServer;
let account: string;
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
});

type Input = Record<string, unknown>;

const key = { accessKey: {} };
const providerKeys = { providerKeys: { github: { username: 'ada', token: 'ghp_MARKER' } } };
const limits = {
  rateLimit: { uses: 100, window: 'PT1H' },
  remainingUses: { count: 10, refill: { amount: 20, every: 'P1D' } },
};
const make = (input: Input = limits) => makeCredential(server, account, input);
const use = ({ accessKey, secret }: Made) => codeOf(server, { accessKey, proof: { secret } });

async function updated(input: Input) {
  return expectData(await update(server, input)).updateCredential.credential;
}

test('limits are shown as they were given, by the answer and by what is read', async () => {
  const answer = await create(server, { account, name: 'Crane', secret: key, ...limits });
  const { credential } = expectData(answer).createCredential;
  const shown = {
    rateLimit: limits.rateLimit,
    remainingUses: { count: 10, refill: { amount: 20, every: 'P1D', nextAt: expect.any(String) } },
  };
  expect(credential).toMatchObject(shown);
  expect(await read(server, credential.id)).toEqual(credential);
  const day = Date.parse(credential.remainingUses.refill.nextAt) - Date.parse(credential.createdAt);
  expect(day).toBe(86_400_000);
  const list = `query ($account: [ID!]) { credentials(filter: { account: $account }, first: 1) {
    nodes { remainingUses { count } } } }`;
  expect(expectData(await server.ask(list, { account: [account] })).credentials.nodes).toEqual([
    { remainingUses: { count: 10 } },
  ]);
});

test('lengths of time are shown in their one spelling', async () => {
  const { id } = await make({ rateLimit: { uses: 1, window: 'PT3600S' } });
  expect((await read(server, id)).rateLimit).toEqual({ uses: 1, window: 'PT1H' });
});

test.each<[string, Input, string]>([
  ['no use', { rateLimit: { uses: 0, window: 'PT1H' } }, 'rateLimit.uses'],
  ['more uses than are counted', { rateLimit: { uses: 1_000_000_001, window: 'PT1H' } }, 'rateLimit.uses'],
  ['a window of nothing', { rateLimit: { uses: 1, window: 'PT0S' } }, 'rateLimit.window'],
  ['a window of part of a second', { rateLimit: { uses: 1, window: 'PT1.5S' } }, 'rateLimit.window'],
  ['a window too long', { rateLimit: { uses: 1, window: 'P32D' } }, 'rateLimit.window'],
  ['fewer uses than none', { remainingUses: { count: -1 } }, 'remainingUses.count'],
  [
    'a refill of nothing',
    { remainingUses: { count: 1, refill: { amount: 0, every: 'P1D' } } },
    'remainingUses.refill.amount',
  ],
  [
    'refills too close',
    { remainingUses: { count: 1, refill: { amount: 1, every: 'PT59S' } } },
    'remainingUses.refill.every',
  ],
])('S11: %s is refused by the name of its field, at creation and later', async (_, input, path) => {
  const created = await create(server, { account, name: 'Crane', secret: key, ...input });
  const { id } = await make();
  const before = await read(server, id);
  const changed = await update(server, { id, ...input });
  for (const answer of [created, changed])
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', [`input.${path}`]]);
  expect(await read(server, id)).toEqual(before);
});

test('S11: a cost is refused by its name where it is less than none', async () => {
  const made = await make();
  const ask = 'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code } }';
  const input = { accessKey: made.accessKey, proof: { secret: made.secret }, cost: -1 };
  expect(faultPaths(await server.ask(ask, { input }))).toEqual(['input.cost']);
});

test('what Keyway does not verify has no limits', async () => {
  const seqera = await startSeqera({ workspaces: ['4242'] });
  try {
    const store = await makeStore(server, account, seqeraAt(seqera));
    const outside = { store, secret: providerKeys };
    const [inStore, here] = [await makeOutside(outside), await makeOutside({ secret: providerKeys })];
    for (const name of ['rateLimit', 'remainingUses'] as const) {
      const asked = { [name]: limits[name] };
      for (const input of [outside, { secret: providerKeys }]) {
        const answer = await create(server, { account, name: 'Crane', ...input, ...asked });
        expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', [`input.${name}`]]);
      }
      for (const id of [inStore, here]) {
        const answer = await update(server, { id, ...asked });
        expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', [`input.${name}`]]);
        expect(await updated({ id, [name]: null })).toMatchObject({ [name]: null });
      }
    }
  } finally {
    await seqera.stop();
  }
});

async function makeOutside(input: Input): Promise<string> {
  const answer = await create(server, { account, name: 'Crane', ...input });
  return expectData(answer).createCredential.credential.id;
}

test('who may not update a credential sets no limit of it', async () => {
  const { id } = await make();
  const reader = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: account });
  const manager = await makeCaller(server, ['CREDENTIAL_UPDATE'], { onAccount: account });
  const stranger = await makeCaller(server);
  const input = { id, rateLimit: null };
  expect((await update(server, input, reader)).code).toBe('FORBIDDEN');
  expect((await update(server, input, stranger)).code).toBe('NOT_FOUND');
  expect((await read(server, id)).rateLimit).toEqual(limits.rateLimit);
  expect(expectData(await update(server, input, manager)).updateCredential.credential).toMatchObject({
    rateLimit: null,
    remainingUses: { count: 10 },
  });
});

test('R5: uses leave the revision as it is, and a change that expects another changes nothing', async () => {
  const made = await make();
  const { id } = made;
  const { revision } = await read(server, id);
  expect(await use(made)).toBe('VALID');
  expect(await updated({ id, expectedRevision: revision, remainingUses: { count: 5 } })).toMatchObject({
    revision: revision + 1,
    remainingUses: { count: 5, refill: null },
  });
  const late = await update(server, { id, expectedRevision: revision, remainingUses: null });
  expect(late.code).toBe('CONFLICT');
  expect((await read(server, id)).remainingUses).toEqual({ count: 5, refill: null });
});

test('R6: a repeated request gives back no uses', async () => {
  const made = await make();
  const input = { id: made.id, remainingUses: { count: 5 }, idempotencyKey: `limits ${made.id}` };
  await updated(input);
  expect(await use(made)).toBe('VALID');
  expect(await updated(input)).toMatchObject({ remainingUses: { count: 4 } });
});

test('another limit keeps what was used while its window is as long, and when the next refill is', async () => {
  const made = await make();
  const { id } = made;
  const { nextAt } = (await read(server, id)).remainingUses.refill;
  expect([await use(made), await use(made)]).toEqual(['VALID', 'VALID']);
  await updated({ id, rateLimit: { uses: 2, window: 'PT1H' } });
  expect(await use(made)).toBe('RATE_LIMITED');
  const { remainingUses } = await updated({
    id,
    remainingUses: { count: 1, refill: { amount: 9, every: 'P1D' } },
  });
  expect(remainingUses).toEqual({ count: 1, refill: { amount: 9, every: 'P1D', nextAt } });
  await updated({ id, rateLimit: { uses: 2, window: 'PT2H' } });
  expect([await use(made), await use(made)]).toEqual(['VALID', 'RATE_LIMITED']);
});

test('what is as it was changes nothing', async () => {
  const { id } = await make();
  const before = await read(server, id);
  expect(await updated({ id, ...limits })).toEqual(before);
});
