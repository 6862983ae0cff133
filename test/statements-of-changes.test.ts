import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../src/database/database.js';
import { parseId } from '../src/ids.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from './support/make.js';
import { enrolAndConfirm } from './support/authenticator.js';
import { sharedServer, type Answer, type SharedServer } from './support/server.js';
import { run } from './support/verbs.js';
import { waitingDeeds } from './support/waiting.js';
import { sentFor } from './support/wire.js';

// A change waits for each of its statements, and others wait for its locks meanwhile.

let server: SharedServer;
let account: string;
let project: string;
let roles: string[];

beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
  project = await makeProject(server, account);
  roles = [await makeRole(server, ['CREDENTIAL_READ']), await makeRole(server, [])];
  await grant(server, account, roles[0] ?? '', { onProject: project });
});

const named =
  'id name kind status createdAt account { name } owner { name } project { name } roles { name } store { name }';
const short = (sent: readonly string[]) => sent.map((text) => text.slice(0, 300));

test('alone, a creation is six statements, with what its answer names', async () => {
  const sent = await sentFor(server, async () => {
    const made = expectData(
      await server.ask(
        `mutation ($input: CreateCredentialInput!) { createCredential(input: $input) {
          credential { ${named} } issued { secret } } }`,
        {
          input: {
            account,
            project,
            owner: account,
            name: unique('made'),
            roles,
            secret: { accessKey: {} },
            idempotencyKey: unique('key'),
          },
        },
      ),
    ).createCredential;
    expect(made.credential.roles).toHaveLength(2);
    expect(made.credential).toMatchObject({ status: 'ACTIVE', project: { name: expect.any(String) } });
  });
  expect(short(sent)).toHaveLength(6);
});

test.each(['PT0S', 'PT1H'])('alone, a rotation is seven statements, with grace %s', async (gracePeriod) => {
  const { id } = await makeCredential(server, account, { project, roles });
  const numbers: number[] = [];
  const sent = await sentFor(server, async () => {
    const { credential } = expectData(
      await server.ask(
        `mutation ($input: RotateCredentialInput!) { rotateCredential(input: $input) {
          credential { ${named} revision } issued { secret } } }`,
        { input: { id, gracePeriod, idempotencyKey: unique('key') } },
      ),
    ).rotateCredential;
    expect(credential.roles).toHaveLength(2);
    expect(credential.status).toBe(gracePeriod === 'PT0S' ? 'ACTIVE' : 'ROTATING');
    numbers.push(credential.revision);
  });
  expect(short(sent)).toHaveLength(7);
  // Each has written the row once.
  expect(numbers).toEqual([2, 3, 4, 5, 6]);
  const { versions } = expectData(
    await server.ask('query ($id: ID!) { credential(id: $id) { versions { number state } } }', { id }),
  ).credential;
  expect(versions.map(({ state }: { state: string }) => state)).toEqual([
    'CURRENT',
    gracePeriod === 'PT0S' ? 'RETIRED' : 'PREVIOUS',
    'RETIRED',
    'RETIRED',
    'RETIRED',
    'RETIRED',
  ]);
});

/** Whether it locks a row that is not of the audit. */
const locks = (text: string) =>
  /FOR (NO KEY )?(UPDATE|SHARE)|^UPDATE mfa_devices/.test(text.replaceAll(/audit_heads .*? FOR UPDATE/g, ''));
const locksChain = (text: string) => /FROM audit_heads h .*FOR UPDATE/.test(text);

describe('nothing waits for a row while others wait for the chain: what locks it locks nothing after it', () => {
  const deeds: Record<string, (given: Record<string, unknown>, token: string) => Promise<unknown>> = {
    createCredential: (given, token) =>
      run(
        server,
        'createCredential',
        { account, name: unique('made'), secret: { accessKey: {} }, ...given },
        { token },
      ),
    rotateCredential: async (given, token) => {
      const { id } = await makeCredential(server, account);
      return run(server, 'rotateCredential', { id, ...given }, { token });
    },
  };
  test.each(Object.entries(deeds))('%s with the code of a second factor', async (_, deed) => {
    const caller = await makeCaller(server, ['CREDENTIAL_CREATE', 'CREDENTIAL_ROTATE'], {
      onAccount: account,
    });
    const { recoveryCodes } = await enrolAndConfirm(server, caller.token);
    const all = await sentFor(server, async () =>
      expectData(
        (await deed({ mfaCode: recoveryCodes.pop() }, caller.token)) as Parameters<typeof expectData>[0],
      ),
    );
    const proves = (text: string) => text.startsWith('UPDATE mfa_devices SET recovery = ');
    const from = all.slice(all.lastIndexOf('START TRANSACTION', all.findIndex(proves)));
    const sent = from.slice(0, from.indexOf('COMMIT'));
    const proved = sent.findIndex(proves);
    const chained = sent.findIndex(locksChain);
    expect(proved).toBeGreaterThan(0);
    expect(chained).toBeGreaterThan(proved);
    expect(sent.slice(chained + 1).filter(locks)).toEqual([]);
  });

  test('rotateCredential of one that others were derived from', async () => {
    const { id } = await makeCredential(server, account);
    const sent = await sentFor(server, async () => {
      expectData(await run(server, 'issueTemporaryCredential', { parent: id }));
      expectData(await run(server, 'rotateCredential', { id }));
    });
    const [chaining = ''] = sent.filter((text) => text.includes('WHERE c.parent_id = $')).filter(locksChain);
    expect(chaining.indexOf('WHERE c.parent_id = $')).toBeLessThan(chaining.search(/FROM audit_heads h/));
    const { derived } = expectData(
      await server.ask(
        'query ($id: ID!) { credential(id: $id) { derived(first: 9) { nodes { status } } } }',
        { id },
      ),
    ).credential;
    expect(derived.nodes).toHaveLength(5);
    expect(new Set(derived.nodes.map(({ status }: { status: string }) => status))).toEqual(
      new Set(['REVOKED']),
    );
  });
});

// The embedded database has one connection: nobody waits for a row there.
if (process.env['TEST_DATABASE_URL'])
  test('a creation that waits for its caller’s account holds up nobody at the place', async () => {
    const caller = await makeCaller(server, ['CREDENTIAL_CREATE'], { onAccount: account });
    let creating: Promise<Answer> | undefined;
    await server.db.transaction(async (tx) => {
      await tx.rows(sql('SELECT FROM accounts WHERE id = :id FOR UPDATE'), { id: parseId(caller.id)?.uuid });
      creating = run(
        server,
        'createCredential',
        { account, name: unique('made'), secret: { accessKey: {} }, idempotencyKey: unique('key') },
        { token: caller.token },
      );
      while ((await waitingDeeds(server)) === 0) await sleep(20);
      const heads = await server.rows(
        'SELECT FROM audit_heads WHERE account_id = :id FOR UPDATE SKIP LOCKED',
        { id: parseId(account)?.uuid },
      );
      expect(heads).toHaveLength(1);
    });
    expectData((await creating) as Answer);
  });
