/**
 * @slow 40 s
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expectData, makeAccount } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { Trial, type Step } from './trial.js';
import { apinizer, ncloud, seqera, veracode, type Vendor } from './vendors.js';

let server: TestServer;
let account: string;
const trials: Trial[] = [];
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  account = await makeAccount(server);
});
afterEach(async () => {
  for (const { vendor } of trials.splice(0)) await vendor.standIn.stop();
});
afterAll(() => server.stop());

async function rotation(vendor: () => Promise<Vendor>, more: Partial<Step> = {}): Promise<Trial> {
  const step: Step = { verb: 'rotate', vendor, ends: 'done', ...more };
  const trial = await Trial.open('a rotation', step, server, account);
  trials.push(trial);
  await trial.prepare();
  return trial;
}

async function finished(trial: Trial) {
  for (;;) {
    const seen = await trial.seen();
    if (seen.rotation?.state === 'FINISHED' && seen.status === 'ACTIVE') return seen;
    await sleep(100);
  }
}

const deletedOf = ({ vendor }: Trial) =>
  vendor.standIn.calls
    .filter(({ method, status }) => method === 'DELETE' && status === 200)
    .map(({ body }) => (JSON.parse(body) as { accessKey: string }).accessKey);
const attemptsOf = ({ vendor }: Trial, method: string) =>
  vendor.standIn.calls.filter((call) => call.method === method);

describe('R11: an upstream call that times out is treated as unknown', () => {
  // The work is done, and the answer comes after the 5 s that a call may take.
  const late = async (vendor: () => Promise<Vendor>) => {
    const trial = await rotation(vendor);
    trial.vendor.standIn.meet({ kind: 'slow', ms: 8_000 }, trial.vendor.writes.rotate);
    return trial;
  };

  test.each([
    ['Seqera', seqera, 'PUT'],
    ['Apinizer', apinizer, 'PATCH'],
  ])('%s is told the same secret again', async (_, vendor, method) => {
    const trial = await late(vendor);
    const { issued } = expectData(await trial.send()).done;
    const [first, second, ...more] = attemptsOf(trial, method);
    expect(more).toEqual([]);
    expect(first?.body === second?.body).toBe(true);
    expect(trial.accepts(issued)).toBe(true);
    expect((await trial.seen()).rotation?.state).toBe('FINISHED');
  });

  test('of NAVER Cloud the key that nobody has is ended, and another made', async () => {
    const trial = await late(ncloud);
    const [old] = trial.spot.has();
    const { issued } = expectData(await trial.send()).done;
    await finished(trial);
    expect(trial.accepts(issued)).toBe(true);
    expect(trial.spot.has()).toEqual([issued.accessKey]);
    expect(deletedOf(trial)).toHaveLength(2);
    expect(deletedOf(trial).at(-1)).toBe(old);
  });

  test('of Veracode the secret is lost, and nothing is tried again', async () => {
    const trial = await late(veracode);
    const before = trial.writes();
    expect((await trial.send()).code).toBe('OUTCOME_UNKNOWN');
    const seen = await trial.seen();
    expect([seen.status, seen.rotation?.state]).toEqual(['UNKNOWN', 'OUTCOME_UNKNOWN']);
    expect(trial.writes()).toBe(before + 1);
  });
});

describe('R13: the end of a previous key is delivered at least once, in order', () => {
  const fails = { kind: 'fail', status: 503 } as const;
  const suspends = { method: 'PUT', path: /\/access-keys$/ };

  test('after it failed twice', async () => {
    const trial = await rotation(ncloud);
    const [old] = trial.spot.has();
    trial.vendor.standIn.meet(fails, suspends, 2);
    const { issued } = expectData(await trial.send()).done;
    await finished(trial);
    expect(attemptsOf(trial, 'PUT').map(({ status }) => status)).toEqual([503, 503, 200]);
    expect(deletedOf(trial)).toEqual([old]);
    expect(trial.spot.has()).toEqual([issued.accessKey]);
  });

  test('as often as it takes, and each time is counted', async () => {
    const trial = await rotation(ncloud);
    trial.vendor.standIn.meet(fails, suspends, 99);
    expectData(await trial.send());
    const { id } = await trial.seen();
    const changes = async () => {
      const text = `query ($id: ID!) { credential(id: $id) { storeChanges { kind attempts failure } } }`;
      return expectData(await server.ask(text, { id })).credential.storeChanges;
    };
    while ((await changes())[0].attempts < 3) await sleep(100);
    expect(await changes()).toMatchObject([
      { kind: 'RETIRE', failure: expect.stringMatching(/^UNAVAILABLE: /) },
    ]);
    trial.vendor.standIn.clear();
    await finished(trial);
    expect(await changes()).toEqual([]);
  });

  test('after a restart', async () => {
    const trial = await rotation(ncloud);
    const [old] = trial.spot.has();
    // The answer is lost, and it is asked for again.
    trial.vendor.standIn.meet({ kind: 'drop' }, suspends, 2);
    expectData(await trial.send());
    await server.restart();
    await finished(trial);
    expect(deletedOf(trial)).toEqual([old]);
    expect(trial.spot.has()).toHaveLength(1);
  });

  test('the oldest before the next, whose making waits for it', async () => {
    const trial = await rotation(ncloud, { grace: 'PT1H' });
    const [first] = trial.spot.has();
    const { issued: second } = expectData(await trial.send()).done;
    trial.prepareAgain();
    trial.vendor.standIn.meet(fails, suspends);
    const { issued: third } = expectData(await trial.send()).done;
    trial.prepareAgain();
    const { issued: fourth } = expectData(await trial.send()).done;
    expect(deletedOf(trial)).toEqual([first, second.accessKey]);
    expect(trial.spot.has().sort()).toEqual([third.accessKey, fourth.accessKey].sort());
  });
});
