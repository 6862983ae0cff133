import type { RequestContext } from '../../src/access/context.js';
import { forgetOldAnswers } from '../../src/idempotency/forget.js';
import { DatabaseUnavailable, outcomeUnknown } from '../../src/errors.js';
import { answeredBefore, forgetAnswer, once, onceReaching } from '../../src/idempotency/once.js';
import { newId } from '../../src/ids.js';
import { openOutbound } from '../../src/outbound/outbound.js';
import { partsOf, rowOf } from '../credentials/due/due.js';
import { makeAccount, unique } from '../support/make.js';
import { gate } from '../support/on-the-way.js';
import { startTestServer, type TestServer } from '../support/server.js';

// What stands under an idempotency key, step by step: while what was asked for is under way, once it is answered, and
// after the time of either.

let server: TestServer;
let account: string;
let other: string;
let ctx: RequestContext;
let ofOther: RequestContext;
const outbound = openOutbound({ allowedRanges: [], local: true });
beforeAll(async () => {
  server = await startTestServer();
  [account, other] = [rowOf(await makeAccount(server)), rowOf(await makeAccount(server))];
  const { db, keyring } = await partsOf(server, outbound);
  const contextOf = (accountId: string) =>
    ({
      db,
      keyring,
      principal: { accountId },
      left: new AbortController().signal,
      change: { made: false, earlier: false },
    }) as unknown as RequestContext;
  [ctx, ofOther] = [contextOf(account), contextOf(other)];
});
afterAll(async () => {
  await outbound.close();
  await server.stop();
});

const asked = (more: object = {}) => ({ idempotencyKey: unique('key'), name: 'one', ...more });
const first = () => Promise.resolve({ told: 'first' });
const second = () => Promise.resolve({ told: 'second' });

interface Kept {
  id: string;
  operation: string;
  sealed: boolean;
  /** For how long, from when it was made, in seconds. */
  seconds: number;
  /** Whether it was made just now. */
  fresh: boolean;
}

/** What is kept of an operation, which no other test here has. */
const keptOf = (operation: string) =>
  server.rows<Kept>(
    `SELECT id, operation, sealed IS NOT NULL AS sealed,
       CAST(extract(epoch FROM expires_at - created_at) AS double precision) AS seconds,
       created_at > now() - interval '5 minutes' AS fresh
     FROM idempotency_keys WHERE operation = :operation`,
    { operation },
  );

const set = (operation: string, columns: string) =>
  server.rows(`UPDATE idempotency_keys SET ${columns} WHERE operation = :operation RETURNING id`, {
    operation,
  });
const longAgo = "created_at = now() - interval '2 days', expires_at = now() - interval '1 second'";

const dayInSeconds = 86_400;

test('an answer is kept for 24 hours, and then the key is as new', async () => {
  const [operation, later] = [unique('answer'), unique('answer')];
  const input = asked();
  expect(await once(ctx, operation, input, first)).toEqual({ result: { told: 'first' }, replayed: false });
  expect(await once(ctx, operation, input, second)).toEqual({ result: { told: 'first' }, replayed: true });
  expect(await answeredBefore(ctx, operation, input)).toEqual({ told: 'first' });
  const [kept] = await keptOf(operation);
  expect(kept).toMatchObject({ sealed: true, seconds: dayInSeconds, fresh: true });

  await set(operation, longAgo);
  expect(await answeredBefore(ctx, operation, input)).toBeUndefined();
  // Another operation, and another input, have it by then.
  const another = { ...input, name: 'another' };
  expect(await once(ctx, later, another, second)).toEqual({ result: { told: 'second' }, replayed: false });
  expect(await keptOf(operation)).toEqual([]);
  const [anew] = await keptOf(later);
  expect(anew).toMatchObject({ sealed: true, seconds: dayInSeconds, fresh: true });
  expect(anew?.id).not.toBe(kept?.id);
  expect(await once(ctx, later, another, first)).toEqual({ result: { told: 'second' }, replayed: true });
  await expect(once(ctx, operation, input, first)).rejects.toMatchObject({ code: 'CONFLICT' });
});

