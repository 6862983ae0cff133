// What every outside store is held to when it refuses, and when it is asked for two things at once.
import { startTestServer, type TestServer } from '../support/server.js';
import type { Fault } from '../upstreams/stand-in.js';
import { atEach, comeToRest, good, rotates, toEach, words } from './at-each.js';
import { outside } from './conformance.js';

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
