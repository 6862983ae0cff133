import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { linkAll } from '../../src/audit/chain.js';
import { checkAudit } from '../../src/audit/check.js';
import { linesOfFile } from '../../src/audit/checkpoints/folder.js';
import type { Sql } from '../../src/database/database.js';
import { openKeyring, type Keyring } from '../../src/keyring/keyring.js';
import { loadKeyFiles } from '../../src/keyring/kek-file.js';
import { startTestServer, type TestServer } from '../support/server.js';
import {
  byHand,
  chainOfFive as chainOn,
  linesOf,
  checkpointsIn,
  setBack,
  tamper as tamperOn,
  verdictOn,
  withoutChains,
} from './chains.js';

let server: TestServer;
let keyring: Keyring;
beforeAll(async () => {
  server = await startTestServer();
  keyring = openKeyring(loadKeyFiles(join(server.dataDir, 'keys')));
});
afterEach(() => withoutChains(server));
afterAll(() => server.stop());

const chainOfFive = () => chainOn(server, keyring);
const check = (file: string, ring = keyring) => checkAudit(server.db, ring, linesOfFile(file));
const tamper = (statement: string, parameters?: Record<string, unknown>) =>
  tamperOn(server, statement, parameters);

test('S61: an untouched log is whole', async () => {
  const { verdict, write } = await chainOfFive();
  expect(await verdict()).toBeUndefined();
  await write();
  expect(await verdict()).toBeUndefined();
});

test('S61: a chain longer than what is read at once is whole, and an edited row far down in it is named', async () => {
  const { account, verdict } = await chainOfFive();
  const more = Array.from({ length: 2_100 }, () => byHand(account));
  await server.db.transaction((tx) => linkAll(tx, keyring, more));
  expect(await verdict()).toBeUndefined();
  await tamper(`UPDATE audit_events SET action = 'x' WHERE account_id = :account AND number = 2050`, {
    account,
  });
  expect(await verdict()).toBe('row 2050 does not follow from the row before it');
});

test('S61: a log to which others add while it is read is whole, as far as it went when that began', async () => {
  const { account, file, grow, write } = await chainOfFive();
  await write();
  // Between any two of its statements a chain goes on, and another begins.
  const busy: Sql = {
    rows: async (statement, parameters) => {
      const found = await server.db.rows<never>(statement, parameters);
      await Promise.all([grow(), chainOfFive()]);
      return found;
    },
  };
  const before = await check(file);
  const { breaks, events } = await checkAudit(busy, keyring, linesOfFile(file));
  expect(breaks.filter((one) => one.account === account)).toEqual([]);
  expect(breaks).toEqual(before.breaks);
  expect(events).toBeGreaterThanOrEqual(before.events);
});

test('S61: an event that is added while the log is read does not hide a cut', async () => {
  const { account, file, grow, write, cut } = await chainOfFive();
  await write();
  await cut(4);
  const busy: Sql = {
    rows: async (statement, parameters) => {
      const found = await server.db.rows<never>(statement, parameters);
      await grow();
      return found;
    },
  };
  expect(verdictOn(await checkAudit(busy, keyring, linesOfFile(file)), account)).toMatch(/^row 5 /);
});

test.each([
  { what: 'UPDATE', statement: `UPDATE audit_events SET action = 'x'` },
  { what: 'DELETE', statement: 'DELETE FROM audit_events' },
  { what: 'TRUNCATE', statement: 'TRUNCATE audit_events' },
])('S61: the table refuses $what', async ({ statement }) => {
  await expect(server.rows(statement)).rejects.toThrow('audit events are never changed');
});

// Every column of an event but the place, which has cases of its own.
test.each([
  ['id', 'gen_random_uuid()'],
  ['epoch', `'k9'`],
  ['at', `at + interval '1 microsecond'`],
  ['actor_id', 'gen_random_uuid()'],
  ['actor_id', 'NULL'],
  ['actor_credential_id', 'gen_random_uuid()'],
  ['action', `'account:delete'`],
  ['outcome', `'FAILED'`],
  ['code', `'CONFLICT'`],
  ['target_type', `'Project'`],
  ['target_id', 'NULL'],
  ['project_id', 'gen_random_uuid()'],
  ['recipient_id', 'gen_random_uuid()'],
  ['changed', `ARRAY['name']`],
  ['times', '2'],
  ['ip', `'10.0.0.1'`],
  ['request_id', `'another'`],
  ['hash', `decode(repeat('00', 32), 'hex')`],
])('S61: an edited row is named: %s set to %s', async (column, value) => {
  const { account, verdict } = await chainOfFive();
  await tamper(`UPDATE audit_events SET ${column} = ${value} WHERE account_id = :account AND number = 3`, {
    account,
  });
  expect(await verdict()).toMatch(/^row 3 /);
});

