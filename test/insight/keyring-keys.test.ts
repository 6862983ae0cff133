/**
 * @slow 15 s
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { makeAccount, makeCaller, makeCredential } from '../support/make.js';
import { runKeyway } from '../support/process.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => void (server = await startTestServer()));
afterAll(() => server.stop());

const keys = async (token?: string) =>
  (await server.ask('{ keyringKeys { kind id current left } }', {}, token === undefined ? {} : { token }))
    .data.keyringKeys as { kind: string; id: string; current: boolean; left: number | null }[];

test('S47: who reads the whole audit log is told how far a change of keys is, and nobody else', async () => {
  const account = await makeAccount(server);
  await makeCredential(server, account);
  const first = ['KEK', 'VERIFIER', 'PEPPER', 'AUDIT'].map((kind) => ({
    kind,
    id: 'k1',
    current: true,
    left: null,
  }));
  expect(await keys()).toEqual(first);
  const [auditor, partly, reader] = [
    await makeCaller(server, ['AUDIT_READ']),
    await makeCaller(server, ['AUDIT_READ'], { onAccount: account }),
    await makeCaller(server, ['CREDENTIAL_READ', 'ACCOUNT_MANAGE']),
  ];

  expect((await runKeyway(['keys', 'rotate', 'verifier'], server.environment)).code).toBe(0);
  const ofVerifier = async () => (await keys(auditor.token)).filter(({ kind }) => kind === 'VERIFIER');
  for (let tries = 0; tries < 300 && !(await ofVerifier())[1]?.current; tries++) await sleep(100);
  const [older, current] = await ofVerifier();
  expect(current).toEqual({ kind: 'VERIFIER', id: 'k2', current: true, left: null });
  expect(older).toEqual({ kind: 'VERIFIER', id: 'k1', current: false, left: expect.any(Number) });
  const [row] = await server.rows<{ count: number }>(
    `SELECT count(*)::integer AS count FROM credential_versions WHERE verifier IS NOT NULL AND verifier_key_id = 'k1'`,
  );
  expect(older?.left).toBe(row?.count);
  expect(row?.count).toBeGreaterThan(0);
  expect(await keys(partly.token)).toEqual([]);
  expect(await keys(reader.token)).toEqual([]);
});
