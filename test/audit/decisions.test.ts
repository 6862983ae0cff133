import fc from 'fast-check';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Decision } from '../../src/access/context.js';
import { AuditOutcome } from '../../src/audit/audit-event.js';
import { checkAudit } from '../../src/audit/check.js';
import { linesOfFile } from '../../src/audit/checkpoints/folder.js';
import { Decisions, decisionKey } from '../../src/audit/decisions.js';
import { sql, type Database } from '../../src/database/database.js';
import { unavailable } from '../../src/errors.js';
import { newId, parseId } from '../../src/ids.js';
import { loadKeyFiles } from '../../src/keyring/kek-file.js';
import { openKeyring, type Keyring } from '../../src/keyring/keyring.js';
import { openLog } from '../../src/log.js';
import { instantMs } from '../../src/time.js';
import { makeAccount, makeCaller } from '../support/make.js';
import { counting, gate, onTheWay } from '../support/on-the-way.js';
import { onServer } from '../support/process.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let keyring: Keyring;
beforeAll(async () => {
  server = await startTestServer();
  keyring = openKeyring(loadKeyFiles(join(server.dataDir, 'keys')));
});
afterAll(() => server.stop());

/** A queue of its own, which nothing flushes but the test. */
function open(db: Database = server.db) {
  const logged: string[] = [];
  const log = openLog('info', { write: (line) => void logged.push(line) });
  return { logged, decisions: new Decisions(db, keyring, log) };
}

const verified = (accountId: string, targetId: string | null): Decision => ({
  accountId,
  projectId: null,
  actorId: accountId,
  actorCredentialId: null,
  action: 'credential:verify',
  outcome: AuditOutcome.DONE,
  code: null,
  targetType: targetId === null ? null : 'Credential',
  targetId,
  recipientId: null,
  ip: null,
  requestId: 'by hand',
});

interface Row {
  target_id: string | null;
  times: number;
  at: string;
}

const rowsOf = (account: string) =>
  server.rows<Row>('SELECT * FROM audit_events WHERE account_id = :account ORDER BY number', { account });
const total = (rows: Row[]) => rows.reduce((sum, { times }) => sum + times, 0);

const breaksOf = async (accounts: string[]) => {
  const { breaks } = await checkAudit(server.db, keyring, linesOfFile('none.jsonl'));
  return breaks.filter(({ account }) => accounts.includes(account));
};