test('S61: a row moved to another chain is named', async () => {
  const { account, verdict } = await chainOfFive();
  const other = await chainOfFive();
  await tamper(
    `UPDATE audit_events SET account_id = :other, number = 6 WHERE account_id = :account AND number = 5`,
    { account, other: other.account },
  );
  expect(await verdict()).toMatch(/^row 5 is missing/);
  expect(await other.verdict()).toMatch(/^row 6 does not follow/);
});

test('S61: a deleted row is named', async () => {
  const { account, verdict } = await chainOfFive();
  await tamper('DELETE FROM audit_events WHERE account_id = :account AND number = 3', { account });
  expect(await verdict()).toBe('row 3 is missing');
});

test('S61: the first row deleted is named', async () => {
  const { account, verdict } = await chainOfFive();
  await tamper('DELETE FROM audit_events WHERE account_id = :account AND number = 1', { account });
  expect(await verdict()).toBe('row 1 is missing');
});

test('S61: a deleted row is named also where the rest moves up', async () => {
  const { account, verdict } = await chainOfFive();
  await tamper('DELETE FROM audit_events WHERE account_id = :account AND number = 3', { account });
  for (const number of [4, 5])
    await tamper(
      'UPDATE audit_events SET number = number - 1 WHERE account_id = :account AND number = :number',
      {
        account,
        number,
      },
    );
  expect(await verdict()).toBe('row 3 does not follow from the row before it');
});

test('S61: an inserted row is named', async () => {
  const { account, verdict } = await chainOfFive();
  await tamper(
    `INSERT INTO audit_events SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid(), 'number', 6))).*
     FROM audit_events e WHERE account_id = :account AND number = 5`,
    { account },
  );
  expect(await verdict()).toBe('row 6 does not follow from the row before it');
});

test('S61: rows that changed places are named', async () => {
  const { account, verdict } = await chainOfFive();
  for (const [from, to] of [
    [2, -1],
    [4, 2],
    [-1, 4],
  ])
    await tamper('UPDATE audit_events SET number = :to WHERE account_id = :account AND number = :from', {
      account,
      from,
      to,
    });
  expect(await verdict()).toBe('row 2 does not follow from the row before it');
});

test('S61: a cut tail is found by the head of the chain', async () => {
  const { account, verdict } = await chainOfFive();
  await tamper('DELETE FROM audit_events WHERE account_id = :account AND number > 3', { account });
  expect(await verdict()).toBe('row 4 is missing, and the head of the chain knows of it');
});

test('S61: a head that is gone is told', async () => {
  const { account, verdict } = await chainOfFive();
  await server.rows('DELETE FROM audit_heads WHERE account_id = :account', { account });
  expect(await verdict()).toMatch(/the head of the chain is missing/);
});

test('S61: a head with another hash is told', async () => {
  const { account, verdict } = await chainOfFive();
  await server.rows(
    `UPDATE audit_heads SET hash = decode(repeat('00', 32), 'hex') WHERE account_id = :account`,
    {
      account,
    },
  );
  expect(await verdict()).toMatch(/the head of the chain is another/);
});

test('S61: a tail that is cut together with its head is found by the last checkpoint', async () => {
  const { account, verdict, write } = await chainOfFive();
  await write();
  await setBack(server, account, 3);
  await tamper('DELETE FROM audit_events WHERE account_id = :account AND number > 3', { account });
  expect(await verdict()).toBe('row 4 is missing, and a checkpoint knows of it');
});

test('S61: a whole chain that is gone is found by the last checkpoint', async () => {
  const { account, verdict, write } = await chainOfFive();
  await write();
  await tamper('DELETE FROM audit_events WHERE account_id = :account', { account });
  await server.rows('DELETE FROM audit_heads WHERE account_id = :account', { account });
  expect(await verdict()).toBe('row 1 is missing, and a checkpoint knows of it');
});

