/**
 * @slow 30 s
 */
import { createHmac, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeUses } from '../../../src/credentials/limits/take.js';
import { decodeId } from '../../../src/inputs/decode-id.js';
import { Secret } from '../../../src/secret.js';
import { schemes } from '../../../src/signatures/schemes.js';
import { SignatureScheme } from '../../../src/signatures/scheme.js';
import { issued } from '../temporary.js';
import { read, remove, rotate, update } from '../verbs.js';
import { request } from '../../signatures/requests.js';
import {
  expectData,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  unique,
  type Made,
} from '../../support/make.js';
import {
  startReplica,
  startTestServer,
  type AskOptions,
  type Door,
  type TestServer,
} from '../../support/server.js';
import { statementsOf } from '../../support/statements.js';
import { postVerify, requestProof } from './verifying.js';

let server: TestServer;
let account: string;
let verifier: { id: string; token: string };
/** Who may verify nothing that there is here. */
let stranger: { id: string; token: string };
beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
  verifier = await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: account });
  stranger = await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: await makeAccount(server) });
});
afterAll(() => server.stop());

type Input = Record<string, unknown>;
interface Verdict {
  code: string;
  retryAfter: number | null;
  credential: { id: string } | null;
}

const selection = 'code retryAfter credential { id }';
const one = `mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { ${selection} } }`;
const many = `mutation ($inputs: [VerifyCredentialInput!]!) { verifyCredentials(inputs: $inputs) { ${selection} } }`;

const verdictOn = async (input: Input, by: AskOptions = verifier, door: Door = server): Promise<Verdict> =>
  expectData(await door.ask(one, { input }, by)).verifyCredential;
const verdictsOn = async (inputs: Input[], door: Door = server): Promise<Verdict[]> =>
  expectData(await door.ask(many, { inputs }, verifier)).verifyCredentials;
const codesOf = (verdicts: readonly Verdict[]) => verdicts.map(({ code }) => code);

const presented = ({ accessKey, secret }: Made, more: Input = {}): Input => ({
  accessKey,
  proof: { secret },
  ...more,
});
const wrong = ({ accessKey, secret }: Made) =>
  presented({ id: '', accessKey, secret: `${secret?.slice(0, -1)}~` });

const makeKey = (input: Input = {}) => makeCredential(server, account, input);

// So long that no tenth of it ends during a test, but those that a test ends itself.
const tenthsEndLater = (days: number) => {
  const tenthMs = days * 8_640_000;
  return tenthMs - (Date.now() % tenthMs) > 900_000;
};
const days = [31, 29, 23].find(tenthsEndLater) ?? 19;
const window = `P${days}D`;
const mostSeconds = (days * 86_400 * 11) / 10;
const rateLimit = (uses: number) => ({ rateLimit: { uses, window } });
const remainingUses = (count: number, refill?: Input) => ({
  remainingUses: { count, ...(refill && { refill }) },
});

/** Lets time pass for the limits of a credential: so many tenths of its window, and as much until its refill. */
async function pass({ id }: { id: string }, tenths: number): Promise<void> {
  await server.rows(
    `UPDATE credential_limits SET slot = slot - CAST(:tenths AS integer),
       refill_at = refill_at - CAST(:tenths AS integer) * interval '${days * 8_640} seconds'
     WHERE credential_id = :id`,
    { id: decodeId('Credential', id, 'id'), tenths },
  );
}

const limitsOf = ({ id }: { id: string }) =>
  server.rows<{ slots: number[]; uses: number | null }>(
    'SELECT slots, uses_left AS uses FROM credential_limits WHERE credential_id = :id',
    { id: decodeId('Credential', id, 'id') },
  );

const usesIn = async (made: { id: string }): Promise<number> =>
  ((await limitsOf(made))[0]?.slots ?? []).reduce((sum, uses) => sum + uses, 0);

