/**
 * @slow 20 s
 */
import { faultOfCredential } from '../../src/credentials/record/fault.js';
import { retireOutlived } from '../../src/credentials/retire.js';
import { parseId } from '../../src/ids.js';
import { outside, type Case } from '../connectors/conformance.js';
import { connect } from '../connectors/world.js';
import {
  expectData,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  unique,
  type Made,
} from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { askSigned } from '../support/signing.js';
import { run } from '../support/verbs.js';
import { derivedFrom, issue, issued, issueSigned, madeBy, standingOf, verdictOn } from './temporary.js';
import { keptOf, read, remove, revoke, rotate, statusWith, update } from './verbs.js';

let server: SharedServer;
let account: string;
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
});

const works = { code: 'VALID', status: 200 };
const parentOf = (input: Record<string, unknown> = {}) => makeCredential(server, account, input);
const childOf = (parent: string) => issued(server, parent);
const stands = (pair: Made) => standingOf(server, pair);
const uuidOf = (id: string) => String(parseId(id)?.uuid);
const ncloud = outside.find(({ name }) => name === 'NAVER Cloud, Sub Account 2') as Case;
const statusOf = async (id: string) => (await read(server, id)).status;

describe('S22: it ends with its parent', () => {
  const setEnabled = async (kind: 'account' | 'credential', id: string, enabled: boolean) =>
    kind === 'credential'
      ? expectData(await update(server, { id, enabled }))
      : expectData(await run(server, 'updateAccount', { id, enabled }));
  const inRow = (name: string, change: string) =>
    server.rows(`UPDATE credentials SET ${change} WHERE name = :name AND parent_id IS NULL`, { name });

  test.each<[string, (id: string) => Promise<unknown>]>([
    ['revoked', async (id) => expectData(await revoke(server, { id }))],
    ['rotated without grace', async (id) => expectData(await rotate(server, { id }))],
    [
      'put into a project',
      async (id) => expectData(await update(server, { id, project: await makeProject(server, account) })),
    ],
  ])('for good where that is %s', async (_, end) => {
    const { id } = await parentOf();
    const pairs = [await childOf(id), await childOf(id)];
    for (const pair of pairs) expect(await stands(pair)).toEqual(works);
    await end(id);
    for (const pair of pairs) {
      expect(await stands(pair)).toEqual({ code: 'REVOKED', status: 401 });
      expect(await read(server, pair.id)).toMatchObject({ status: 'REVOKED', revision: 2 });
      expect(await keptOf(server, String(pair.accessKey))).toEqual([
        expect.objectContaining({ state: 'RETIRED', sealed: false, kek: false }),
      ]);
    }
  });

  test('for good, and out of every list, where that is deleted', async () => {
    const { id } = await parentOf();
    const pair = await childOf(id);
    expectData(await remove(server, { id }));
    expect(await stands(pair)).toEqual({ code: 'NOT_VALID', status: 401 });
    expect(await read(server, pair.id)).toMatchObject({ status: 'DELETED', parent: { id } });
    expect(await derivedFrom(server, id)).toEqual([]);
    expect(await keptOf(server, String(pair.accessKey))).toEqual([
      expect.objectContaining({ state: 'RETIRED', verifier: false, sealed: false }),
    ]);
  });

  test('also where it is put back into its project', async () => {
    const project = await makeProject(server, account);
    const { id } = await parentOf({ project });
    const pair = await childOf(id);
    expectData(await update(server, { id, project: null }));
    expectData(await update(server, { id, project }));
    expect(await stands(pair)).toEqual({ code: 'REVOKED', status: 401 });
  });

  test('while that is disabled', async () => {
    const { id } = await parentOf();
    const pair = await childOf(id);
    await setEnabled('credential', id, false);
    expect(await stands(pair)).toEqual({ code: 'DISABLED', status: 401 });
    await setEnabled('credential', id, true);
    expect(await stands(pair)).toEqual(works);
  });

  test.each(['account', 'owner'] as const)('with that, while its %s is disabled', async (which) => {
    const own = await makeAccount(server);
    const owner = await makeAccount(server, { kind: 'PERSON' });
    const parent = await makeCredential(server, own, { owner });
    const { secret } = await makeCredential(server, own, { owner, secret: { token: {} } });
    const both = [parent, await childOf(parent.id)];
    const disabled = which === 'account' ? own : owner;
    await setEnabled('account', disabled, false);
    for (const pair of both) expect(await stands(pair)).toEqual({ code: 'DISABLED', status: 401 });
    expect(await statusWith(server, String(secret))).toBe(401);
    await setEnabled('account', disabled, true);
    for (const pair of both) expect(await stands(pair)).toEqual(works);
    expect(await statusWith(server, String(secret))).toBe(200);
  });

  test.each(['account', 'owner'] as const)(
    'with that, while its %s is disabled, in an outside store',
    async (which) => {
      const world = await connect(server, ncloud);
      try {
        const owner = await makeAccount(server, { kind: 'PERSON', parent: world.account });
        const parent = await world.make({ owner });
        const pair = madeBy(await issue(server, { parent: parent.id }));
        const faults = () =>
          Promise.all([parent, pair].map(({ id }) => faultOfCredential(server.db, uuidOf(id))));
        expect(await faults()).toEqual([null, null]);
        const disabled = which === 'account' ? world.account : owner;
        await setEnabled('account', disabled, false);
        expect(await faults()).toEqual(['DISABLED', 'DISABLED']);
        expect((await issue(server, { parent: parent.id })).code).toBe('CONFLICT');
        await setEnabled('account', disabled, true);
        expect(await faults()).toEqual([null, null]);
      } finally {
        await world.standIn.stop();
      }
    },
  );

  test('S19: at the end of that one, by the clock of the database', async () => {
    const name = unique('parent');
    const { id } = await parentOf({ name });
    const pair = await childOf(id);
    await inRow(name, 'expires_at = now()');
    expect(await stands(pair)).toEqual({ code: 'EXPIRED', status: 401 });
  });

  test('with the secret that it was derived from: at the end of the grace period', async () => {
    const name = unique('parent');
    const parent = await parentOf({ name });
    const before = await childOf(parent.id);
    expectData(await rotate(server, { id: parent.id, gracePeriod: 'PT1H' }));
    const after = await childOf(parent.id);
    // The caller holds the previous secret: what it derives is of that one.
    const byPrevious = madeBy(await issueSigned(server, parent, { parent: parent.id }));
    for (const pair of [before, after, byPrevious]) expect(await stands(pair)).toEqual(works);

    await server.rows(
      `UPDATE credential_versions v SET valid_until = now() FROM credentials c
       WHERE c.id = v.credential_id AND c.name = :name AND v.state = 'PREVIOUS'`,
      { name },
    );
    for (const pair of [before, byPrevious])
      expect(await stands(pair)).toEqual({ code: 'REVOKED', status: 401 });
    expect(await stands(after)).toEqual(works);

    // What tidies up says so too, and changes no answer.
    expect(await retireOutlived(server.db)).toBeGreaterThan(0);
    for (const pair of [before, byPrevious]) {
      expect(await stands(pair)).toEqual({ code: 'REVOKED', status: 401 });
      expect(await statusOf(pair.id)).toBe('REVOKED');
    }
    expect(await stands(after)).toEqual(works);
    expect(await statusOf(after.id)).toBe('ACTIVE');
  });

  test('with the secret that it was derived from: where a second rotation retires that', async () => {
    const { id } = await parentOf();
    const first = await childOf(id);
    expectData(await rotate(server, { id, gracePeriod: 'PT1H' }));
    const second = await childOf(id);
    expectData(await rotate(server, { id, gracePeriod: 'PT1H' }));
    expect([await stands(first), await statusOf(first.id)]).toEqual([
      { code: 'REVOKED', status: 401 },
      'REVOKED',
    ]);
    expect([await stands(second), await statusOf(second.id)]).toEqual([works, 'ACTIVE']);
  });

  test('with its account, where that is deleted', async () => {
    const own = await makeAccount(server);
    const { id } = await makeCredential(server, own);
    const pair = await childOf(id);
    expectData(await run(server, 'deleteAccount', { id: own, revokeCredentials: true }));
    expect((await askSigned(server, pair, '{ viewer { id } }')).status).toBe(401);
    expect((await verdictOn(server, pair)).valid).toBe(false);
  });

  test.each(['account', 'owner'] as const)(
    'with its %s, where that is deleted and its parent lives on with somebody else',
    async (which) => {
      const [own, owner, heir] = await Promise.all([
        makeAccount(server),
        makeAccount(server, { kind: 'PERSON' }),
        makeAccount(server),
      ]);
      const parent = await makeCredential(server, own, { owner });
      const pair = await childOf(parent.id);
      const id = which === 'account' ? own : owner;
      expectData(await run(server, 'deleteAccount', { id, transferTo: heir }));
      expect((await askSigned(server, pair, '{ viewer { id } }')).status).toBe(401);
      expect((await verdictOn(server, pair)).valid).toBe(false);
      expect((await verdictOn(server, parent)).code).toBe('VALID');
      expect(await stands(await childOf(parent.id))).toEqual(works);
    },
  );

  test('S23: has the owner that its parent has by now', async () => {
    const [before, after] = [await makeCaller(server), await makeCaller(server)];
    const { id } = await parentOf({ owner: before.id });
    const pair = await childOf(id);
    const sees = async ({ token }: { token: string }) =>
      expectData(
        await server.ask('query ($id: ID!) { credential(id: $id) { id } }', { id: pair.id }, { token }),
      ).credential !== null;
    expect([await sees(before), await sees(after)]).toEqual([true, false]);
    expectData(await update(server, { id, owner: after.id }));
    expect([await sees(before), await sees(after)]).toEqual([false, true]);
    expect(await stands(pair)).toEqual(works);
    expectData(await update(server, { id, owner: null }));
    expect([await sees(before), await sees(after)]).toEqual([false, false]);
    expect((await read(server, pair.id)).owner).toBeNull();
  });

  test('and ends alone, where it is revoked itself', async () => {
    const parent = await parentOf();
    const [pair, sibling] = [await childOf(parent.id), await childOf(parent.id)];
    expectData(await revoke(server, { id: pair.id }));
    expect(await stands(pair)).toEqual({ code: 'REVOKED', status: 401 });
    for (const other of [parent, sibling]) expect(await stands(other)).toEqual(works);
  });
});