test('an answer is for the account alone that it was given to', async () => {
  const operation = unique('accounts');
  const input = asked();
  await once(ctx, operation, input, first);
  expect(await once(ofOther, operation, input, second)).toEqual({
    result: { told: 'second' },
    replayed: false,
  });
  expect(await answeredBefore(ctx, operation, input)).toEqual({ told: 'first' });
  expect(await answeredBefore(ofOther, operation, input)).toEqual({ told: 'second' });
});

test('the order of what is asked, and what is left out, make no other input; any value does', async () => {
  const operation = unique('inputs');
  const key = unique('key');
  const input = { idempotencyKey: key, name: 'one', list: ['a', 'b'], inner: { x: 1, y: null } };
  await once(ctx, operation, input, first);
  for (const same of [
    { inner: { y: null, x: 1 }, list: ['a', 'b'], name: 'one', idempotencyKey: key },
    { ...input, more: undefined },
  ])
    expect((await once(ctx, operation, same, second)).replayed).toBe(true);
  for (const change of [
    { name: 'One' },
    { list: ['b', 'a'] },
    { list: ['a'] },
    { inner: { x: 1 } },
    { inner: { x: '1', y: null } },
    { inner: null },
    { name: undefined },
    { more: null },
  ])
    await expect(once(ctx, operation, { ...input, ...change }, second)).rejects.toMatchObject({
      code: 'CONFLICT',
    });
});

test('only the answer to that input of that account is forgotten', async () => {
  const operation = unique('forgotten');
  const [input, beside] = [asked(), asked()];
  for (const one of [input, beside]) await once(ctx, operation, one, first);
  await once(ofOther, operation, input, first);
  const another: typeof input = { ...input, ...{ name: 'another' } };
  await forgetAnswer(ctx, operation, another);
  expect(await answeredBefore(ctx, operation, input)).toEqual({ told: 'first' });
  await forgetAnswer(ctx, operation, input);
  expect(await answeredBefore(ctx, operation, input)).toBeUndefined();
  expect(await answeredBefore(ctx, operation, beside)).toEqual({ told: 'first' });
  expect(await answeredBefore(ofOther, operation, input)).toEqual({ told: 'first' });
});

