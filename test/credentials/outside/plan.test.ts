import { setTimeout as sleep } from 'node:timers/promises';
import { expectData, makeAccount } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import { Trial, type Step } from './trial.js';
import { apinizer, ncloud, type Vendor } from './vendors.js';

let server: TestServer;
const trials: Trial[] = [];
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const { vendor } of trials.splice(0)) await vendor.standIn.stop();
});

async function rotation(vendor: () => Promise<Vendor>, more: Partial<Step> = {}): Promise<Trial> {
  const step: Step = { verb: 'rotate', vendor, ends: 'done', ...more };
  const trial = await Trial.open('a rotation', step, server, await makeAccount(server));
  trials.push(trial);
  await trial.prepare();
  return trial;
}

const newest = () =>
  server.rows<{ verb: string; state: string }>(
    `SELECT verb, state FROM intents WHERE credential_id =
       (SELECT credential_id FROM intents ORDER BY created_at DESC, id DESC LIMIT 1) ORDER BY created_at, id`,
  );

test('R6: one write to a credential is under way at a time; another is told CONFLICT', async () => {
  const trial = await rotation(apinizer, { at: { when: 'after' } });
  await trial.park();
  const { id } = await trial.seen();
  for (const [mutation, input] of [
    ['rotateCredential', { id }],
    ['updateCredential', { id, fullName: 'Changed' }],
  ] as const)
    expect((await run(server, mutation, input)).code).toBe('CONFLICT');
  await trial.bury();
  expect((await trial.seen()).rotation?.state).toBe('FINISHED');
  expect(await newest()).toEqual([
    { verb: 'CREATE', state: 'DONE' },
    { verb: 'ROTATE', state: 'DONE' },
  ]);
});

test('the end of a previous key does not keep the next rotation waiting, which takes its place', async () => {
  const trial = await rotation(ncloud, { grace: 'PT1H' });
  expectData(await trial.send());
  trial.prepareAgain();
  expectData(await trial.send());
  expect((await newest()).map(({ verb, state }) => `${verb} ${state}`)).toEqual([
    'CREATE DONE',
    'ROTATE DONE',
    'ROTATE DONE',
  ]);
});

test('an intent holds no secret', async () => {
  const trial = await rotation(apinizer);
  const { issued } = expectData(await trial.send()).done;
  const rows = JSON.stringify(await server.rows('SELECT * FROM intents'));
  expect(rows.includes(issued.secret)).toBe(false);
});

test('R7: a revocation overtakes a rotation, and ends what that one makes after', async () => {
  const trial = await rotation(ncloud, { at: { when: 'after' } });
  await trial.park();
  const { id } = await trial.seen();
  const sent = trial.send();
  expectData(await run(server, 'revokeCredential', { id }));
  await trial.bury();
  expect((await sent).code).toBe('CONFLICT');
  const seen = await trial.seen();
  expect([seen.status, seen.rotation?.state]).toEqual(['REVOKED', 'FAILED']);
  expect(trial.spot.has()).toEqual([]);
});

test('R7: also what a request makes that arrives only after', async () => {
  const trial = await rotation(ncloud);
  const { standIn, writes } = trial.vendor;
  const standing = standIn.hold('before', writes.rotate);
  const sent = trial.send();
  const held = await standing;
  const { id } = await trial.seen();
  expectData(await run(server, 'revokeCredential', { id }));
  expect(trial.spot.has()).toEqual([]);
  held.release();
  expect((await sent).code).toBe('CONFLICT');
  // It is looked for once no request of the one that was overtaken can arrive any more: when its lease has ended.
  while (trial.spot.has().length > 0) await sleep(200);
  expect((await trial.seen()).status).toBe('REVOKED');
  expect(standIn.calls.filter(({ method, status }) => method === 'DELETE' && status === 200)).toHaveLength(2);
});