describe('a limit of uses within a window', () => {
  test('S24: allows so many, and then says in how many seconds there is one again, and whose it is', async () => {
    const made = await makeKey(rateLimit(3));
    for (let use = 0; use < 3; use++)
      expect(await verdictOn(presented(made))).toEqual({
        code: 'VALID',
        retryAfter: null,
        credential: { id: made.id },
      });
    const refused = await verdictOn(presented(made));
    expect(refused).toEqual({
      code: 'RATE_LIMITED',
      retryAfter: expect.any(Number),
      credential: { id: made.id },
    });
    expect(refused.retryAfter).toBeGreaterThan(mostSeconds * 0.9);
    expect(refused.retryAfter).toBeLessThanOrEqual(mostSeconds);
  });

  test('counts a use until the whole window has passed, and a tenth of it at most longer', async () => {
    const made = await makeKey(rateLimit(2));
    await verdictOn(presented(made));
    await pass(made, 5);
    await verdictOn(presented(made));
    await pass(made, 5);
    expect((await verdictOn(presented(made))).code).toBe('RATE_LIMITED');
    await pass(made, 1);
    expect(codesOf([await verdictOn(presented(made)), await verdictOn(presented(made))])).toEqual([
      'VALID',
      'RATE_LIMITED',
    ]);
  });

  test('says when enough is free for what is asked, and nothing where that is never', async () => {
    const made = await makeKey(rateLimit(5));
    await verdictOn(presented(made, { cost: 2 }));
    await pass(made, 6);
    await verdictOn(presented(made, { cost: 3 }));
    const after = async (cost: number) => (await verdictOn(presented(made, { cost }))).retryAfter ?? NaN;
    const tenth = mostSeconds / 11;
    expect(Math.ceil((await after(2)) / tenth)).toBe(5);
    expect(Math.ceil((await after(3)) / tenth)).toBe(11);
    expect(await after(6)).toBeNaN();
  });

  test('is not loosened by a clock that is set back', async () => {
    const made = await makeKey(rateLimit(1));
    await verdictOn(presented(made));
    await pass(made, -50);
    expect((await verdictOn(presented(made))).code).toBe('RATE_LIMITED');
  });
});

describe('remaining uses', () => {
  test('are used up, and then waiting does not help', async () => {
    const made = await makeKey(remainingUses(2));
    await verdictOn(presented(made));
    expect((await read(server, made.id)).remainingUses).toEqual({ count: 1, refill: null });
    await verdictOn(presented(made));
    expect(await verdictOn(presented(made))).toEqual({
      code: 'RATE_LIMITED',
      retryAfter: null,
      credential: { id: made.id },
    });
    expect((await read(server, made.id)).remainingUses).toEqual({ count: 0, refill: null });
    // Else they would add up, without an end.
    expect(await usesIn(made)).toBe(0);
  });

  test('are filled up again when it is time, also where nobody asks then', async () => {
    const every = `P${days}D`;
    const made = await makeKey(remainingUses(1, { amount: 3, every }));
    const first = (await read(server, made.id)).remainingUses.refill.nextAt as string;
    await verdictOn(presented(made));
    const { code, retryAfter } = await verdictOn(presented(made));
    expect(code).toBe('RATE_LIMITED');
    expect(retryAfter).toBeGreaterThan(days * 86_400 - 900);
    expect(retryAfter).toBeLessThanOrEqual(days * 86_400);
    await pass(made, 10);
    const { count, refill } = (await read(server, made.id)).remainingUses;
    expect([count, refill]).toEqual([3, { amount: 3, every, nextAt: first }]);
    // Two refills that nobody saw are one.
    await pass(made, 25);
    expect(codesOf(await verdictsOn(Array.from({ length: 4 }, () => presented(made))))).toEqual([
      'VALID',
      'VALID',
      'VALID',
      'RATE_LIMITED',
    ]);
    const { nextAt } = (await read(server, made.id)).remainingUses.refill;
    expect(Date.parse(nextAt)).toBeGreaterThan(Date.now());
    expect(Date.parse(nextAt)).toBeLessThanOrEqual(Date.now() + days * 86_400_000);
  });

  test('that are more than a refill stay as many', async () => {
    const made = await makeKey(remainingUses(9, { amount: 3, every: `P${days}D` }));
    await pass(made, 11);
    await verdictOn(presented(made));
    expect((await read(server, made.id)).remainingUses.count).toBe(8);
  });

  test('and a limit within a window hold both', async () => {
    const made = await makeKey({ ...rateLimit(1), ...remainingUses(2) });
    expect((await verdictOn(presented(made))).code).toBe('VALID');
    expect(await verdictOn(presented(made))).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfter: expect.any(Number),
    });
    await pass(made, 11);
    expect((await verdictOn(presented(made))).code).toBe('VALID');
    expect(await verdictOn(presented(made))).toMatchObject({ code: 'RATE_LIMITED', retryAfter: null });
  });
});

