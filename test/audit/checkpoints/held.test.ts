/**
 * @slow 10 s
 */
import { jest } from '@jest/globals';
import { readFileSync, renameSync } from 'node:fs';
import { Checkpoints } from '../../../src/audit/checkpoints/checkpoints.js';
import { parseId } from '../../../src/ids.js';
import { expectData, makeAccount, makeCaller, makeCredential } from '../../support/make.js';
import { runKeyway } from '../../support/process.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import { fileOf, linesOf, setBack, tamper } from '../chains.js';

// The administrator of the database cuts a chain that Keyway has written checkpoints of.

let server: TestServer;
afterEach(() => server.stop());

const file = () => fileOf(server);

/** A server that has written checkpoints of an account's chain of `length` events. */
async function written(length: number): Promise<{ id: string; account: string }> {
  server = await startTestServer();
  const id = await makeAccount(server);
  for (let number = 2; number <= length; number++) await rename(id, `Title ${number}`);
  await server.restart();
  const account = parseId(id)?.uuid ?? '';
  expect(linesOf(file()).filter((line) => line.account === account)).toMatchObject([{ number: `${length}` }]);
  return { id, account };
}

const rename = async (id: string, title: string) =>
  expectData(await run(server, 'updateAccount', { id, title }));

async function cut(account: string, to: number): Promise<void> {
  await setBack(server, account, to);
  await tamper(server, `DELETE FROM audit_events WHERE account_id = :account AND number > ${to}`, {
    account,
  });
}

const ready = async (token?: string) => {
  const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  const response = await fetch(`${server.url}/ready`, headers && { headers });
  return { status: response.status, body: (await response.json()) as unknown };
};

const titleOf = async (account: string) =>
  (await server.rows<{ title: string }>('SELECT title FROM accounts WHERE id = :account', { account }))[0]
    ?.title;

/** All is UNAVAILABLE, and nothing changes. */
async function expectHeld({ id, account }: { id: string; account: string }, reader: string): Promise<void> {
  const before = { title: await titleOf(account), lines: readFileSync(file(), 'utf8') };
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  // S64: whoever asks without a proof, or may not read the whole log, hears no more than that.
  for (const token of [undefined, reader, 'kw_pat_no'])
    expect(await ready(token)).toEqual({ status: 503, body: { status: 'down' } });
  expect(await ready(server.adminToken)).toEqual({
    status: 503,
    body: { status: 'down', reason: expect.stringContaining('run "keyway audit verify"') },
  });
  for (const answer of [
    await server.ask('{ viewer { id } }'),
    await run(server, 'updateAccount', { id, title: 'Never' }),
  ])
    expect([answer.status, answer.code]).toEqual([503, 'UNAVAILABLE']);
  const verified = await fetch(`${server.url}/v1/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.adminToken}` },
    body: '{}',
  });
  expect(verified.status).toBe(503);
  const told = server.logged.filter((line) => line.includes('the audit log is not what its checkpoints say'));
  expect(told.join('')).toContain(account);
  expect({ title: await titleOf(account), lines: readFileSync(file(), 'utf8') }).toEqual(before);
}

test('S64, S66: a chain that is behind what is written makes a Keyway not ready that starts, until an operator has acted', async () => {
  const chain = await written(10);
  const { token } = await makeCaller(server, ['AUDIT_READ'], { onAccount: chain.id });
  await server.restart();
  await cut(chain.account, 7);
  // Its end, and another start: neither writes over what was written.
  await server.restart();
  await expectHeld(chain, token);
  await server.pause();
  const verify = await runKeyway(['audit', 'verify'], server.environment);
  expect(verify.code).toBe(1);
  expect(verify.output).toContain(
    `account ${chain.account}, row 8: is missing, and a checkpoint knows of it`,
  );
  const other = await runKeyway(['token', 'create'], server.environment);
  expect(other).toEqual({ code: 1, output: expect.stringContaining('run "keyway audit verify"') });
  // What docs/running.md says: the file is kept, and another one begun.
  renameSync(file(), `${file()}.before`);
  await server.restart();
  expect(await ready()).toEqual({ status: 200, body: { status: 'up' } });
  await rename(chain.id, 'On it goes');
  await server.pause();
  expect((await runKeyway(['audit', 'verify'], server.environment)).code).toBe(0);
  // The one that was kept says what it said.
  const kept = await runKeyway(['audit', 'verify', '--checkpoints', `${file()}.before`], server.environment);
  expect(kept.code).toBe(1);
  expect(kept.output).toMatch(new RegExp(`account ${chain.account}, row \\d+: is (missing|not what)`));
  const none = await runKeyway(['audit', 'verify', '--checkpoints', 'nowhere'], server.environment);
  expect(none).toEqual({ code: 1, output: expect.stringContaining('There is no such file of checkpoints.') });
  await server.restart();
});

test('S66: an operator accepts it by a command, which is on record where something is missing', async () => {
  const chain = await written(10);
  await server.restart();
  await cut(chain.account, 7);
  await server.restart();
  expect((await ready()).status).toBe(503);
  await server.pause();
  const accepted = await runKeyway(['restore', 'accept'], server.environment);
  expect(accepted.code).toBe(0);
  expect(accepted.output).toContain(`account ${chain.account}, row 8: is missing`);
  const [, kept = ''] = /checkpoints of before: (\S+?)\.$/m.exec(accepted.output) ?? [];
  expect(linesOf(kept).filter(({ account }) => account === chain.account)).toMatchObject([{ number: '10' }]);
  expect((await runKeyway(['audit', 'verify'], server.environment)).code).toBe(0);
  expect((await runKeyway(['audit', 'verify', '--checkpoints', kept], server.environment)).code).toBe(1);
  const again = await runKeyway(['restore', 'accept'], server.environment);
  expect(again).toEqual({ code: 1, output: expect.stringContaining('nothing to accept') });
  await server.restart();
  expect(await ready()).toEqual({ status: 200, body: { status: 'up' } });
  const { auditEvents } = expectData(
    await server.ask(
      'query ($filter: AuditFilter) { auditEvents(filter: $filter) { nodes { action actor { id } targetId } } }',
      { filter: { action: ['restore:accept'] } },
    ),
  );
  expect(auditEvents.nodes).toHaveLength(2);
  expect(auditEvents.nodes).toContainEqual({
    action: 'restore:accept',
    actor: null,
    targetId: chain.id,
  });
  await rename(chain.id, 'On it goes');
});

test('S66: one that runs finds it, although the chain has grown past the cut', async () => {
  const started = jest.spyOn(Checkpoints.prototype, 'check');
  try {
    const chain = await written(10);
    const { token } = await makeCaller(server);
    const checkpoints = started.mock.contexts.at(-1) as Checkpoints;
    await cut(chain.account, 7);
    for (let number = 8; number <= 12; number++) await rename(chain.id, `Again ${number}`);
    // As each minute.
    await checkpoints.write();
    await expectHeld(chain, token);
  } finally {
    started.mockRestore();
  }
});

test('S66: a database without what was written is not begun anew', async () => {
  const { id } = await written(3);
  await makeCredential(server, id);
  await server.restart();
  await tamper(server, 'DELETE FROM audit_events');
  await server.rows('DELETE FROM audit_heads');
  const accounts = await server.rows('SELECT id FROM accounts ORDER BY id');
  await server.restart();
  expect((await ready()).status).toBe(503);
  expect(await server.rows('SELECT id FROM accounts ORDER BY id')).toEqual(accounts);
});
