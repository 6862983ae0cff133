import { appendFileSync, mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { linkAll, type Told } from '../../../src/audit/chain.js';
import type { Checkpoints } from '../../../src/audit/checkpoints/checkpoints.js';
import { mostEndings } from '../../../src/audit/checkpoints/coverage.js';
import { endingText } from '../../../src/audit/ending.js';
import { linesOfFile } from '../../../src/audit/checkpoints/folder.js';
import { gapOf } from '../../../src/audit/checkpoints/gap.js';
import { newId } from '../../../src/ids.js';
import { loadKeyFiles } from '../../../src/keyring/kek-file.js';
import { openKeyring, type Keyring } from '../../../src/keyring/keyring.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import {
  addLines,
  byHand,
  checkpointsIn,
  linesOf,
  ownFile,
  setBack,
  tamper,
  withoutChains,
} from '../chains.js';

// What the file of checkpoints tells of events that the database has lost.

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterEach(() => withoutChains(server));
afterAll(() => server.stop());

/** A Keyway with a file of its own on this database, as far as its audit goes. */
class Writer {
  readonly checkpoints: Checkpoints;
  readonly #keyring: Keyring;

  constructor(readonly file = ownFile(server, newId())) {
    const files = loadKeyFiles(join(server.dataDir, 'keys'));
    this.checkpoints = checkpointsIn(server.db, openKeyring(files), this.file);
    this.#keyring = openKeyring(files, { onLinked: (events) => this.checkpoints.noteEnded(events) });
  }

