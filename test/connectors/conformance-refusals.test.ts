/**
 * @slow 50 s
 * @embedded what vendors answer
 */
// What every outside store is held to when it refuses, and when it is asked for two things at once.
import { faultPaths } from '../credentials/verbs.js';
import { unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import type { Fault } from '../upstreams/stand-in.js';
import { atEach, comeToRest, good, rotates, toEach, words } from './at-each.js';
import { outside } from './conformance.js';
import { connect, type World } from './world.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(() => server.stop());

test.each([
  [401, 'STORE_REJECTED'],
  [403, 'STORE_REJECTED'],
  [429, 'RATE_LIMITED'],
])('S58: a store’s %i is %s, is no 401 of the caller’s, and leaves all as it was', async (status, code) => {
  const results = await atEach(server, async (world) => {
    const made = await world.make();
    world.standIn.meet({ kind: 'fail', status, body: { message: words } }, world.calls.rotate, 9);
    const refused = await rotates(server, world, made.id);
    const kept = await world.accepts(made.externalId, made.issued);
    world.standIn.clear();
    return { refused, kept, next: await rotates(server, world, made.id) };
  });
  expect(results).toEqual(
    toEach(() => ({
      refused: { ...good, code, taken: null, recorded: { FAILED: 1 } },
      kept: true,
      next: { ...good, recorded: { FAILED: 1, DONE: 1 } },
    })),
  );
});

test('S42: a secret that a store gives for the code of its error is in no log', async () => {
  const results = await atEach(server, async (world) => {
    const { id, issued } = await world.make();
    const secret = issued.secret ?? issued.keys?.at(-1)?.value ?? '';
    const said = { errorCode: secret, error: secret, code: secret, message: `Error ID: ${secret}` };
    for (const status of [400, 500])
      world.standIn.meet({ kind: 'fail', status, body: said }, world.calls.rotate);
    const before = server.logged.length;
    await rotates(server, world, id);
    await rotates(server, world, id);
    const lines = server.logged.slice(before);
    return { isMarked: secret.length > 8, leaks: lines.filter((line) => line.includes(secret)) };
  });
  expect(results).toEqual(toEach(() => ({ isMarked: true, leaks: [] })));
});

test.each<[string, Fault]>([
  ['fails', { kind: 'fail', status: 500, body: words }],
  ['is refused', { kind: 'fail', status: 403, body: words }],
  ['is no JSON', { kind: 'garbage' }],
])('a listing that %s takes nothing for gone', async (_, fault) => {
  const results = await atEach(server, async (world) => {
    const { id } = await world.takeIn();
    world.standIn.meet(fault, { method: 'GET' }, 9);
    const { gone, error } = await world.sync();
    return { gone, failed: error !== null, status: (await world.read(id)).status };
  });
  expect(results).toEqual(toEach(() => ({ gone: 0, failed: true, status: 'ACTIVE' })));
});

test.each(['before', 'after'] as const)(
  'R7: what is revoked while a rotation stands still %s the work of the store ends revoked, with no secret left',
  async (when) => {
    const stores = outside.filter(({ ends }) => ends);
    const results = await atEach(
      server,
      async (world) => {
        const { id, scope } = await world.make();
        const standing = world.standIn.hold(when, world.calls.rotate);
        const rotating = world.run('rotateCredential', { id, ...world.next() });
        const held = await standing;
        const revoked = await world.run('revokeCredential', { id });
        held.release();
        const { code } = await rotating;
        await comeToRest(server, id);
        const { status } = await world.read(id);
        return { revoked: revoked.code ?? 'DONE', code, status, living: world.living(scope) };
      },
      stores,
    );
    expect(results).toEqual(
      toEach(() => ({ revoked: 'DONE', code: 'CONFLICT', status: 'REVOKED', living: 0 }), stores),
    );
  },
  45_000,
);

describe('what a store requires, and was not given, is BAD_USER_INPUT with its place, and nothing is on record', () => {
  const cases: [string, string, Record<string, unknown>][] = [
    ['Landscape', 'scope', {}],
    ['Veracode', 'scope', {}],
    ['NAVER Cloud, Sub Account 1', 'scope', {}],
    ['Apinizer', 'email', { scope: 'Orders', fullName: 'Order Bot' }],
    ['Apinizer', 'fullName', { scope: 'Orders', email: 'bot@example.com' }],
    ['Apinizer', 'scope', { fullName: 'Order Bot', email: 'bot@example.com' }],
  ];
  const onRecord = () => server.rows('SELECT id FROM credentials UNION ALL SELECT id FROM intents');
  const found = async (name: string): Promise<World> => {
    const one = outside.find((store) => store.name === name);
    if (!one) throw new Error('there is no such store');
    return connect(server, one);
  };

  test.each(cases)('%s without %s', async (name, field, input) => {
    const world = await found(name);
    try {
      // Of several there is no only one.
      world.wish();
      const before = await onRecord();
      const { secret } = world.wish() as { secret: unknown };
      const { account, store } = world;
      const answer = await world.run('createCredential', {
        ...{ store, account, name: unique('made'), secret },
        ...input,
      });
      expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', [`input.${field}`]]);
      expect([await onRecord(), world.writes()]).toEqual([before, 0]);
    } finally {
      await world.standIn.stop();
    }
  });

  test.each(['email', 'fullName'])('Apinizer that is to lose %s', async (field) => {
    const world = await found('Apinizer');
    try {
      const { id } = await world.make();
      const before = await onRecord();
      const answer = await world.run('updateCredential', { id, [field]: null });
      expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', [`input.${field}`]]);
      expect(await onRecord()).toEqual(before);
    } finally {
      await world.standIn.stop();
    }
  });

  test('what only the store shows to be missing', async () => {
    const world = await found('Apinizer');
    try {
      const { id, externalId } = await world.make();
      const resultList = [{ username: externalId, fullName: 'Order Bot' }];
      world.standIn.meet(
        { kind: 'fail', status: 200, body: { status: 'SUCCESS', resultList } },
        { method: 'GET' },
      );
      const input = { id, description: 'changed', idempotencyKey: unique('key') };
      for (const again of [1, 2]) {
        const answer = await world.run('updateCredential', input);
        expect([again, answer.code, faultPaths(answer)]).toEqual([again, 'BAD_USER_INPUT', ['input.email']]);
      }
    } finally {
      await world.standIn.stop();
    }
  });
});