describe('S60: decisions are on record within a second', () => {
  test('each of many refusals at the door, in as many rows as they differ', async () => {
    const account = await makeAccount(server);
    const callers = await Promise.all(Array.from({ length: 4 }, () => makeCaller(server)));
    const each = 15;
    const ask = (token: string) =>
      server.ask(
        'mutation ($input: UpdateAccountInput!) { updateAccount(input: $input) { account { id } } }',
        { input: { id: account, title: 'Mine' } },
        { token },
      );
    const answers = await Promise.all(
      callers.flatMap(({ token }) => Array.from({ length: each }, () => ask(token))),
    );
    const answeredAt = server.db.now();
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['NOT_FOUND']));
    const rows = async (id: string) => rowsOf(parseId(id)?.uuid ?? '');
    for (const { id } of callers) {
      const refusals = async () => (await rows(id)).filter(({ target_id }) => target_id === null);
      for (let waited = 0; waited < 3_000 && total(await refusals()) < each; waited += 50) await sleep(50);
      const found = await refusals();
      expect(total(found)).toBe(each);
      for (const { at } of found) expect(instantMs(at)).toBeLessThan(answeredAt + 1_000);
    }
  });

  test('one by one while they are few, and equal ones counted', async () => {
    const { decisions } = open();
    const account = newId();
    const targets = Array.from({ length: 150 }, newId);
    for (let round = 1; round <= 3; round++)
      for (const target of targets) decisions.note(verified(account, target), verified(account, null));
    await decisions.flush();
    const rows = await rowsOf(account);
    expect(rows.map(({ target_id }) => target_id)).toEqual(targets);
    expect(new Set(rows.map(({ times }) => times))).toEqual(new Set([3]));
  });

  test('as a crowd once two hundred different ones wait, none of them uncounted', async () => {
    const { decisions } = open();
    const [one, other] = [newId(), newId()];
    const targets = Array.from({ length: 1_000 }, newId);
    for (const target of targets)
      for (const account of [one, other, one])
        decisions.note(verified(account, target), verified(account, null));
    await decisions.flush();
    const [ofOne, ofOther] = [await rowsOf(one), await rowsOf(other)];
    const told = [...ofOne, ...ofOther].filter(({ target_id }) => target_id !== null);
    expect(told).toHaveLength(200);
    expect([ofOne.length + ofOther.length, total(ofOne), total(ofOther)]).toEqual([202, 2_000, 1_000]);
    expect(await breaksOf([one, other])).toEqual([]);
  });

  test('those without a crowd stay apart, however many wait', async () => {
    const { decisions } = open();
    const account = newId();
    const targets = Array.from({ length: 1_200 }, newId);
    for (const target of targets) decisions.note(verified(account, target));
    await decisions.flush();
    expect((await rowsOf(account)).map(({ target_id }) => target_id)).toEqual(targets);
    expect(await breaksOf([account])).toEqual([]);
  });

  test('one by one again when the others are written', async () => {
    const { decisions } = open();
    const account = newId();
    const note = (target: string) => decisions.note(verified(account, target), verified(account, null));
    for (let n = 0; n < 300; n++) note(newId());
    await decisions.flush();
    const last = newId();
    note(last);
    await decisions.flush();
    expect((await rowsOf(account)).at(-1)).toMatchObject({ target_id: last, times: 1 });
  });
});

test('beyond ten thousand different ones another is UNAVAILABLE, those under way among them', async () => {
  const shut = gate();
  const { decisions } = open(onTheWay(server.db, { before: () => shut.opened }));
  const account = newId();
  const targets = Array.from({ length: 10_000 }, newId);
  for (const target of targets.slice(0, 6_000)) decisions.note(verified(account, target));
  const flushed = decisions.flush();
  await sleep(0);
  for (const target of targets.slice(6_000)) decisions.note(verified(account, target));
  expect(() => decisions.note(verified(account, newId()))).toThrow(
    expect.objectContaining({ code: 'UNAVAILABLE' }),
  );
  decisions.note(verified(account, targets.at(-1) ?? ''));
  shut.open();
  await flushed;
  decisions.note(verified(account, newId()));
  await decisions.flush();
  expect(total(await rowsOf(account))).toBe(10_002);
});

describe('what makes decisions equal', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('', '-', ':', '1:', '0:-', '1:a', 'a1:b', '--'));
  const orNull = fc.option(text, { nil: null });
  const anything = fc.record({
    accountId: text,
    projectId: orNull,
    actorId: orNull,
    actorCredentialId: orNull,
    action: text,
    outcome: text as fc.Arbitrary<AuditOutcome>,
    code: orNull,
    targetType: orNull as fc.Arbitrary<Decision['targetType']>,
    targetId: orNull,
    recipientId: orNull,
    ip: orNull,
    requestId: text,
  } satisfies Record<keyof Decision, unknown>);
  const shown = (decision: Decision) => JSON.stringify({ ...decision, requestId: undefined });

  test('no text of one part can pass for another part', () => {
    fc.assert(
      fc.property(anything, anything, (one, other) => {
        expect(decisionKey(one) === decisionKey(other)).toBe(shown(one) === shown(other));
      }),
      { numRuns: 2_000 },
    );
  });

  test('each part counts but the request', () => {
    fc.assert(
      fc.property(anything, text, (one, another) => {
        for (const name of Object.keys(one) as (keyof Decision)[]) {
          const other = { ...one, [name]: another };
          expect(decisionKey(other) === decisionKey(one)).toBe(name === 'requestId' || one[name] === another);
        }
      }),
    );
  });

  test('text that goes on in the next part makes another decision', () => {
    fc.assert(
      fc.property(text, text, text, (start, middle, end) => {
        const one = { ...verified('a', null), code: start + middle, action: end };
        const other = { ...verified('a', null), code: start, action: middle + end };
        expect(decisionKey(one) === decisionKey(other)).toBe(middle === '');
      }),
    );
  });
});