describe('what is counted', () => {
  test('S24: is nothing that is not good in every other way, and beyond the limit its answer is the same', async () => {
    const key = await makeKey({
      ...rateLimit(1),
      allowedIps: ['192.0.2.1'],
      project: await makeProject(server, account),
    });
    const ip = '192.0.2.1';
    const refused = [
      { input: wrong(key), code: 'NOT_VALID' },
      { input: presented(key), code: 'IP_NOT_ALLOWED' },
      { input: presented(key, { ip, roles: ['nothing'] }), code: 'ROLE_MISSING' },
      { input: presented(key, { ip, project: await makeProject(server, account) }), code: 'NOT_VALID' },
      { input: presented(key, { ip }), code: 'NOT_VALID', by: stranger },
    ];
    const expectRefused = async () => {
      for (const { input, code, by } of refused)
        expect(await verdictOn(input, by)).toMatchObject({ code, retryAfter: null });
    };
    await expectRefused();
    expect(await usesIn(key)).toBe(0);
    expect((await verdictOn(presented(key, { ip }))).code).toBe('VALID');
    expect((await verdictOn(presented(key, { ip }))).code).toBe('RATE_LIMITED');
    await expectRefused();
    expect(await usesIn(key)).toBe(1);
  });

  test('S21: is no signed request that was presented before', async () => {
    const key = await makeKey(rateLimit(5));
    const scheme = SignatureScheme.HTTP_MESSAGE_SIGNATURES;
    const bare = request('PUT', 'https://api.example.com/x', { 'Content-Type': 'text/plain' }, 'body');
    const signing = { accessKey: key.accessKey ?? '', secret: Secret.of(key.secret ?? '') };
    const proof = requestProof(
      scheme,
      schemes[scheme].sign(bare, signing, { ms: Math.floor(server.db.now()) }),
    );
    expect(codesOf([await verdictOn(proof), await verdictOn(proof)])).toEqual(['VALID', 'NOT_VALID']);
    expect(await usesIn(key)).toBe(1);
  });

  test('is a token, a password and the previous secret of a key, too', async () => {
    const token = await makeKey({ secret: { token: {} }, ...remainingUses(1) });
    const password = await makeKey({
      secret: { password: { username: unique('user') } },
      ...remainingUses(1),
    });
    for (const made of [token, password])
      expect(codesOf([await verdictOn(presented(made)), await verdictOn(presented(made))])).toEqual([
        'VALID',
        'RATE_LIMITED',
      ]);
    const key = await makeKey(remainingUses(2));
    const rotated = await rotate(server, { id: key.id, gracePeriod: 'PT1H' });
    const { credential, issued: shown } = expectData(rotated).rotateCredential;
    expect(credential.remainingUses).toEqual({ count: 2, refill: null });
    const next = { ...key, secret: shown.secret as string };
    expect(
      codesOf([
        await verdictOn(presented(key)),
        await verdictOn(presented(next)),
        await verdictOn(presented(key)),
        await verdictOn(presented(next)),
      ]),
    ).toEqual(['VALID_PREVIOUS_SECRET', 'VALID', 'RATE_LIMITED', 'RATE_LIMITED']);
  });

  test('S38: is what was derived, for its parent', async () => {
    const parent = await makeKey(remainingUses(3));
    const [first, second] = [await issued(server, parent.id), await issued(server, parent.id)];
    expect((await read(server, first.id)).remainingUses).toBeNull();
    expect(
      codesOf(await verdictsOn([first, second, parent, first, second].map((made) => presented(made)))),
    ).toEqual(['VALID', 'VALID', 'VALID', 'RATE_LIMITED', 'RATE_LIMITED']);
    for (const limits of [rateLimit(1), remainingUses(1), { rateLimit: null }, { remainingUses: null }])
      expect((await update(server, { id: first.id, ...limits })).code).toBe('UNSUPPORTED');
  });

  test('is on record as refused, beyond a limit', async () => {
    const made = await makeKey(remainingUses(1));
    await verdictsOn(Array.from({ length: 3 }, () => presented(made)));
    const recorded = () =>
      server.rows<{ outcome: string; code: string | null; times: number }>(
        `SELECT outcome, code, sum(times)::integer AS times FROM audit_events
         WHERE action = 'credential:verify' AND target_id = :id GROUP BY outcome, code ORDER BY outcome`,
        { id: decodeId('Credential', made.id, 'id') },
      );
    let events = await recorded();
    for (; events.reduce((sum, { times }) => sum + times, 0) < 3; events = await recorded()) await sleep(50);
    expect(events).toEqual([
      { outcome: 'DONE', code: null, times: 1 },
      { outcome: 'REFUSED', code: 'RATE_LIMITED', times: 2 },
    ]);
  });

  test('is as much as is asked, or nothing: a batch is as one after another', async () => {
    const [made, other] = [await makeKey(remainingUses(4)), await makeKey({ ...rateLimit(1) })];
    const free = await makeKey();
    const answers = await verdictsOn([
      presented(made, { cost: 3 }),
      presented(other),
      presented(made, { cost: 2 }),
      presented(free, { cost: 9 }),
      presented(made, { cost: 1 }),
      presented(other),
      wrong(made),
      presented(made, { cost: 0 }),
    ]);
    expect(codesOf(answers)).toEqual([
      'VALID',
      'VALID',
      'RATE_LIMITED',
      'VALID',
      'VALID',
      'RATE_LIMITED',
      'NOT_VALID',
      'RATE_LIMITED',
    ]);
  });

  test('is nothing at a cost of 0, which is answered as a use would be', async () => {
    const made = await makeKey(remainingUses(1));
    for (const cost of [0, 0, 1]) expect((await verdictOn(presented(made, { cost }))).code).toBe('VALID');
    expect((await verdictOn(presented(made, { cost: 0 }))).code).toBe('RATE_LIMITED');
  });
});

