import fc from 'fast-check';
import { join } from 'node:path';
import { AuditOutcome } from '../../src/audit/audit-event.js';
import { linkAll, type Told } from '../../src/audit/chain.js';
import { canonicalEvent, hashedTime } from '../../src/audit/columns.js';
import { checkAudit } from '../../src/audit/check.js';
import { linesOfFile } from '../../src/audit/checkpoints/folder.js';
import { sql, type Database } from '../../src/database/database.js';
import { newId } from '../../src/ids.js';
import { loadKeyFiles } from '../../src/keyring/kek-file.js';
import { openKeyring, type Keyring } from '../../src/keyring/keyring.js';
import { counting } from '../support/on-the-way.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let keyring: Keyring;
beforeAll(async () => {
  server = await startTestServer();
  keyring = openKeyring(loadKeyFiles(join(server.dataDir, 'keys')));
});
afterAll(() => server.stop());

const told = (accountId: string, rest: Partial<Told> = {}): Told => ({
  accountId,
  projectId: null,
  actorId: null,
  actorCredentialId: null,
  action: 'credential:verify',
  outcome: AuditOutcome.DONE,
  code: null,
  targetType: null,
  targetId: null,
  recipientId: null,
  changed: [],
  times: 1,
  ended: null,
  ip: null,
  requestId: 'by hand',
  ...rest,
});

const write = (events: Told[], ring = keyring, db: Database = server.db) =>
  db.transaction((tx) => linkAll(tx, ring, events));

const check = (ring = keyring) => checkAudit(server.db, ring, linesOfFile('none.jsonl'));
const breaksOf = async (accounts: string[], ring = keyring) =>
  (await check(ring)).breaks.filter(({ account }) => accounts.includes(account));

const chainOf = (account: string) =>
  server.rows<Record<string, unknown> & { number: string; action: string }>(
    'SELECT * FROM audit_events WHERE account_id = :account ORDER BY number',
    { account },
  );

test('S61: events of many accounts at once make whole chains, each in the order in which they came', async () => {
  const accounts = Array.from({ length: 20 }, newId);
  const wave = (name: string) =>
    Array.from({ length: 300 }, (_, n) =>
      told(accounts[(n * n) % accounts.length] ?? '', { action: `${name} ${n}` }),
    );
  const events = [...wave('first'), ...wave('second')];
  await write(events.slice(0, 300));
  await write(events.slice(300));
  for (const account of accounts) {
    const chain = await chainOf(account);
    const came = events.filter(({ accountId }) => accountId === account).map(({ action }) => action);
    expect(chain.map(({ action }) => action)).toEqual(came);
    expect(chain.map(({ number }) => Number(number))).toEqual(came.map((_, index) => index + 1));
    const read = await server.rows<{ action: string }>(
      'SELECT action FROM audit_events WHERE account_id = :account ORDER BY at, id',
      { account },
    );
    expect(read.map(({ action }) => action)).toEqual(came);
  }
  expect(await breaksOf(accounts)).toEqual([]);
});

const elsewhere = ['TimeZone', 'DateStyle'].map((name, index) =>
  sql(`SET LOCAL ${name} = '${['Asia/Seoul', 'SQL, DMY'][index]}'`),
);

test('S61: a chain is the same whatever time zone and date style its sessions have', async () => {
  const account = newId();
  const reports = await server.db.transaction(async (tx) => {
    await linkAll(tx, keyring, [told(account)]);
    for (const one of elsewhere) await tx.rows(one);
    await linkAll(tx, keyring, [told(account)]);
    return checkAudit(tx, keyring, linesOfFile('/dev/null'));
  });
  expect(reports.breaks).toEqual([]);
  expect(await breaksOf([account])).toEqual([]);
});

test('S61: an event that was hashed as PostgreSQL prints its time in UTC still follows', async () => {
  for (const at of ['2026-01-02 03:04:05.678901+00', '2026-01-02 03:04:05.6+00', '2026-01-02 03:04:00+00']) {
    const [{ printed } = { printed: '' }] = await server.rows<{ printed: string }>(
      `SELECT ${hashedTime('CAST(:at AS timestamptz)')} AS printed`,
      { at },
    );
    expect(printed).toBe(at);
  }
});

test('every column is what it was told, whatever the text', async () => {
  // NUL is the one character that PostgreSQL has no place for.
  const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map((given) => given.replaceAll('\u0000', ''));
  const id = fc.uuid().map((uuid) => uuid.toLowerCase());
  const orNull = <Value>(of: fc.Arbitrary<Value>) => fc.option(of, { nil: null });
  const nasty = fc.constantFrom(
    '',
    '{}',
    '"',
    '\\',
    'a,b',
    '{"a"}',
    'NULL',
    "'",
    '\n',
    '\u2028',
    '\\x00',
    '💥',
  );
  const either = fc.oneof(text, nasty);
  const event = fc.record<Told>({
    accountId: fc.constant(''),
    projectId: orNull(id),
    actorId: orNull(id),
    actorCredentialId: orNull(id),
    action: either,
    outcome: fc.constantFrom(...Object.values(AuditOutcome)),
    code: orNull(either),
    targetType: orNull(fc.constantFrom('Credential', 'Account')),
    targetId: orNull(id),
    recipientId: orNull(id),
    changed: fc.array(either, { maxLength: 4 }),
    times: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    ended: orNull(fc.constant('{"gone":"REVOKED"}')),
    ip: orNull(either),
    requestId: either,
  });
  const accounts: string[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 20 }), async (given) => {
      const accountId = newId();
      accounts.push(accountId);
      await write(given.map((one) => ({ ...one, accountId })));
      expect(await chainOf(accountId)).toMatchObject(
        given.map((one) => ({
          project_id: one.projectId,
          actor_id: one.actorId,
          actor_credential_id: one.actorCredentialId,
          action: one.action,
          outcome: one.outcome,
          code: one.code,
          target_type: one.targetType,
          target_id: one.targetId,
          recipient_id: one.recipientId,
          changed: one.changed,
          times: one.times,
          ended: one.ended,
          ip: one.ip,
          request_id: one.requestId,
        })),
      );
    }),
    { numRuns: 40 },
  );
  expect(await breaksOf(accounts)).toEqual([]);
});