  /** Adds events to a chain in one transaction: those that end something, and those that do not. */
  add(account: string, ...ends: boolean[]): Promise<void> {
    const told = ends.map((does): Told => ({
      ...byHand(account),
      ended: does ? endingText({ gone: 'REVOKED' }) : null,
    }));
    return server.db.transaction((tx) => linkAll(tx, this.#keyring, told));
  }

  async gap() {
    const keyring = this.#keyring;
    const { ended, untold, unsigned } = await gapOf(server.db, keyring, linesOfFile(this.file));
    return { ended: ended.map(({ number }) => Number(number)), untold, unsigned };
  }
}

async function cut(account: string, to: number): Promise<void> {
  await setBack(server, account, to);
  await tamper(server, `DELETE FROM audit_events WHERE account_id = :account AND number > ${to}`, {
    account,
  });
}

test('R36: what ended is on the disk when it is answered, with all that came before it', async () => {
  const [writer, account] = [new Writer(), newId()];
  await writer.checkpoints.write();
  await writer.add(account, false, false);
  await writer.add(account, false);
  await writer.add(account, false, true, false);
  await writer.add(account, false);
  await writer.add(account, true);
  expect(linesOf(writer.file).filter((line) => line.account === account)).toMatchObject([
    { account, from: '0', number: '6', ended: [{ number: '5', type: 'Account', gone: 'REVOKED' }] },
    { account, from: '6', number: '8', ended: [{ number: '8' }] },
  ]);
  await cut(account, 2);
  expect(await writer.gap()).toEqual({ ended: [5, 8], untold: [], unsigned: 0 });
});

test('R36: each file tells what other processes have ended before it was written', async () => {
  const [one, other, account] = [new Writer(), new Writer(), newId()];
  await one.add(account, false, true);
  await other.add(account, false);
  await other.add(account, true);
  await one.add(account, true);
  await cut(account, 1);
  expect(await one.gap()).toEqual({ ended: [2, 4, 5], untold: [], unsigned: 0 });
  // It has not heard of the last one yet.
  expect(await other.gap()).toEqual({ ended: [2, 4], untold: [], unsigned: 0 });
});

test('R36: what other processes ended is written down with the heads, and what was written is not again', async () => {
  const [one, other, account] = [new Writer(), new Writer(), newId()];
  await one.add(account, false, true);
  await other.add(account, true);
  await one.add(account, true, false);
  await one.checkpoints.write();
  await other.checkpoints.write();
  const lines = linesOf(one.file).length;
  await one.checkpoints.write();
  expect(linesOf(one.file)).toHaveLength(lines);
  await one.add(account, true);
  await cut(account, 1);
  expect(await one.gap()).toEqual({ ended: [2, 3, 4, 6], untold: [], unsigned: 0 });
  expect(await other.gap()).toEqual({ ended: [2, 3, 4], untold: [], unsigned: 0 });
});

test('R36: one that starts later goes on where the file ends, or writes down all', async () => {
  const [one, account, quietOne] = [new Writer(), newId(), newId()];
  await one.add(quietOne, true, false);
  for (let round = 0; round < 3; round++) await one.add(account, true, false);
  const late = new Writer();
  await late.checkpoints.write();
  await cut(account, 1);
  await cut(quietOne, 1);
  // What had ended before is ended once more, which changes nothing.
  expect(await late.gap()).toEqual({ ended: [1, 1, 3, 5], untold: [], unsigned: 0 });
});

test('R36: however much has ended, no line has more than can be read', async () => {
  const [one, account, next] = [new Writer(), newId(), newId()];
  const all = Array.from({ length: mostEndings + 200 }, () => true);
  await one.add(account, ...all);
  await one.add(next, true);
  const late = new Writer();
  await late.checkpoints.write();
  for (const writer of [one, late]) {
    const counts = linesOf(writer.file).map((line) => line.ended?.length ?? 0);
    expect(Math.max(...counts)).toBeLessThanOrEqual(mostEndings);
    expect(counts.reduce((sum, count) => sum + count)).toBe(all.length + 1);
  }
  await tamper(server, 'DELETE FROM audit_events');
  await server.rows('DELETE FROM audit_heads');
  expect((await late.gap()).ended).toHaveLength(all.length + 1);
  expect((await late.gap()).untold).toEqual([]);
});

test('R36: of a chain that went on otherwise, all counts that came after what both have', async () => {
  const [writer, account] = [new Writer(), newId()];
  await writer.add(account, false, true);
  await writer.add(account, true);
  await writer.add(account, true);
  await cut(account, 2);
  const elsewhere = new Writer();
  await elsewhere.add(account, false, false, false);
  expect((await writer.gap()).ended).toEqual([3, 4]);
});

test('R36: a line that nobody signed covers nothing', async () => {
  const [one, account] = [new Writer(), newId()];
  await one.add(account, true);
  const [line] = linesOf(one.file).filter((written) => written.account === account);
  appendFileSync(one.file, `${JSON.stringify({ ...line, number: '1000000' })}\n`);
  const late = new Writer(one.file);
  await late.add(account, true, false);
  await late.checkpoints.write();
  await late.add(account, true);
  await cut(account, 1);
  expect(await late.gap()).toEqual({ ended: [2, 4], untold: [], unsigned: 1 });
});

test('S66, R36: what a database that fell back under a running Keyway has lost is found, although the chain has grown past it', async () => {
  const [one, account] = [new Writer(), newId()];
  await one.add(account, false);
  await one.checkpoints.write();
  await one.add(account, true);
  await cut(account, 1);
  await one.add(account, false);
  await one.add(account, true);
  for (const checkpoints of [one.checkpoints, new Writer(one.file).checkpoints]) {
    await checkpoints.check();
    expect(checkpoints.breaks).toMatchObject([{ account, number: '2' }]);
  }
  expect((await one.gap()).ended).toEqual([2]);
});

test('R36: of a line of several events all count that came after what both have, however far the chain went on', async () => {
  const [one, account] = [new Writer(), newId()];
  await one.add(account, false);
  await one.checkpoints.write();
  await one.add(account, true, true, true, true);
  await cut(account, 1);
  await new Writer().add(account, false, false);
  expect(await one.gap()).toEqual({ ended: [2, 3, 4, 5], untold: [], unsigned: 0 });
});

test('R36: a file that is moved away is begun anew with all chains, although something ends before anybody looks', async () => {
  const [one, account, quietOne] = [new Writer(), newId(), newId()];
  await one.add(quietOne, true);
  await one.checkpoints.write();
  renameSync(one.file, `${one.file}.before`);
  await one.add(account, true);
  await one.checkpoints.write();
  const chains = new Set(linesOf(one.file).map((line) => line.account));
  expect([...chains]).toEqual(expect.arrayContaining([account, quietOne]));
});

test('R36: what could not be written is made up for by the next look, and a line that was cut off covers nothing', async () => {
  const [one, account] = [new Writer(), newId()];
  await one.add(account, false);
  await one.checkpoints.write();
  renameSync(one.file, `${one.file}.before`);
  mkdirSync(one.file);
  await one.add(account, true);
  rmdirSync(one.file);
  renameSync(`${one.file}.before`, one.file);
  appendFileSync(one.file, '{"account":"');
  await one.add(account, false);
  await one.checkpoints.write();
  await cut(account, 1);
  expect(await one.gap()).toEqual({ ended: [2], untold: [], unsigned: 0 });
});

test('R36: what ended in one chain stays in its order, whatever the clock did', async () => {
  const [one, account] = [new Writer(), newId()];
  await one.add(account, false, true, true);
  const [line] = linesOf(one.file).filter((written) => written.account === account);
  if (!line) throw new Error('nothing was written');
  const [first, second] = line.ended ?? [];
  if (!first || !second) throw new Error('nothing had ended');
  const turned = { ...line, ended: [{ ...first, at: '2030-01-01 00:00:00+00' }, second] };
  const files = loadKeyFiles(join(server.dataDir, 'keys'));
  const late = new Writer();
  addLines(late.file, openKeyring(files), [turned]);
  await cut(account, 1);
  expect((await late.gap()).ended).toEqual([2, 3]);
});
