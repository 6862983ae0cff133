import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../../../src/audit/checkpoints/line.js';
import { linkAll } from '../../../src/audit/chain.js';
import { sql, type Database } from '../../../src/database/database.js';
import { loadKeyFiles } from '../../../src/keyring/kek-file.js';
import { openKeyring, type Keyring } from '../../../src/keyring/keyring.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import {
  addLines,
  byHand,
  chainOfFive as chainOn,
  checkpointsIn,
  linesOf,
  tamper,
  withoutChains,
} from '../chains.js';

let server: TestServer;
let keyring: Keyring;
beforeAll(async () => {
  server = await startTestServer();
  keyring = openKeyring(loadKeyFiles(join(server.dataDir, 'keys')));
});
afterEach(() => withoutChains(server));
afterAll(() => server.stop());

const chainOfFive = () => chainOn(server, keyring);

test('checkpoints are for the owner of the process alone', async () => {
  const { write, file } = await chainOfFive();
  await write();
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test.each([
  ['was cut', 3, 0, '4', 'is missing, and a checkpoint knows of it'],
  ['was cut and grew less far', 2, 1, '4', 'is missing, and a checkpoint knows of it'],
  ['was cut and grew as far', 3, 2, '5', 'is not what its checkpoint says'],
  ['was cut and grew further', 3, 4, '5', 'is not what its checkpoint says'],
  ['is gone', 0, 0, '1', 'is missing, and a checkpoint knows of it'],
])(
  'S66: a chain that %s is found by what is written already, and nothing is written any more',
  async (_, to, grown, number, reason) => {
    const { account, write, file, grow, cut } = await chainOfFive();
    const running = await write();
    await cut(to);
    for (let more = 0; more < grown; more++) await grow();
    const before = readFileSync(file, 'utf8');
    await running.write();
    for (const one of [running, await write()]) {
      expect(one.breaks).toEqual([{ account, number, reason }]);
      expect(() => one.expectWhole()).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
      await one.write();
    }
    expect(readFileSync(file, 'utf8')).toBe(before);
  },
);

test('S66: a head whose event is not there, or another, is never written down', async () => {
  for (const [number, reason] of [
    [5, 'is missing, and the head of the chain knows of it'],
    [3, 'cannot be told: the head of the chain is another'],
  ] as const) {
    const { account, write, file } = await chainOfFive();
    if (number === 5)
      await tamper(server, 'DELETE FROM audit_events WHERE account_id = :account AND number = 5', {
        account,
      });
    else await server.rows(`UPDATE audit_heads SET number = 3 WHERE account_id = :account`, { account });
    expect((await write()).breaks).toEqual([{ account, number: String(number), reason }]);
    expect(existsSync(file)).toBe(false);
    await withoutChains(server);
  }
});

test('S60: what had begun when it was found records nothing, and so changes nothing', async () => {
  const { account, write, cut } = await chainOfFive();
  const running = await write();
  const files = loadKeyFiles(join(server.dataDir, 'keys'));
  const bound = openKeyring(files, { onAudit: () => running.expectWhole() });
  await cut(3);
  await running.write();
  const deed = server.db.transaction(async (tx) => {
    await tx.rows(sql(`UPDATE accounts SET title = 'Another' WHERE name = 'admin'`));
    await linkAll(tx, bound, [byHand(account)]);
  });
  await expect(deed).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(await server.rows(`SELECT title FROM accounts WHERE name = 'admin'`)).toEqual([
    { title: 'Administrator' },
  ]);
});

test.each([
  ['a later number', { number: '999' }],
  ['the same number', { number: '5' }],
  ['a number behind', { number: '1' }],
])('S66: a line that nobody signed, of %s, hides none that was', async (_, forged) => {
  const { account, write, file, cut } = await chainOfFive();
  await write();
  const [line] = linesOf(file);
  appendFileSync(file, `${JSON.stringify({ ...line, ...forged, hash: '0'.repeat(64), mac: '00' })}\n`);
  await cut(3);
  const { breaks } = await write();
  expect(breaks).toEqual([{ account, number: '4', reason: 'is missing, and a checkpoint knows of it' }]);
});

test.each([
  ['no account', { account: undefined }],
  ['an account that is none', { account: 'nobody' }],
  ['an account that is a number', { account: 7 }],
  ['no time', { at: undefined }],
  ['a number that is no text', { number: 6 }],
  ['an epoch that is no text', { epoch: {} }],
])('a line with %s is none, and keeps nothing from being looked at', async (_, wrong) => {
  const { write, file, cut, verdict } = await chainOfFive();
  await write();
  const [line] = linesOf(file);
  appendFileSync(file, `${JSON.stringify({ ...line, number: '6', ...wrong })}\n`);
  expect((await write()).breaks).toEqual([]);
  expect(await verdict()).toBeUndefined();
  await cut(3);
  expect((await write()).breaks).toMatchObject([{ number: '4' }]);
});

test('S66: rows that are gone below a head that was left are found when the chain grows', async () => {
  const { account, write, grow } = await chainOfFive();
  const running = await write();
  await tamper(server, 'DELETE FROM audit_events WHERE account_id = :account AND number > 3', { account });
  await grow();
  await running.write();
  expect(running.breaks).toMatchObject([{ account, number: '5' }]);
});

test('the lines of a chain have higher and higher numbers, whichever process writes them', async () => {
  const { account, write, file, grow } = await chainOfFive();
  const [one, other] = [await write(), await write()];
  for (const writing of [other, one, one, other]) {
    await grow();
    await writing.write();
    await other.write();
  }
  const numbers = linesOf(file).flatMap((line) => (line.account === account ? [Number(line.number)] : []));
  expect(numbers).toEqual([5, 6, 7, 8, 9]);
});

test('a file that was moved away is begun anew with all chains, by a process that goes on', async () => {
  const { account, write, file, grow } = await chainOfFive();
  const other = await chainOfFive();
  const running = await write();
  renameSync(file, `${file}.before`);
  await grow();
  await running.write();
  const last = new Map(linesOf(file).map((line) => [line.account, line.number]));
  expect([last.get(account), last.get(other.account)]).toEqual(['6', '5']);
  expect(running.breaks).toEqual([]);
});

test('a line that a crash cut off spoils none that comes after it', async () => {
  const { account, write, file, grow, cut, verdict } = await chainOfFive();
  await write();
  appendFileSync(file, `{"account":"${account}","num`);
  await grow();
  await write();
  await cut(5);
  expect(await verdict()).toBe('row 6 is missing, and a checkpoint knows of it');
});

test('a look at the file costs the same few statements, however long it is', async () => {
  const { write, file, grow } = await chainOfFive();
  await write();
  const line = linesOf(file)[0] as Checkpoint;
  addLines(
    file,
    keyring,
    Array.from({ length: 20_000 }, () => line),
  );
  await grow();
  let statements = 0;
  const rows: Database['rows'] = (...asked) => {
    statements++;
    return server.db.rows(...asked);
  };
  const db = Object.create(server.db, { rows: { value: rows } }) as Database;
  const looking = checkpointsIn(db, keyring, file);
  await looking.check();
  expect(looking.breaks).toEqual([]);
  expect(statements).toBe(3);
});
