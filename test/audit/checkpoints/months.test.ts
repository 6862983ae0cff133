import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { linkAll } from '../../../src/audit/chain.js';
import { Checkpoints } from '../../../src/audit/checkpoints/checkpoints.js';
import { endingText } from '../../../src/audit/ending.js';
import { CheckpointFolder } from '../../../src/audit/checkpoints/folder.js';
import { gapOf } from '../../../src/audit/checkpoints/gap.js';
import { sealOf } from '../../../src/audit/checkpoints/line.js';
import { allLines } from '../../../src/audit/checkpoints/place.js';
import { newId } from '../../../src/ids.js';
import { loadKeyFiles } from '../../../src/keyring/kek-file.js';
import { openKeyring, type Keyring } from '../../../src/keyring/keyring.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { byHand, linesOf, quiet, setBack, tamper, withoutChains } from '../chains.js';

// Checkpoints of month after month, of which the oldest are let go.

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterEach(() => withoutChains(server));
afterAll(() => server.stop());

/** A folder of checkpoints, and Keyways that write to it at a time of their own. */
class Folder {
  readonly path = join(server.dataDir, newId());
  readonly place = new CheckpointFolder(this.path);
  time = '2026-01-15';

  /** One that has just started, as far as its audit goes. */
  async start(months = 13) {
    const files = loadKeyFiles(join(server.dataDir, 'keys'));
    const checkpoints = new Checkpoints(
      server.db,
      openKeyring(files),
      this.place,
      quiet,
      months,
      () => new Date(this.time),
    );
    const keyring = openKeyring(files, { onLinked: (events) => checkpoints.noteEnded(events) });
    await checkpoints.check();
    return {
      checkpoints,
      keyring,
      add: (account: string, ...ends: boolean[]) => add(keyring, account, ends),
    };
  }

  lines = (month: string) => linesOf(join(this.path, `audit-checkpoints.${month}.jsonl`));
  months = () => readdirSync(this.path).map((name) => name.split('.')[1]);

  async gap() {
    const keyring = openKeyring(loadKeyFiles(join(server.dataDir, 'keys')));
    const { ended, untold } = await gapOf(server.db, keyring, allLines(this.place, sealOf(keyring)));
    return { ended: ended.map(({ number }) => Number(number)), untold };
  }
}

const add = (keyring: Keyring, account: string, ends: boolean[]): Promise<void> =>
  server.db.transaction((tx) =>
    linkAll(
      tx,
      keyring,
      ends.map((does) => ({ ...byHand(account), ended: does ? endingText({ gone: 'REVOKED' }) : null })),
    ),
  );

async function cut(account: string, to: number): Promise<void> {
  await setBack(server, account, to);
  await tamper(server, `DELETE FROM audit_events WHERE account_id = :account AND number > ${to}`, {
    account,
  });
}

test('R36: a month begins with all chains, and says again nothing of what ended before', async () => {
  const [folder, account, quietOne] = [new Folder(), newId(), newId()];
  const one = await folder.start();
  await one.add(quietOne, true, false);
  await one.add(account, true, false, true);
  await one.checkpoints.write();
  folder.time = '2026-02-01';
  // What ends before the month has begun is written to the one of before.
  await one.add(account, true);
  await one.checkpoints.write();
  await one.add(account, false);
  await one.checkpoints.write();
  const of = (chain: string) => folder.lines('2026-02').filter((line) => line.account === chain);
  expect(of(quietOne)).toMatchObject([{ number: '2', from: '2', since: '0', ended: [] }]);
  expect(of(account)).toMatchObject([
    { number: '4', from: '4', since: '0', ended: [] },
    { number: '5', from: '4', ended: [] },
  ]);
  expect(of(account)[1]).not.toHaveProperty('since');
  // One that starts then goes on where that ends.
  const late = await folder.start();
  const before = folder.lines('2026-02').length;
  await late.checkpoints.write();
  expect(folder.lines('2026-02')).toHaveLength(before);
  await cut(account, 1);
  // Where no line is left that holds, all that it tells is ended once more, which changes nothing.
  expect(await folder.gap()).toEqual({ ended: [1, 3, 4], untold: [] });
});

test('R36: what was not written in a month is in the lines of the next', async () => {
  const [folder, account] = [new Folder(), newId()];
  const one = await folder.start();
  await one.add(account, true);
  await one.checkpoints.write();
  // By another, whose lines are elsewhere.
  await (await new Folder().start()).add(account, true, true);
  folder.time = '2026-02-01';
  await one.checkpoints.write();
  await cut(account, 1);
  expect(await folder.gap()).toEqual({ ended: [2, 3], untold: [] });
});