test('S61: a hash takes the same bytes as ever, or no chain that was written before would be whole', () => {
  const id = (digit: number) => `00000000-0000-7000-8000-00000000000${digit}`;
  const event = {
    // In another order than that of the hash, and with what the hash has no part in.
    hash: Buffer.alloc(32),
    ...told(id(2), { action: 'credential:rotate', outcome: AuditOutcome.FAILED, code: 'CONFLICT' }),
    actorId: id(3),
    actorCredentialId: id(4),
    targetType: 'Credential' as const,
    targetId: id(5),
    projectId: id(6),
    changed: ['name', 'secret'],
    times: 7,
    ip: '192.0.2.1',
    requestId: 'a "request"',
    at: '2026-01-02 03:04:05.678901+00',
    epoch: 'k1',
    number: '9007199254740993',
    id: id(1),
  };
  expect(canonicalEvent(event).toString()).toBe(
    `["${id(1)}","${id(2)}","9007199254740993","k1","2026-01-02 03:04:05.678901+00","${id(3)}","${id(4)}",` +
      `"credential:rotate","FAILED","CONFLICT","Credential","${id(5)}","${id(6)}",["name","secret"],7,` +
      `"192.0.2.1","a \\"request\\""]`,
  );
  // What came later is in it where it has a value, so that nobody can add or take one.
  expect(canonicalEvent({ ...event, recipientId: id(7) }).toString()).toBe(
    canonicalEvent(event)
      .toString()
      .replace(/]$/, `,{"recipientId":"${id(7)}"}]`),
  );
});

test('S61: an edited row among those written at once is named', async () => {
  const accounts = Array.from({ length: 3 }, newId);
  await write(Array.from({ length: 30 }, (_, n) => told(accounts[n % 3] ?? '')));
  await server.rows('ALTER TABLE audit_events DISABLE TRIGGER ALL');
  try {
    await server.rows('UPDATE audit_events SET times = 2 WHERE account_id = :account AND number = 7', {
      account: accounts[1],
    });
  } finally {
    await server.rows('ALTER TABLE audit_events ENABLE TRIGGER ALL');
  }
  expect(await breaksOf(accounts)).toEqual([
    { account: accounts[1], number: '7', reason: 'does not follow from the row before it' },
  ]);
});

test('S62: what is written at once is of the current epoch, and refused where that is an older one', async () => {
  const accounts = [newId(), newId()];
  const files = loadKeyFiles(join(server.dataDir, 'keys'));
  const second = files.pepper.keys.get('k1');
  if (!second) throw new Error('there is no such key');
  const later = openKeyring({
    ...files,
    audit: { current: 'k2', keys: new Map([...files.audit.keys, ['k2', second]]) },
  });
  const events = () => accounts.flatMap((account) => [told(account), told(account)]);
  await write(events());
  await write(events(), later);
  expect(await breaksOf(accounts, later)).toEqual([]);
  await write(events());
  expect(await breaksOf(accounts, later)).toEqual(
    [...accounts]
      .sort()
      .map((account) => ({ account, number: '5', reason: 'goes back to an earlier epoch' })),
  );
});

test.each([1, 10, 500])('%i events cost two statements, and one more where chains begin', async (many) => {
  const accounts = Array.from({ length: 25 }, newId);
  const { count: first, db: beginning } = counting(server.db);
  await write(
    accounts.map((id) => told(id)),
    keyring,
    beginning,
  );
  expect(first).toEqual({ transactions: 1, attempts: 1, statements: 3 });
  const { count, db } = counting(server.db);
  await write(
    Array.from({ length: many }, (_, n) => told(accounts[n % accounts.length] ?? '')),
    keyring,
    db,
  );
  expect(count).toEqual({ transactions: 1, attempts: 1, statements: 2 });
  expect((await Promise.all(accounts.map(chainOf))).flat()).toHaveLength(25 + many);
});

// The embedded database has one connection: no two transactions meet on it.
if (process.env['TEST_DATABASE_URL']) {
  test('many who write to the same chains at once neither wait for each other nor break them', async () => {
    const accounts = Array.from({ length: 40 }, newId);
    const { count, db } = counting(server.db);
    const writer = async (order: string[]) => {
      for (let round = 0; round < 15; round++)
        await write(
          order.map((account) => told(account)),
          keyring,
          db,
        );
    };
    await Promise.all([
      writer(accounts),
      writer([...accounts].reverse()),
      writer(accounts),
      writer([...accounts].reverse()),
    ]);
    expect(count.attempts).toBe(60);
    expect((await chainOf(accounts[0] ?? '')).length).toBe(60);
    expect(await breaksOf(accounts)).toEqual([]);
  });
}