test('S61: a tail that was cut and grew again, rightly signed, is found by the last checkpoint', async () => {
  const { verdict, write, grow, cut } = await chainOfFive();
  await write();
  await cut(3);
  for (let number = 4; number <= 6; number++) await grow();
  expect(await verdict()).toBe('row 5 is not what its checkpoint says');
});

test('S61: a tail that was cut is found by every checkpoint from before, also where the last one fits', async () => {
  const { account, verdict, write, writeUnseen, grow, cut } = await chainOfFive();
  await write();
  await cut(3);
  await writeUnseen();
  for (let number = 4; number <= 7; number++) await grow();
  await writeUnseen();
  expect(await verdict()).toBe('row 5 is not what its checkpoint says');
  // So it is found without reading every line: a lower one follows.
  expect((await write()).breaks).toEqual([
    { account, number: '5', reason: 'is not what its checkpoint says' },
  ]);
});

test('S61: a checkpoint that these keys did not sign is told, and taken for none', async () => {
  const { write, file } = await chainOfFive();
  await write();
  const [forged] = linesOf(file);
  appendFileSync(file, `${JSON.stringify({ ...forged, number: '999' })}\nnot even JSON\n`);
  const { unsigned, breaks } = await check(file);
  expect(unsigned).toBe(2);
  expect(breaks.filter(({ number }) => number === '999')).toEqual([]);
});

describe('S62: epochs', () => {
  const files = () => loadKeyFiles(join(server.dataDir, 'keys'));
  /** A keyring that knows a second epoch, whose key is current. */
  const later = () => {
    const { audit, pepper, ...rest } = files();
    const second = pepper.keys.get('k1');
    if (!second) throw new Error('there is no such key');
    return openKeyring({
      ...rest,
      pepper,
      audit: { current: 'k2', keys: new Map([...audit.keys, ['k2', second]]) },
    });
  };

  /** Writes row 6 and after by hand, as one who has all the keys could. */
  async function append(account: string, ring: Keyring, epoch: string) {
    const writing = Object.create(ring, { currentAuditEpoch: { value: () => epoch } }) as Keyring;
    await server.db.transaction((tx) => linkAll(tx, writing, [byHand(account)]));
  }

  test('a chain that goes on in a later epoch is whole', async () => {
    const { account, verdict } = await chainOfFive();
    await append(account, later(), 'k2');
    expect(await verdict(later())).toBeUndefined();
  });

  test('a row of an epoch without a key is named', async () => {
    const { account, verdict } = await chainOfFive();
    await append(account, later(), 'k2');
    expect(await verdict()).toBe('row 6 names an epoch that these keys do not know');
  });

  test('a chain that goes back to an older epoch is refused, though each link is right', async () => {
    const { account, verdict } = await chainOfFive();
    await append(account, later(), 'k2');
    await append(account, later(), 'k1');
    expect(await verdict(later())).toBe('row 7 goes back to an earlier epoch');
  });

  test('an event of an earlier epoch than the checkpoints from before name is refused in every chain', async () => {
    const [moved, still] = [await chainOfFive(), await chainOfFive()];
    const { file } = moved;
    await append(moved.account, later(), 'k2');
    await checkpointsIn(server.db, later(), file).write();
    expect(await moved.verdict(later())).toBeUndefined();
    // By one who has the earlier key alone.
    await append(still.account, later(), 'k1');
    const reason = 'is of an earlier epoch than checkpoints from before it name';
    expect(verdictOn(await check(file, later()), still.account)).toBe(`row 6 ${reason}`);
    const running = checkpointsIn(server.db, later(), file);
    await running.write();
    expect(running.breaks).toEqual([{ account: still.account, number: '6', reason }]);
  });

  test('a hash without a key is refused', async () => {
    const { account, verdict } = await chainOfFive();
    await tamper(
      `UPDATE audit_events e SET hash = sha256(convert_to(e.id::text || e.action, 'UTF8')), epoch = ''
       WHERE account_id = :account AND number = 5`,
      { account },
    );
    expect(await verdict()).toBe('row 5 names an epoch that these keys do not know');
  });
});