describe('at the same time', () => {
  test('R7: as its parent is revoked, it is refused or ends with it: 50 rounds', async () => {
    for (let round = 0; round < 50; round++) {
      const { id } = await parentOf();
      const [answer, ended] = await Promise.all([issue(server, { parent: id }), revoke(server, { id })]);
      expect(ended.code).toBeUndefined();
      expect([undefined, 'CONFLICT']).toContain(answer.code);
      const derived = await derivedFrom(server, id);
      expect(derived.map(({ status }) => status)).toEqual(answer.code === undefined ? ['REVOKED'] : []);
      if (answer.code === undefined)
        expect(await stands(madeBy(answer))).toEqual({ code: 'REVOKED', status: 401 });
    }
  });

  test('R6: as its parent is rotated, it is of the secret before, and gone, or of the next', async () => {
    for (let round = 0; round < 15; round++) {
      const { id } = await parentOf();
      const [answers, rotated] = await Promise.all([
        Promise.all(Array.from({ length: 4 }, () => issue(server, { parent: id }))),
        rotate(server, { id }),
      ]);
      expect(rotated.code).toBeUndefined();
      for (const pair of answers.map(madeBy)) {
        const { code } = await stands(pair);
        expect([code, await statusOf(pair.id)]).toEqual(
          code === 'VALID' ? ['VALID', 'ACTIVE'] : ['REVOKED', 'REVOKED'],
        );
      }
    }
  });
});

