/**
 * @slow 40 s
 * @embedded what vendors answer
 */
// What every kind of store keeps to, as its callers meet it: one suite for all of them.
import { parseId } from '../../src/ids.js';
import { faultPaths, placesOf } from '../credentials/verbs.js';
import { holdReads } from '../support/held-reads.js';
import { expectData, unique } from '../support/make.js';
import { sharedServer, type Answer, type SharedServer } from '../support/server.js';
import { builtIn, outside, type Case, type Issued } from './conformance.js';
import { connect, inState, recorded, until, type World } from './world.js';

let server: SharedServer;
let world: World;
beforeAll(async () => {
  server = await sharedServer();
});
afterEach(() => world.standIn.stop());

const capabilities = async (): Promise<string[]> =>
  expectData(
    await server.ask('query ($id: ID!) { node(id: $id) { ... on CredentialStore { capabilities } } }', {
      id: world.store,
    }),
  ).node.capabilities;

/** What Keyway keeps of the credentials of the store, but for when they were looked at. */
const rowsOf = (): Promise<object[]> =>
  server.rows(
    `SELECT c.id, c.revision, c.enabled, c.revoked_at, c.deleted_at, v.number, v.state, i.id AS intent
     FROM credentials c JOIN credential_versions v ON v.credential_id = c.id
     LEFT JOIN intents i ON i.credential_id = c.id WHERE c.store_id = :id ORDER BY c.id, v.number, i.id`,
    { id: parseId(world.store)?.uuid },
  );

/** The parts of a secret that are not for everybody. */
const hiddenOf = ({ secret, keys }: Issued): string[] => [
  ...(secret === null ? [] : [secret]),
  ...(keys ?? []).filter(({ name }) => name === 'password').map(({ value }) => value),
];

describe.each<Case>(outside)('$name, as an outside store', (store) => {
  beforeEach(async () => {
    world = await connect(server, store);
  });

  test('what it lists is brought in once, and changes when it changes there', async () => {
    const { id, externalId } = await world.takeIn();
    expect(await world.sync()).toEqual({ added: 0, changed: 0, gone: 0, error: null });
    const { revision } = await world.read(id);
    world.change(externalId);
    expect(await world.sync()).toEqual({ added: 0, changed: 1, gone: 0, error: null });
    expect((await world.read(id)).revision).toBe(revision + 1);
  });

  test('what Keyway has rotated there is no news to the next sync', async () => {
    const { id } = await world.make();
    await world.sync();
    expectData(await world.run('rotateCredential', { id, ...world.next() }));
    expect(await world.sync()).toEqual({ added: 0, changed: 0, gone: 0, error: null });
  });

  test('what is gone there is GONE and not forgotten, and is back when it is there again', async () => {
    const { id, externalId } = await world.takeIn();
    const bringBack = world.takeAway(externalId);
    expect(await world.sync()).toEqual({ added: 0, changed: 0, gone: 1, error: null });
    const goneAt = expect.any(String) as unknown;
    expect(await world.read(id)).toMatchObject({ status: 'GONE', goneAt, externalId });
    bringBack();
    expect(await world.sync()).toEqual({ added: 0, changed: 1, gone: 0, error: null });
    expect(await world.read(id)).toMatchObject({ status: 'ACTIVE', goneAt: null });
  });

  test('S42: no secret that was there is in a table, in the log or in an answer', async () => {
    const { id, issued } = await world.takeIn();
    const hidden = hiddenOf(issued);
    expect(hidden).toHaveLength(1);
    const seen = JSON.stringify([await world.read(id), await world.sync()]);
    for (const text of hidden) expect(seen).not.toContain(text);
    expect(await placesOf(server, hidden)).toEqual([]);
  });

  test('S42: a secret that is made there is in the answer, and in no table and no line of the log', async () => {
    const hidden = hiddenOf((await world.make()).issued);
    expect(hidden).toHaveLength(1);
    expect(await placesOf(server, hidden)).toEqual([]);
  });

  test('what was made through Keyway is known when it is listed', async () => {
    await world.sync();
    await world.make();
    expect(await world.sync()).toMatchObject({ added: 0, gone: 0, error: null });
  });

  test('what somebody else made is shown where the store shows it, and is UNSUPPORTED elsewhere', async () => {
    const { id, externalId } = await world.takeIn();
    const calls = world.standIn.calls.length;
    const answer = await world.run('revealCredential', { id });
    expect(answer.code).toBe(store.shows ? undefined : 'UNSUPPORTED');
    if (!store.shows) {
      expect(answer.errors[0]?.message).toBe(
        'Keyway does not have this secret. Rotate the credential: Keyway keeps the new one.',
      );
      return expect(world.standIn.calls).toHaveLength(calls);
    }
    expect(await world.accepts(externalId, answer.data.revealCredential.issued)).toBe(true);
  });

  test('a secret that Keyway had is always kept: not to keep it is BAD_USER_INPUT, before anything is sent', async () => {
    const answer = await world.run('createCredential', {
      ...{ store: world.store, account: world.account, name: unique('made'), retrievable: false },
      ...world.wish(),
    });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.retrievable']]);
    expect(world.writes()).toBe(0);
    const { id } = await world.takeIn();
    expectData(await world.run('rotateCredential', { id, ...world.next() }));
    expect((await world.read(id)).retrievable).toBe(true);
    expectData(await world.run('revealCredential', { id }));
  });

  test('without a grace the secret before ends there, and only the new one is left', async () => {
    const made = await world.make();
    const answer = await world.run('rotateCredential', { id: made.id, ...world.next() });
    const { issued, credential } = expectData(answer).rotateCredential;
    await until(async () => !(await world.accepts(made.externalId, made.issued)));
    await until(async () => (await world.read(made.id)).status === 'ACTIVE');
    expect(await world.accepts(credential.externalId, issued)).toBe(true);
    expect(world.living(credential.scope)).toBe(1);
  });

  test('what it has no verb for is UNSUPPORTED before anything is sent', async () => {
    const made = await world.make();
    const can = await capabilities();
    const deeds: [string, string, Record<string, unknown>][] = [
      ['UPDATE', 'updateCredential', { id: made.id, enabled: false }],
      ['REVOKE', 'revokeCredential', { id: made.id }],
      ['DELETE', 'deleteCredential', { id: made.id }],
      ['ISSUE', 'issueTemporaryCredential', { parent: made.id }],
    ];
    const [calls, rows] = [world.standIn.calls.length, await rowsOf()];
    for (const [, mutation, input] of deeds.filter(([capability]) => !can.includes(capability)))
      expect((await world.run(mutation, input)).code).toBe('UNSUPPORTED');
    expect(world.standIn.calls).toHaveLength(calls);
    expect(await rowsOf()).toEqual(rows);
    expect(await world.accepts(made.externalId, made.issued)).toBe(true);
  });
});