describe('what reaches out', () => {
  const keep = (told: string) => ({ keep: () => Promise.resolve({ told }) });

  test('has the key for 15 seconds, and its answer is kept for 24 hours', async () => {
    const operation = unique('reaching');
    const input = asked();
    let meanwhile: Kept[] = [];
    const reach = async () => void (meanwhile = await keptOf(operation));
    expect(await onceReaching(ctx, operation, input, { reach, ...keep('first') })).toEqual({
      result: { told: 'first' },
      replayed: false,
    });
    expect(meanwhile).toEqual([expect.objectContaining({ sealed: false, seconds: 15 })]);
    expect(await keptOf(operation)).toEqual([
      expect.objectContaining({ sealed: true, seconds: dayInSeconds }),
    ]);
  });

  test('does so once, though asked twice at once', async () => {
    const operation = unique('reaching');
    const input = asked();
    const answer = gate();
    let reached = 0;
    const reach = async () => {
      reached++;
      await answer.opened;
    };
    const both = [1, 2].map(() => onceReaching(ctx, operation, input, { reach, ...keep('first') }));
    while (reached === 0) await new Promise(setImmediate);
    // What is claimed, and not answered yet, is no answer.
    expect(await answeredBefore(ctx, operation, input)).toBeUndefined();
    await expect(once(ctx, operation, input, second)).rejects.toMatchObject({ code: 'CONFLICT' });
    answer.open();
    const outcomes = await Promise.all(both);
    expect(outcomes.map(({ result }) => result)).toEqual([{ told: 'first' }, { told: 'first' }]);
    expect(outcomes.map(({ replayed }) => replayed).sort()).toEqual([false, true]);
    expect(reached).toBe(1);
  });

  test.each([
    ['before it reaches out', { before: () => Promise.reject(new Error('made by a test')) }],
    ['while it does', { reach: () => Promise.reject(new Error('made by a test')) }],
    ['when it keeps what it has', { keep: () => Promise.reject(new Error('made by a test')) }],
  ])('leaves no claim where it fails %s', async (_, failing) => {
    const operation = unique('failing');
    const input = asked();
    const way = { reach: () => Promise.resolve(), ...keep('first') };
    await expect(onceReaching(ctx, operation, input, { ...way, ...failing })).rejects.toThrow(
      'made by a test',
    );
    expect(await keptOf(operation)).toEqual([]);
    expect((await onceReaching(ctx, operation, input, way)).replayed).toBe(false);
  });

  test('tells that the outcome is unknown, also where the claim cannot be let go', async () => {
    const away = () => Promise.reject(new DatabaseUnavailable('made by a test'));
    const db = Object.assign(Object.create(ctx.db) as typeof ctx.db, { unlimited: { rows: away } });
    const lost = () => Promise.reject(outcomeUnknown('made by a test'));
    const asking = onceReaching({ ...ctx, db }, unique('lost'), asked(), {
      reach: () => Promise.resolve(),
      keep: lost,
    });
    await expect(asking).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  });

  test('takes over a claim whose time has passed', async () => {
    const operation = unique('taken over');
    const input = asked();
    const way = {
      reach: async () => {
        await set(operation, longAgo);
        const taken = await onceReaching(ctx, operation, input, {
          reach: () => Promise.resolve(),
          ...keep('second'),
        });
        expect(taken).toEqual({ result: { told: 'second' }, replayed: false });
      },
      ...keep('first'),
    };
    // Whoever was too late answers what the other did, and keeps nothing.
    expect(await onceReaching(ctx, operation, input, way)).toEqual({
      result: { told: 'second' },
      replayed: true,
    });
    expect(await keptOf(operation)).toHaveLength(1);
  });

  test.each([
    ['is under way', false],
    ['is answered', true],
  ])("leaves another's claim alone that %s by now, where it fails", async (_, isAnswered) => {
    const operation = unique('of another');
    const input = asked();
    const id = newId();
    const reach = async () => {
      await set(operation, isAnswered ? "sealed = '\\x00'" : `id = '${id}'`);
      throw new Error('made by a test');
    };
    await expect(onceReaching(ctx, operation, input, { reach, ...keep('first') })).rejects.toThrow(
      'made by a test',
    );
    expect(await keptOf(operation)).toEqual([expect.objectContaining({ sealed: isAnswered })]);
  });
});

test('all answers whose time has passed are forgotten, however many, and no others', async () => {
  const [old, kept] = [unique('old'), unique('kept')];
  const insert = (operation: string, expires: string, count: number) =>
    server.rows(
      `INSERT INTO idempotency_keys (account_id, key_hash, id, operation, input_hash, sealed, expires_at)
       SELECT CAST(:account AS uuid), sha256(convert_to(:operation || n, 'UTF8')), gen_random_uuid(), :operation,
         sha256('input'), sha256('answer'), ${expires} FROM generate_series(1, ${count}) AS n RETURNING id`,
      { account, operation },
    );
  await insert(old, "now() - interval '1 second'", 1_300);
  await insert(kept, "now() + interval '1 hour'", 3);
  expect(await forgetOldAnswers(server.db)).toBeGreaterThanOrEqual(1_300);
  expect([(await keptOf(old)).length, (await keptOf(kept)).length]).toEqual([0, 3]);
  expect(await forgetOldAnswers(server.db)).toBe(0);
});

// The embedded database has one connection: no two transactions meet on it.
if (process.env['TEST_DATABASE_URL'])
  test('R1: what is used anew just now is not waited for, and not forgotten', async () => {
    const operation = unique('anew');
    const input = asked();
    await once(ctx, operation, input, first);
    await set(operation, longAgo);
    const [begun, end] = [gate(), gate()];
    const anew = once(ctx, operation, input, async () => {
      begun.open();
      await end.opened;
      return { told: 'second' };
    });
    await begun.opened;
    try {
      // Who waits for it does so in vain: it ends only after.
      await forgetOldAnswers(server.db);
    } finally {
      end.open();
    }
    expect(await anew).toEqual({ result: { told: 'second' }, replayed: false });
    expect(await answeredBefore(ctx, operation, input)).toEqual({ told: 'second' });
  });