describe('a parent that does not work', () => {
  test.each<[string, (id: string, name: string) => Promise<unknown>]>([
    ['revoked', async (id) => expectData(await revoke(server, { id }))],
    ['deleted', async (id) => expectData(await remove(server, { id }))],
    ['disabled', async (id) => expectData(await update(server, { id, enabled: false }))],
    [
      'expired',
      (_, name) => server.rows('UPDATE credentials SET expires_at = now() WHERE name = :name', { name }),
    ],
    [
      'of a disabled account',
      async (id) =>
        expectData(
          await run(server, 'updateAccount', { id: (await read(server, id)).account.id, enabled: false }),
        ),
    ],
    [
      'of a disabled owner',
      async (id) =>
        expectData(
          await run(server, 'updateAccount', { id: (await read(server, id)).owner.id, enabled: false }),
        ),
    ],
  ])('derives nothing: one that is %s is CONFLICT', async (_, end) => {
    const name = unique('parent');
    const owner = await makeAccount(server, { kind: 'PERSON' });
    const { id } = await makeCredential(server, await makeAccount(server), { name, owner });
    await end(id, name);
    const answer = await issue(server, { parent: id });
    expect([answer.code, answer.data]).toEqual(['CONFLICT', null]);
    expect(await derivedFrom(server, id)).toEqual([]);
  });
});