describe.each<Case>([...outside, builtIn])('$name', (store) => {
  const isOutside = store !== builtIn;
  beforeEach(async () => {
    world = await connect(server, store);
  });

  test('R1, R2: what is made works there, and one key makes it once and shows it again', async () => {
    const input = {
      ...{ store: world.store, account: world.account, name: unique('made'), idempotencyKey: unique('key') },
      ...world.wish(),
    };
    const first = expectData(await world.run('createCredential', input)).createCredential;
    const again = expectData(await world.run('createCredential', input)).createCredential;
    expect(again.credential.id).toBe(first.credential.id);
    expect(again.issued).toEqual(first.issued);
    expect(world.writes()).toBe(isOutside ? 1 : 0);
    const { id, externalId } = first.credential;
    expect(await world.accepts(externalId, first.issued)).toBe(true);
    const read = await world.read(id);
    expect(read.status).toBe('ACTIVE');
    expect(recorded(read, 'credential:create')).toEqual({ DONE: 1 });
  });

  test('the new secret works after a rotation, and the one before for as long as was said', async () => {
    const made = await world.make();
    const overlaps = store.way === 'overlap';
    const input = { id: made.id, gracePeriod: overlaps ? 'PT1H' : 'PT0S', ...world.next() };
    const { issued, credential } = expectData(await world.run('rotateCredential', input)).rotateCredential;
    expect(await world.accepts(credential.externalId, issued)).toBe(true);
    expect(await world.accepts(made.externalId, made.issued)).toBe(overlaps);
    expect(inState(credential, 'CURRENT')).toBe(1);
    expect(inState(credential, 'PREVIOUS')).toBe(overlaps ? 1 : 0);
    expect(recorded(credential, 'credential:rotate')).toEqual({ DONE: 1 });
    // Who uses the secret before is not known of what is presented to its store alone.
    expect(credential.rotation.safeToRetire).toBe(!(overlaps && isOutside));
  });

  test('a grace is refused before anything is sent, where the secret before ends at once', async () => {
    const made = await world.make();
    const writes = world.writes();
    const { code } = await world.run('rotateCredential', {
      ...{ id: made.id, gracePeriod: 'PT1H' },
      ...world.next(),
    });
    if (store.way === 'overlap') return expect(code).toBeUndefined();
    expect(code).toBe('BAD_USER_INPUT');
    expect(world.writes()).toBe(writes);
  });

  test('R1, R3: ten rotations with one key at once have one effect and one answer', async () => {
    const made = await world.make();
    const { rotate } = world.calls;
    const before = world.writes(rotate);
    const input = { id: made.id, idempotencyKey: unique('key'), ...world.next() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.run('rotateCredential', input)));
    const [first, ...others] = answers.map((answer) => expectData(answer).rotateCredential.issued);
    for (const other of others) expect(other).toEqual(first);
    expect(world.writes(rotate)).toBe(before + (isOutside ? 1 : 0));
    const read = await world.read(made.id);
    expect(recorded(read, 'credential:rotate')).toEqual({ DONE: 1 });
    expect(inState(read, 'CURRENT')).toBe(1);
  });

  test('R5: a rotation that expects another revision is a CONFLICT, and changes nothing', async () => {
    const made = await world.make();
    const { revision } = await world.read(made.id);
    const writes = world.writes();
    const input = { id: made.id, expectedRevision: revision + 1, ...world.next() };
    expect((await world.run('rotateCredential', input)).code).toBe('CONFLICT');
    expect(world.writes()).toBe(writes);
    expect(await world.accepts(made.externalId, made.issued)).toBe(true);
  });

  test('R5: of changes with one revision one wins, and the secret stays as it is', async () => {
    const made = await world.make();
    const { revision: expectedRevision } = await world.read(made.id);
    const change = (description: string) =>
      world.run('updateCredential', { id: made.id, expectedRevision, description });
    expect([(await change('one')).code, (await change('two')).code]).toEqual([undefined, 'CONFLICT']);
    const read = await world.read(made.id);
    expect(read).toMatchObject({ description: 'one', revision: expectedRevision + 1 });
    expect(recorded(read, 'credential:update')['DONE']).toBe(1);
    expect(await world.accepts(made.externalId, made.issued)).toBe(true);
  });

  test('R6: of rotations at once one happens, the others are a CONFLICT, and one secret is current', async () => {
    const made = await world.make();
    // Each has read what there is before one of them goes on.
    const held = holdReads(server.db, parseId(made.id)?.uuid ?? '');
    const asked: Promise<Answer>[] = [];
    while (asked.length < 4) {
      asked.push(world.run('rotateCredential', { id: made.id, ...world.next() }));
      await held.standing(asked.length);
    }
    held.end();
    held.releaseAll();
    const answers = await Promise.all(asked);
    const codes = answers.map(({ code }) => code ?? 'DONE').sort();
    expect(codes).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT', 'DONE']);
    const read = await world.read(made.id);
    expect(inState(read, 'CURRENT')).toBe(1);
    const done = answers.find(({ code }) => code === undefined);
    expect(await world.accepts(read.externalId, done?.data.rotateCredential.issued)).toBe(true);
  });

  test('what it made is shown again to whoever may see it, and that is on record', async () => {
    const made = await world.make();
    const { issued } = expectData(await world.run('revealCredential', { id: made.id })).revealCredential;
    expect(await world.accepts(made.externalId, issued)).toBe(true);
    expect(recorded(await world.read(made.id), 'credential:reveal')).toEqual({ DONE: 1 });
  });

  test.each([
    ['REVOKE', 'revokeCredential', 'credential:revoke', 'REVOKED'],
    ['DELETE', 'deleteCredential', 'credential:delete', 'DELETED'],
  ])('%s ends it there, once', async (verb, mutation, action, status) => {
    const made = await world.make();
    // That it is refused elsewhere is a promise of its own.
    if (!(await capabilities()).includes(verb)) return;
    const { credential } = expectData(await world.run(mutation, { id: made.id }))[mutation];
    expect(credential.status).toBe(status);
    expect(await world.accepts(made.externalId, made.issued)).toBe(false);
    expect(world.living(made.scope)).toBe(0);
    expect(recorded(credential, action)).toEqual({ DONE: 1 });
    const writes = world.writes();
    expectData(await world.run(mutation, { id: made.id }));
    expect(world.writes()).toBe(writes);
  });
});

describe.each<Case>(outside.filter(({ way }) => way === 'overlap'))(
  '$name, which derives secrets',
  (store) => {
    test('a temporary secret works there, and no longer than the one that it is derived from', async () => {
      world = await connect(server, store);
      const made = await world.make();
      const answer = await world.run('issueTemporaryCredential', { parent: made.id, duration: 'PT15M' });
      const { issued, credential } = expectData(answer).issueTemporaryCredential;
      expect(await world.accepts(credential.externalId, issued)).toBe(true);
      expectData(await world.run('revokeCredential', { id: made.id }));
      expect(await world.accepts(credential.externalId, issued)).toBe(false);
      expect((await world.read(credential.id)).status).toBe('REVOKED');
    });
  },
);