test('S66: a start reads the last two months, and finds what was cut in any', async () => {
  const [folder, account, quietOne] = [new Folder(), newId(), newId()];
  const one = await folder.start();
  await one.add(account, true, true, true);
  await one.add(quietOne, true, true);
  for (const month of ['01', '02', '03', '04']) {
    folder.time = `2026-${month}-15`;
    await one.checkpoints.write();
    await one.add(account, true);
  }
  const read: string[] = [];
  const readOn = folder.place.read.bind(folder.place);
  folder.place.read = (segment, after) => {
    read.push(segment.month);
    return readOn(segment, after);
  };
  await cut(quietOne, 1);
  const { checkpoints } = await folder.start();
  expect(new Set(read)).toEqual(new Set(['2026-03', '2026-04']));
  expect(checkpoints.breaks).toMatchObject([{ account: quietOne, number: '2' }]);
  expect(await folder.gap()).toEqual({ ended: [1, 2], untold: [] });
});

test('R36: months are let go, whatever the clock said for a while, and what they told is missed', async () => {
  const [folder, account] = [new Folder(), newId()];
  const one = await folder.start(3);
  for (const time of ['2026-01-15', '2026-02-15', '2026-03-15', '2031-01-15', '2026-03-16', '2026-04-15']) {
    folder.time = time;
    await one.add(account, true);
    await one.checkpoints.write();
  }
  // A clock that is ahead for a while lets nothing go that would have stayed.
  expect(folder.months()).toEqual(['2026-02', '2026-03', '2026-04', '2031-01']);
  expect((await folder.start(3)).checkpoints.breaks).toEqual([]);
  await cut(account, 1);
  const { ended, untold } = await folder.gap();
  // What ended before a look at the clock stood in the month before.
  expect(untold).toEqual([{ account, first: '2', last: '2' }]);
  expect(ended).toEqual([3, 4, 5, 6]);
});

test('R36: a month that is moved away is begun anew with all that has ended', async () => {
  const [folder, account] = [new Folder(), newId()];
  const one = await folder.start();
  await one.add(account, true, true);
  await one.checkpoints.write();
  folder.time = '2026-02-15';
  await one.checkpoints.write();
  for (const segment of await folder.place.segments()) await folder.place.remove(segment);
  await one.checkpoints.write();
  expect(folder.months()).toEqual(['2026-02']);
  await cut(account, 1);
  expect(await folder.gap()).toEqual({ ended: [1, 2], untold: [] });
});

test('S66: months of a time to come, and months that nobody began, keep a start from reading none that it needs', async () => {
  const [folder, account] = [new Folder(), newId()];
  const one = await folder.start(3);
  for (const time of ['2026-01-15', '2026-02-15']) {
    folder.time = time;
    await one.add(account, true);
    await one.checkpoints.write();
  }
  folder.time = '2026-06-15';
  for (const month of ['2026-04', '2026-05', '9998-12', '9999-12']) await folder.place.append(month, ['']);
  await cut(account, 1);
  const late = await folder.start(3);
  expect(late.checkpoints.breaks).toMatchObject([{ account, number: '2' }]);
});

test('R36: what ends while another chain is still read is told before what comes after it', async () => {
  const [folder, alone, shared] = [new Folder(), newId(), newId()];
  const one = await folder.start();
  await one.add(alone, false);
  await one.add(shared, false);
  await one.checkpoints.write();
  await (await new Folder().start()).add(shared, false);
  // One deed that ends something in both chains, of which another has added to one, and at once another deed.
  const rows = server.db.rows.bind(server.db);
  const held = { go: () => undefined as void };
  const waiting = new Promise<void>((resolve) => (held.go = resolve));
  let readsHeads = false;
  server.db.rows = async (...asked: Parameters<typeof rows>) => {
    if (/FROM audit_heads/.test(asked[0].text) && /ANY/.test(asked[0].text)) {
      readsHeads = true;
      await waiting;
    }
    return rows(...asked);
  };
  try {
    const both = server.db.transaction((tx) =>
      linkAll(
        tx,
        one.keyring,
        [alone, shared].map((account) => ({ ...byHand(account), ended: endingText({ gone: 'REVOKED' }) })),
      ),
    );
    while (!readsHeads) await new Promise((resolve) => setTimeout(resolve, 5));
    await one.add(alone, true);
    const told = folder.lines('2026-01').filter((line) => line.account === alone);
    expect(told.flatMap(({ ended = [] }) => ended.map(({ number }) => number))).toEqual(['2', '3']);
    held.go();
    await both;
  } finally {
    held.go();
    server.db.rows = rows;
  }
});