test('a flush writes so many in a transaction, by two statements each', async () => {
  const { count, db } = counting(server.db);
  const { decisions } = open(db);
  const accounts = Array.from({ length: 30 }, newId);
  for (let n = 0; n < 1_100; n++) decisions.note(verified(accounts[n % 30] ?? '', newId()));
  await decisions.flush();
  // One more in the first, where the chains begin.
  expect(count).toEqual({ transactions: 3, attempts: 3, statements: 7 });
});

test('nothing is lost while the database is away', async () => {
  let away = true;
  const { logged, decisions } = open(
    onTheWay(server.db, {
      before: () => {
        if (away) throw unavailable();
      },
    }),
  );
  const accounts = [newId(), newId(), newId()];
  let sent = 0;
  const noteSome = () => {
    for (let n = 0; n < 250; n++, sent++) {
      const account = accounts[n % 3] ?? '';
      decisions.note(verified(account, n % 5 === 0 ? account : newId()), verified(account, null));
    }
  };
  for (let round = 0; round < 5; round++) {
    noteSome();
    await decisions.flush();
  }
  expect(logged).toHaveLength(5);
  for (const line of logged)
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      error: { code: 'UNAVAILABLE' },
      waiting: expect.any(Number),
    });
  away = false;
  noteSome();
  await decisions.flush();
  const rows = (await Promise.all(accounts.map(rowsOf))).flat();
  expect(total(rows)).toBe(sent);
  // Also while the database is away, the crowds keep the queue short.
  expect(rows.length).toBeLessThanOrEqual(206);
  expect(await breaksOf(accounts)).toEqual([]);
});

// The embedded database has one connection, and it cannot be cut.
const url = process.env['TEST_DATABASE_URL'];
if (url !== undefined) {
  test('nothing is lost when connections are cut in the middle of a flush, and again', async () => {
    const accounts = Array.from({ length: 5 }, newId);
    let cut = true;
    const { logged, decisions } = open(
      onTheWay(server.db, {
        within: (tx) => ({
          ...tx,
          rows: async (statement, parameters) => {
            const rows = await tx.rows(statement, parameters);
            if (!cut) return rows as never[];
            const [session] = await tx.rows<{ pid: number }>(sql('SELECT pg_backend_pid() AS pid'));
            await onServer(url, `SELECT pg_terminate_backend(${session?.pid})`);
            return rows as never[];
          },
        }),
      }),
    );
    for (const account of accounts) for (let n = 0; n < 40; n++) decisions.note(verified(account, newId()));
    await decisions.flush();
    await decisions.flush();
    expect(logged).toHaveLength(2);
    cut = false;
    await decisions.flush();
    for (const account of accounts) expect(total(await rowsOf(account))).toBe(40);
    expect(await breaksOf(accounts)).toEqual([]);
  });

  test('two flushers over the same accounts at once count all, without a deadlock or a broken chain', async () => {
    const accounts = Array.from({ length: 30 }, newId);
    const { count, db } = counting(server.db);
    const flusher = async (order: string[]) => {
      const { decisions, logged } = open(db);
      for (let round = 0; round < 20; round++) {
        for (const account of order) {
          decisions.note(verified(account, null));
          decisions.note(verified(account, newId()), verified(account, account));
        }
        await decisions.flush();
      }
      expect(logged).toEqual([]);
    };
    await Promise.all([flusher(accounts), flusher([...accounts].reverse())]);
    expect(count.attempts).toBe(count.transactions);
    for (const account of accounts) expect(total(await rowsOf(account))).toBe(80);
    expect(await breaksOf(accounts)).toEqual([]);
  });
}
