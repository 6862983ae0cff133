/**
 * @slow 40 s
 * @embedded what vendors answer
 */
// What every outside store is held to when it fails: whatever goes wrong there, nothing is lost and nothing is made up.
import { unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import type { Fault } from '../upstreams/stand-in.js';
import { atEach, cameTo, good, rotates, toEach, words } from './at-each.js';
import { outside, type Case } from './conformance.js';

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

/** Those whose new secret is gone with the answer: the store makes it, and shows it to nobody. */
const isLost = ({ way, shows }: Case): boolean => way === 'replaced' && !shows;

/** A whole class of failures with whether the store has done its work by then. */
const faults: [string, Fault, { worked: boolean }][] = [
  ['fails (500)', { kind: 'fail', status: 500, body: { message: words } }, { worked: false }],
  ['fails (503)', { kind: 'fail', status: 503, body: words }, { worked: false }],
  ['ends the connection before its work', { kind: 'refuse' }, { worked: false }],
  ['ends the connection after its work', { kind: 'drop' }, { worked: true }],
  ['answers garbage', { kind: 'garbage' }, { worked: true }],
  ['answers 64 MiB', { kind: 'huge' }, { worked: true }],
  ['takes more than 5 seconds', { kind: 'slow', ms: 5_600 }, { worked: true }],
];

describe.each(faults)('where a store %s,', (_, fault) => {
  test('R10, R11: a rotation comes to its end, or is known to be lost and heals with the next', async () => {
    const results = await atEach(server, async (world, store) => {
      const { id } = await world.make();
      world.standIn.meet(fault, world.calls.rotate);
      const first = await rotates(server, world, id);
      return { first, healed: isLost(store) ? await rotates(server, world, id) : null };
    });
    expect(results).toEqual(
      toEach((store) =>
        isLost(store)
          ? {
              first: {
                ...good,
                ...{ code: 'OUTCOME_UNKNOWN', status: 'UNKNOWN', taken: null, recorded: { FAILED: 1 } },
              },
              healed: { ...good, recorded: { FAILED: 1, DONE: 1 } },
            }
          : { first: { ...good, recorded: { DONE: 1 } }, healed: null },
      ),
    );
  });
});

describe.each(faults.slice(2, 4))('where a store %s,', (_, fault, { worked }) => {
  test('R10, R11: what is made is made once, or is known to be lost and heals with a rotation', async () => {
    const results = await atEach(server, async (world, store) => {
      const name = unique('made');
      const { store: at, account } = world;
      world.standIn.meet(fault, world.calls.create);
      const answer = await world.run('createCredential', { store: at, account, name, ...world.wish() });
      const [id = ''] = (await world.listed()).flatMap((one) => (one.name === name ? one.id : []));
      const first = await cameTo(server, world, answer, id, 'credential:create');
      const healed = isLost(store) ? await rotates(server, world, id) : null;
      return { first, healed };
    });
    const made = { http: 200, code: 'DONE', status: 'ACTIVE', current: 1, living: 1 };
    expect(results).toEqual(
      toEach((store) =>
        isLost(store)
          ? {
              first: {
                ...{ http: 200, code: 'OUTCOME_UNKNOWN', status: 'UNKNOWN', current: 0 },
                ...{ recorded: { FAILED: 1 }, living: worked ? 1 : 0 },
              },
              healed: { ...good, recorded: { DONE: 1 } },
            }
          : { first: { ...made, recorded: { DONE: 1 } }, healed: null },
      ),
    );
  });

  test('R10, R11: what is revoked ends there, and is on record once', async () => {
    const stores = outside.filter(({ ends }) => ends);
    const results = await atEach(
      server,
      async (world) => {
        const { id } = await world.make();
        world.standIn.meet(fault, world.calls.end);
        return cameTo(server, world, await world.run('revokeCredential', { id }), id, 'credential:revoke');
      },
      stores,
    );
    const ended = {
      http: 200,
      code: 'DONE',
      status: 'REVOKED',
      current: 0,
      recorded: { DONE: 1 },
      living: 0,
    };
    expect(results).toEqual(toEach(() => ended, stores));
  });
});