test('by the route, when to come again stands in the body and in Retry-After', async () => {
  const made = await makeKey(rateLimit(1));
  const asked = () => postVerify(server, presented(made), verifier);
  const good = await asked();
  expect([good.status, good.body.retryAfter, good.headers.get('retry-after')]).toEqual([200, null, null]);
  const refused = await asked();
  expect(refused.status).toBe(200);
  expect(refused.body).toMatchObject({ valid: false, code: 'RATE_LIMITED', credential: { id: made.id } });
  expect(refused.headers.get('retry-after')).toBe(String(refused.body.retryAfter));
  const used = await makeKey(remainingUses(0));
  const never = await postVerify(server, presented(used), verifier);
  expect([never.body.code, never.body.retryAfter, never.headers.get('retry-after')]).toEqual([
    'RATE_LIMITED',
    null,
    null,
  ]);
});

test('a limit costs one statement more, however many are verified, and none where there is no limit', async () => {
  const free = await Promise.all(Array.from({ length: 10 }, () => makeKey()));
  const limited = await Promise.all(Array.from({ length: 10 }, () => makeKey(rateLimit(1_000))));
  const counted = async (all: Made[]) => {
    const inputs = all.map((made) => presented(made));
    const asking =
      'mutation ($inputs: [VerifyCredentialInput!]!) { verifyCredentials(inputs: $inputs) { code } }';
    const { result, statements } = await statementsOf(server, () => server.ask(asking, { inputs }, verifier));
    expect(new Set(codesOf(expectData(result).verifyCredentials))).toEqual(new Set(['VALID']));
    return statements.length;
  };
  const repeated = (all: Made[]) => Array.from({ length: 10 }, () => all).flat();
  expect([await counted(free.slice(0, 1)), await counted(repeated(free))]).toEqual([2, 2]);
  expect([await counted(limited.slice(0, 1)), await counted(repeated(limited))]).toEqual([3, 3]);
});

test('where a use may have been counted nobody is told that nothing was changed', async () => {
  const made = await makeKey(remainingUses(5));
  await server.rows(`CREATE FUNCTION lose_uses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'made by a test' USING ERRCODE = '57014'; END $$`);
  await server.rows(`CREATE TRIGGER lose_uses BEFORE UPDATE ON credential_limits
    FOR EACH STATEMENT EXECUTE FUNCTION lose_uses()`);
  try {
    const message = 'A part cannot be reached just now; what was presented may have been counted as used.';
    expect((await server.ask(one, { input: presented(made) }, verifier)).errors).toMatchObject([
      { message, extensions: { code: 'UNAVAILABLE' } },
    ]);
    const { status, body } = await postVerify(server, presented(made), verifier);
    expect([status, body.errors[0].message]).toEqual([503, message]);
  } finally {
    await server.rows('DROP TRIGGER lose_uses ON credential_limits');
    await server.rows('DROP FUNCTION lose_uses');
  }
});

test('limits go with what is deleted, and stay with what is rotated', async () => {
  const made = await makeKey({ ...rateLimit(2), ...remainingUses(2) });
  await verdictOn(presented(made));
  expectData(await rotate(server, { id: made.id }));
  expect([await usesIn(made), (await read(server, made.id)).remainingUses.count]).toEqual([1, 1]);
  expectData(await remove(server, { id: made.id }));
  expect(await limitsOf(made)).toEqual([]);
  expect((await read(server, made.id)).rateLimit).toBeNull();
});

test('R28: a limit that is set, widened or taken away is so at the next request', async () => {
  const made = await makeKey();
  const next = async (limits: Input) => {
    expectData(await update(server, { id: made.id, ...limits }));
    return (await verdictOn(presented(made))).code;
  };
  expect(await next(rateLimit(1))).toBe('VALID');
  expect(await next({})).toBe('RATE_LIMITED');
  expect(await next(rateLimit(2))).toBe('VALID');
  expect(await next(remainingUses(0))).toBe('RATE_LIMITED');
  expect(await next({ rateLimit: null })).toBe('RATE_LIMITED');
  expect(await next({ remainingUses: null })).toBe('VALID');
  expect(await limitsOf(made)).toEqual([]);
});

/** The same as the statement, in few words: uses by tenths of the window, and what remains of all. */
class Model {
  #uses: { tenth: number; cost: number }[] = [];
  constructor(
    private readonly most: number | null,
    private remaining: number | null,
    private readonly amount: number | null,
  ) {}

  take(tenth: number, cost: number): boolean {
    const needed = Math.max(cost, 1);
    const within = this.#uses
      .filter((use) => use.tenth >= tenth - 10)
      .reduce((sum, use) => sum + use.cost, 0);
    if (this.most !== null && within + needed > this.most) return false;
    if (this.remaining !== null && this.remaining < needed) return false;
    this.#uses.push({ tenth, cost });
    if (this.remaining !== null) this.remaining -= cost;
    return true;
  }

  refill(): void {
    if (this.remaining !== null) this.remaining = Math.max(this.remaining, this.amount ?? 0);
  }
}

/** Numbers that look random and are the same for the same seed. */
function drawing(seed: number): (most: number) => number {
  let drawn = 0;
  return (most) =>
    createHmac('sha256', String(seed)).update(String(drawn++)).digest().readUInt32BE() % (most + 1);
}

test('histories of uses are answered as a model of few lines says', async () => {
  const seed = randomInt(2 ** 31);
  const draw = drawing(seed);
  for (let history = 0; history < 12; history++) {
    const most = draw(3) === 0 ? null : 1 + draw(9);
    const count = most === null || draw(1) === 0 ? draw(20) : null;
    const amount = count === null || draw(1) === 0 ? null : 1 + draw(15);
    const refill = amount === null ? undefined : { amount, every: window };
    const made = await makeKey({
      ...(most !== null && rateLimit(most)),
      ...(count !== null && remainingUses(count, refill)),
    });
    const model = new Model(most, count, amount);
    const id = decodeId('Credential', made.id, 'id');
    let tenth = 0;
    for (let step = 0; step < 12; step++) {
      const costs = Array.from({ length: 1 + draw(5) }, () => draw(4));
      const taken = await takeUses(
        server.db,
        costs.map((cost) => ({ id, cost })),
      );
      const expected = costs.map((cost) => model.take(tenth, cost));
      expect({ seed, history, step, taken: taken.map((one) => one.taken) }).toEqual({
        seed,
        history,
        step,
        taken: expected,
      });
      const passed = draw(6);
      await pass(made, passed);
      for (let turn = 0; turn < passed; turn++) if (++tenth % 10 === 0) model.refill();
    }
  }
});

// The embedded database has one Keyway.
if (process.env['TEST_DATABASE_URL']) {
  describe('with two replicas', () => {
    let replica: Awaited<ReturnType<typeof startReplica>>;
    beforeAll(async () => {
      replica = await startReplica(server);
    });
    afterAll(() => replica.stop());

    test.each([
      ['remaining uses', remainingUses(10)],
      ['uses within a window', rateLimit(10)],
    ])('S24: of fifty at once exactly ten are valid, by %s', async (_, limits) => {
      const made = await makeKey(limits);
      const doors = Array.from({ length: 50 }, (_, index) => (index % 2 ? server : replica));
      const codes = await Promise.all(
        doors.map(async (door) => (await verdictOn(presented(made), verifier, door)).code),
      );
      expect(codes.sort()).toEqual([
        ...Array<string>(40).fill('RATE_LIMITED'),
        ...Array<string>(10).fill('VALID'),
      ]);
    });

    test('R15: while its counters cannot be had it is UNAVAILABLE, and no use', async () => {
      const made = await makeKey(remainingUses(5));
      const id = decodeId('Credential', made.id, 'id');
      await server.db.transaction(async (tx) => {
        await tx.em.query('SELECT FROM credential_limits WHERE credential_id = $1 FOR UPDATE', [id]);
        const answer = await replica.ask(one, { input: presented(made) }, verifier);
        expect(answer.code).toBe('UNAVAILABLE');
      });
      expect((await verdictOn(presented(made))).code).toBe('VALID');
      expect((await read(server, made.id)).remainingUses.count).toBe(4);
    });

    test('batches that name the same credentials in other orders do not wait for each other in a circle', async () => {
      const made = await Promise.all(Array.from({ length: 10 }, () => makeKey(remainingUses(100))));
      const inputs = made.map((one) => presented(one));
      const orders = [inputs, [...inputs].reverse(), [...inputs.slice(5), ...inputs.slice(0, 5)]];
      const batches = Array.from({ length: 60 }, (_, index) =>
        verdictsOn(orders[index % 3] ?? [], index % 2 ? server : replica),
      );
      expect(new Set(codesOf((await Promise.all(batches)).flat()))).toEqual(new Set(['VALID']));
      for (const one of made) expect((await read(server, one.id)).remainingUses.count).toBe(40);
    });
  });
}
