/**
 * @slow 25 s
 */
import { randomUUID } from 'node:crypto';
import { attempt } from '../../src/accounts/second-factor.js';
import type { RequestContext } from '../../src/access/context.js';
import { DatabaseUnavailable, outcomeUnknown } from '../../src/errors.js';
import { parseId } from '../../src/ids.js';
import { faultPaths, placesOf } from '../credentials/verbs.js';
import { issue } from '../credentials/temporary.js';
import { withoutLimits } from '../support/answers.js';
import { enrol, enrolAndConfirm, holdClock, type Authenticator } from '../support/authenticator.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from '../support/make.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';
import { trusting } from '../support/issuer.js';
import { readNode, run } from '../support/verbs.js';

let server: TestServer;
let clock: ReturnType<typeof holdClock>;
let account: string;
let kept: { id: string; secret: string | null };
beforeAll(async () => {
  server = await startTestServer(
    trusting({
      issuer: 'https://id.example.com',
      jwks: 'https://id.example.com/keys',
      audience: 'keyway',
      algorithms: ['ES256'],
    }),
  );
  clock = holdClock(server);
  account = await makeAccount(server);
  kept = await makeCredential(server, account, { retrievable: true });
});
afterAll(() => server.stop());
// Far enough that no code of one test is a code in the next.
beforeEach(() => clock.move(10));

interface Caller {
  id: string;
  token: string;
}

/** One who may reveal, of an account that requires a second factor where nothing else is said. */
const makeRevealer = (input: Record<string, unknown> = { mfaRequired: true }): Promise<Caller> =>
  makeCaller(server, ['CREDENTIAL_REVEAL'], { onAccount: account }, input);

/** The same with a confirmed factor, whose present code is not used. */
async function makeProven(input?: Record<string, unknown>) {
  const who = await makeRevealer(input);
  const app = await enrolAndConfirm(server, who.token);
  clock.move(10);
  return { ...who, app };
}

const revealAs = ({ token }: Caller, mfaCode?: string, id = kept.id): Promise<Answer> =>
  server.ask(
    'mutation ($input: RevealCredentialInput!) { revealCredential(input: $input) { issued { secret } } }',
    { input: { id, ...(mfaCode !== undefined && { mfaCode }) } },
    { token },
  );
const confirmAs = ({ token }: Caller, code: string): Promise<Answer> =>
  server.ask(
    `mutation ($input: ConfirmMfaInput!) { confirmMfa(input: $input) { account { id mfaEnrolled } recoveryCodes } }`,
    { input: { code } },
    { token },
  );
const removeAs = ({ token }: Caller, code: string): Promise<Answer> =>
  server.ask(
    'mutation ($input: RemoveMfaInput!) { removeMfa(input: $input) { account { id mfaEnrolled } } }',
    { input: { code } },
    { token },
  );
const enrolAs = ({ token }: Caller, input: Record<string, unknown> = {}): Promise<Answer> =>
  run(server, 'enrolMfa', input, { token });

const isEnrolled = async ({ id }: Caller): Promise<boolean> =>
  (await readNode(server, id, '... on Account { mfaEnrolled }')).mfaEnrolled;
const expectShown = (answer: Answer) =>
  expect(expectData(answer).revealCredential.issued.secret).toBe(kept.secret);
/** By which a client knows that it is to ask for a code, and where that goes. */
const missingCode = [{ path: 'input.mfaCode', message: 'is required' }];

function expectRefused(answer: Answer) {
  expect([answer.code, answer.data]).toEqual(['FORBIDDEN', null]);
  expect(answer.errors[0]?.message).toBe('The second factor was not accepted.');
  expect(answer.errors[0]?.extensions.fields).toEqual([
    { path: expect.stringMatching(/^input\.(mfaCode|code)$/), message: 'was not accepted' },
  ]);
}
const expectLocked = ({ code, data }: Answer) => expect([code, data]).toEqual(['RATE_LIMITED', null]);

/** A code of six digits that is none of the app's in any step near. */
function wrong(app: Authenticator): string {
  const near = [-3, -2, -1, 0, 1, 2, 3].map((steps) => app.code(steps));
  return ['000000', '111111', '222222', '333333', '444444', '555555', '666666', '777777'].filter(
    (code) => !near.includes(code),
  )[0] as string;
}

async function deviceOf({ id }: Caller) {
  const [row] = await server.rows<{ failures: number; locked: boolean; row: string }>(
    `SELECT failures, locked_until > now() AS locked, to_jsonb(d)::text AS row FROM mfa_devices d
     WHERE account_id = :id`,
    { id: parseId(id)?.uuid },
  );
  return row;
}

const at20 = <Result>(work: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: 20 }, (_, index) => work(index)));

describe('the life of a second factor', () => {
  test('it is enrolled, confirmed, asked for, and removed', async () => {
    const who = await makeRevealer();
    expect((await revealAs(who)).code).toBe('FORBIDDEN');

    const app = await enrol(server, who.token);
    expect(await isEnrolled(who)).toBe(false);

    const confirmed = expectData(await confirmAs(who, app.code())).confirmMfa;
    expect(confirmed.account).toEqual({ id: who.id, mfaEnrolled: true });
    expect(new Set(confirmed.recoveryCodes).size).toBe(10);
    for (const code of confirmed.recoveryCodes) expect(code).toMatch(/^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/);

    expect((await revealAs(who)).code).toBe('FORBIDDEN');
    clock.move(1);
    expectShown(await revealAs(who, app.code()));

    clock.move(1);
    const removed = expectData(await removeAs(who, app.code())).removeMfa;
    expect(removed.account).toEqual({ id: who.id, mfaEnrolled: false });
    expect(await deviceOf(who)).toBeUndefined();

    clock.move(1);
    expect((await revealAs(who, app.code())).code).toBe('FORBIDDEN');
  });

  test.each([
    [{}, undefined],
    [{ label: null }, undefined],
    [{ label: 'Laptop & Zoë: 1' }, 'Laptop & Zoë: 1'],
  ])('it is shown by an app under its label, or the name of the account: %j', async (input, label) => {
    const who = await makeRevealer();
    const { uri } = await enrol(server, who.token, input);
    const { name } = await readNode(server, who.id, '... on Account { name }');
    expect(decodeURIComponent(new URL(uri).pathname)).toBe(`/Keyway:${label ?? name}`);
  });

  test('until it is confirmed it proves nothing', async () => {
    const who = await makeRevealer();
    const app = await enrol(server, who.token);
    for (const answer of [await revealAs(who, app.code()), await removeAs(who, app.code())])
      expect([answer.code, answer.data]).toEqual(['FORBIDDEN', null]);
    expect((await deviceOf(who))?.failures).toBe(0);
    expectData(await confirmAs(who, app.code()));
  });

  test('until it is confirmed another can take its place, and its codes confirm nothing then', async () => {
    const who = await makeRevealer();
    const lost = await enrol(server, who.token);
    const app = await enrol(server, who.token);
    expectRefused(await confirmAs(who, lost.code()));
    expectData(await confirmAs(who, app.code()));
  });

  test('once it is confirmed none takes its place before it is removed: CONFLICT', async () => {
    const { app, ...who } = await makeProven();
    const answer = await enrolAs(who);
    expect([answer.code, answer.data]).toEqual(['CONFLICT', null]);
    expect((await confirmAs(who, app.code())).code).toBe('CONFLICT');
    expectShown(await revealAs(who, app.code()));
  });

  test('where there is none, none is confirmed or removed', async () => {
    const who = await makeRevealer();
    expect((await confirmAs(who, '123456')).code).toBe('CONFLICT');
    expect((await removeAs(who, '123456')).code).toBe('FORBIDDEN');
    expect((await revealAs(who, '123456')).code).toBe('FORBIDDEN');
  });

  test('twenty confirmations at once are one, and its recovery codes are those that count', async () => {
    const who = await makeRevealer();
    const app = await enrol(server, who.token);
    const answers = await at20(() => confirmAs(who, app.code()));
    const [done, ...others] = answers.filter(({ errors }) => errors.length === 0);
    expect(others).toEqual([]);
    clock.move(10);
    await server.rows('UPDATE mfa_devices SET failures = 0, locked_until = NULL');
    expectShown(await revealAs(who, done?.data.confirmMfa.recoveryCodes[9]));
  });

  test('a token that is narrowed enrols none', async () => {
    const who = await makeRevealer();
    const narrow = { token: { permissions: ['CREDENTIAL_REVEAL'] } };
    const { secret } = await makeCredential(server, who.id, { secret: narrow });
    const answer = await enrolAs({ ...who, token: String(secret) });
    expect([answer.code, answer.data]).toEqual(['FORBIDDEN', null]);
    expect(await deviceOf(who)).toBeUndefined();
  });

  test('it goes with its account', async () => {
    const who = await makeProven();
    expectData(await run(server, 'deleteAccount', { id: who.id, revokeCredentials: true }));
    expect(await deviceOf(who)).toBeUndefined();
  });
});

describe('where it is asked for', () => {
  test('an account that requires one reveals with its code alone, and is told so', async () => {
    const { app, ...who } = await makeProven();
    for (const mfaCode of [undefined, null]) {
      const answer = await server.ask(
        'mutation ($input: RevealCredentialInput!) { revealCredential(input: $input) { issued { secret } } }',
        { input: { id: kept.id, mfaCode } },
        { token: who.token },
      );
      expect([answer.code, answer.data]).toEqual(['FORBIDDEN', null]);
      expect(answer.errors[0]?.message).toMatch(/mfaCode.*enrol/);
      expect(answer.errors[0]?.extensions.fields).toEqual(missingCode);
    }
    expect((await deviceOf(who))?.failures).toBe(0);
    expectShown(await revealAs(who, app.code()));
  });

  test('from the answer on with which it is required, and until it is not', async () => {
    const { app, ...who } = await makeProven({});
    expectShown(await revealAs(who));
    expectData(await run(server, 'updateAccount', { id: who.id, mfaRequired: true }));
    expect((await revealAs(who)).code).toBe('FORBIDDEN');
    expectShown(await revealAs(who, app.code()));
    expectData(await run(server, 'updateAccount', { id: who.id, mfaRequired: false }));
    expectShown(await revealAs(who));
  });

  describe('whoever lowers it for oneself', () => {
    const manager = async (input?: Record<string, unknown>) => {
      const { app, ...who } = await makeProven(input);
      await grant(server, who.id, await makeRole(server, ['ACCOUNT_MANAGE']), { onAccount: who.id });
      const lower = (more: Record<string, unknown> = {}) =>
        run(server, 'updateAccount', { id: who.id, mfaRequired: false, ...more }, { token: who.token });
      return { app, who, lower };
    };

    test('proves it, and else it is required as before', async () => {
      const { app, who, lower } = await manager();
      expect((await lower()).code).toBe('FORBIDDEN');
      expect((await lower({ title: 'Another', mfaCode: wrong(app) })).code).toBe('FORBIDDEN');
      expect((await lower({ mfaCode: null })).code).toBe('FORBIDDEN');
      expect((await revealAs(who)).code).toBe('FORBIDDEN');
      expectData(await lower({ mfaCode: app.code() }));
      expectShown(await revealAs(who));
    });

    test('proves it once under an idempotency key, whatever the code of the repeated request', async () => {
      const { app, who, lower } = await manager();
      const idempotencyKey = unique('key');
      const first = expectData(await lower({ mfaCode: app.code(), idempotencyKey }));
      clock.move(1);
      expect(expectData(await lower({ mfaCode: app.code(), idempotencyKey }))).toEqual(first);
      expect((await deviceOf(who))?.failures).toBe(0);
    });

    test('needs no code for what else is changed, nor where it is not required', async () => {
      const { who, lower } = await manager();
      const title = unique('title');
      expectData(await run(server, 'updateAccount', { id: who.id, title }, { token: who.token }));
      expect((await lower()).code).toBe('FORBIDDEN');
      const { lower: again } = await manager({});
      expectData(await again());
    });

    test('cannot where no factor was enrolled yet', async () => {
      const who = await makeRevealer();
      await grant(server, who.id, await makeRole(server, ['ACCOUNT_MANAGE']), { onAccount: who.id });
      const lower = { id: who.id, mfaRequired: false };
      expect((await run(server, 'updateAccount', lower, { token: who.token })).code).toBe('FORBIDDEN');
      expect((await revealAs(who)).code).toBe('FORBIDDEN');
    });
  });

  test('a code that is given is checked where none is required', async () => {
    const { app, ...who } = await makeProven({});
    expectRefused(await revealAs(who, wrong(app)));
    expectShown(await revealAs(who, app.code()));
    expectRefused(await revealAs(who, app.code()));
    expect((await revealAs(await makeRevealer({}), '123456')).code).toBe('FORBIDDEN');
  });

  test('it is removed by its code alone, whether or not it is required', async () => {
    for (const input of [{}, { mfaRequired: true }]) {
      const { app, ...who } = await makeProven(input);
      expectRefused(await removeAs(who, wrong(app)));
      expect(await isEnrolled(who)).toBe(true);
      expectData(await removeAs(who, app.code()));
      expect(await isEnrolled(who)).toBe(false);
    }
  });

  test("nobody's code is another's", async () => {
    const [one, other] = [await makeProven(), await makeProven()];
    expectRefused(await revealAs(one, other.app.code()));
    expectRefused(await removeAs(one, other.app.recoveryCodes[0] as string));
    expect([(await deviceOf(one))?.failures, (await deviceOf(other))?.failures]).toEqual([2, 0]);
    expectShown(await revealAs(other, other.app.code()));
  });

  test('the code is not looked at for what would be refused without it', async () => {
    const { app, ...who } = await makeProven();
    const elsewhere = await makeCredential(server, await makeAccount(server), { retrievable: true });
    const shownOnce = await makeCredential(server, account);
    const ended = await makeCredential(server, account, { retrievable: true });
    expectData(await run(server, 'revokeCredential', { id: ended.id }));
    for (const [id, code] of [
      [elsewhere.id, 'NOT_FOUND'],
      [shownOnce.id, 'UNSUPPORTED'],
      [ended.id, 'CONFLICT'],
    ])
      expect((await revealAs(who, app.code(), id)).code).toBe(code);
    expect((await deviceOf(who))?.failures).toBe(0);
    expectShown(await revealAs(who, app.code()));
  });

  test.each([
    ['nothing', ''],
    ['blanks', '   '],
    ['65 characters', '1'.repeat(65)],
    ['two lines', '123\n456'],
    ['a NUL', '123456\0'],
  ])('S11: %s is no code, names its field, and counts as no try', async (_, code) => {
    const who = await makeProven();
    for (const [answer, path] of [
      [await revealAs(who, code), 'input.mfaCode'],
      [await removeAs(who, code), 'input.code'],
      [await confirmAs(who, code), 'input.code'],
    ] as const) {
      expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', [path]]);
      if (code.trim() !== '') expect(answer.text).not.toContain(code);
    }
    expect((await deviceOf(who))?.failures).toBe(0);
  });
});

describe('S28: a code is accepted once', () => {
  const spellings: [string, (code: string) => string][] = [
    ['as it is', (code) => code],
    ['in two groups', (code) => `${code.slice(0, 3)} ${code.slice(3)}`],
    ['with a hyphen', (code) => `${code.slice(0, 3)}-${code.slice(3)}`],
    ['between blanks', (code) => `  ${code} `],
    ['digit by digit', (code) => [...code].join(' - ')],
    ['with blanks that do not break', (code) => [...code].join('\u00a0')],
  ];

  test.each(spellings)('%s, and then in no spelling', async (_, spell) => {
    const { app, ...who } = await makeProven();
    expectShown(await revealAs(who, spell(app.code())));
    for (const [, again] of spellings.slice(0, 4)) expectRefused(await revealAs(who, again(app.code())));
  });

  test.each<[string, (code: string) => string]>([
    ['wide digits', (code) => code.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))],
    ['Arabic digits', (code) => code.replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit)))],
    ['a sign', (code) => `+${code}`],
    ['a leading zero', (code) => `0${code}`],
    ['a fraction', (code) => `${code}.0`],
    ['dots', (code) => `${code.slice(0, 3)}.${code.slice(3)}`],
  ])('and never with %s', async (_, spell) => {
    const { app, ...who } = await makeProven();
    expectRefused(await revealAs(who, spell(app.code())));
    expectShown(await revealAs(who, app.code()));
  });

  test('whichever operation it is sent to', async () => {
    const who = await makeRevealer();
    const app = await enrol(server, who.token);
    expectData(await confirmAs(who, app.code()));
    expectRefused(await revealAs(who, app.code()));
    expectRefused(await removeAs(who, app.code()));
    clock.move(1);
    expectShown(await revealAs(who, app.code()));
    expectRefused(await removeAs(who, app.code()));
    clock.move(1);
    expectData(await removeAs(who, app.code()));
  });

  test('of twenty reveals at the same moment one shows the secret', async () => {
    const { app, ...who } = await makeProven();
    const answers = await at20(() => revealAs(who, app.code()));
    expect(answers.filter(({ errors }) => errors.length === 0)).toHaveLength(1);
    const codes = answers.map(({ code }) => code).filter((code) => code !== undefined);
    expect(codes.every((code) => code === 'FORBIDDEN' || code === 'RATE_LIMITED')).toBe(true);
  });

  test('of twenty at the same moment, to two operations, one is done', async () => {
    const { app, ...who } = await makeProven();
    const answers = await at20((index) => (index % 2 ? revealAs : removeAs)(who, app.code()));
    expect(answers.filter(({ errors }) => errors.length === 0)).toHaveLength(1);
  });

  test.each([
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ])('in the time step %i from now: %s', async (steps, accepted) => {
    const { app, ...who } = await makeProven();
    const answer = await revealAs(who, app.code(steps));
    if (accepted) expectShown(answer);
    else expectRefused(answer);
  });

  test('and none from before it after that', async () => {
    const { app, ...who } = await makeProven();
    expectShown(await revealAs(who, app.code(1)));
    for (const steps of [-1, 0, 1]) expectRefused(await revealAs(who, app.code(steps)));
    clock.move(1);
    expectRefused(await revealAs(who, app.code()));
    expectShown(await revealAs(who, app.code(1)));
  });

  test('and not used up by a deed that was not done', async () => {
    const { app, ...who } = await makeProven();
    await server.rows(`CREATE FUNCTION no_record() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'the disk of the record is full'; END $$`);
    await server.rows(
      `CREATE TRIGGER no_record BEFORE INSERT ON audit_events FOR EACH ROW
       WHEN (NEW.action = 'credential:reveal' AND NEW.outcome = 'DONE') EXECUTE FUNCTION no_record()`,
    );
    try {
      const answer = await revealAs(who, app.code());
      expect([answer.code, answer.data]).toEqual(['INTERNAL_SERVER_ERROR', null]);
    } finally {
      await server.rows('DROP TRIGGER no_record ON audit_events');
      await server.rows('DROP FUNCTION no_record');
    }
    expect((await deviceOf(who))?.failures).toBe(0);
    expectShown(await revealAs(who, app.code()));
    expectRefused(await revealAs(who, app.code()));
  });
});

describe('S28: five failures', () => {
  /** As if the lock had been set a quarter of an hour ago. */
  const waitOut = ({ id }: Caller) =>
    server.rows(
      `UPDATE mfa_devices SET locked_until = locked_until - interval '15 minutes' WHERE account_id = :id`,
      { id: parseId(id)?.uuid },
    );
  async function fail(who: Caller, app: Authenticator, times: number) {
    for (let count = 0; count < times; count++)
      expectRefused(await (count % 2 ? revealAs : removeAs)(who, wrong(app)));
  }

  test('lock the factor for 15 minutes: not even right codes are accepted, in any operation', async () => {
    const { app, ...who } = await makeProven();
    await fail(who, app, 5);
    const [row] = await server.rows(
      `SELECT locked_until BETWEEN now() + interval '14 minutes 30 seconds' AND now() + interval '15 minutes' AS right
       FROM mfa_devices WHERE account_id = :id`,
      { id: parseId(who.id)?.uuid },
    );
    expect(row).toEqual({ right: true });
    for (const code of [app.code(), app.recoveryCodes[0] as string, wrong(app)]) {
      expectLocked(await revealAs(who, code));
      expectLocked(await removeAs(who, code));
    }
    expect(await isEnrolled(who)).toBe(true);

    await waitOut(who);
    expectShown(await revealAs(who, app.code()));
    clock.move(3);
    expectShown(await revealAs(who, app.recoveryCodes[0]));
  });

  test('and five more after that lock it again, no fewer', async () => {
    const { app, ...who } = await makeProven();
    await fail(who, app, 5);
    await waitOut(who);
    await fail(who, app, 4);
    expectShown(await revealAs(who, app.code()));
    await fail(who, app, 5);
    await waitOut(who);
    await fail(who, app, 5);
    expectLocked(await revealAs(who, app.code()));
  });

  test('in a row: a code that is accepted, of either kind, starts the count anew', async () => {
    const { app, ...who } = await makeProven();
    await fail(who, app, 4);
    expectShown(await revealAs(who, app.code()));
    await fail(who, app, 4);
    expectShown(await revealAs(who, app.recoveryCodes[3]));
    await fail(who, app, 4);
    expect((await deviceOf(who))?.failures).toBe(4);
  });

  test('of any kind: wrong, used, too old, unreadable', async () => {
    const { app, ...who } = await makeProven();
    expectShown(await revealAs(who, app.code()));
    for (const code of [app.code(), app.code(-2), '12345', 'AAAA-AAAA-AAAA-AAAA', 'let me in'])
      expectRefused(await revealAs(who, code));
    expectLocked(await revealAs(who, app.code(1)));
  });

  test('lock the factor of the account, whichever of its tokens they came with, and no other', async () => {
    const { app, ...who } = await makeProven();
    const other = await makeProven();
    const second = await makeCredential(server, who.id, { secret: { token: {} } });
    await fail(who, app, 5);
    expectLocked(await removeAs({ ...who, token: String(second.secret) }, app.code()));
    expectShown(await revealAs(other, other.app.code()));
  });

  test('are all that is looked at of twenty wrong codes at once', async () => {
    const { app, ...who } = await makeProven();
    const answers = await at20((index) => (index % 2 ? revealAs : removeAs)(who, wrong(app)));
    const codes = answers.map(({ code }) => code).sort();
    expect(codes).toEqual([...Array<string>(5).fill('FORBIDDEN'), ...Array<string>(15).fill('RATE_LIMITED')]);
    expectLocked(await revealAs(who, app.code()));
  });

  test('lock what is not confirmed yet too, until another is enrolled in its place', async () => {
    const who = await makeRevealer();
    const app = await enrol(server, who.token);
    for (let count = 0; count < 5; count++) expectRefused(await confirmAs(who, wrong(app)));
    expectLocked(await confirmAs(who, app.code()));
    const next = await enrol(server, who.token);
    expectData(await confirmAs(who, next.code()));
  });

  test('are told from a lock, but not from each other, and no answer holds the code', async () => {
    const { app, ...who } = await makeProven();
    const codes = [wrong(app), app.code(-2), 'AAAA-AAAA-AAAA-AAAA', 'let me in'];
    const told: unknown[] = [];
    for (const code of codes) {
      const { text, errors } = await revealAs(who, code);
      told.push(errors.map(({ message, extensions }) => ({ message, code: extensions.code })));
      // What is left of the minute is a number like any other.
      expect(withoutLimits(text)).not.toContain(code);
    }
    for (const one of told) expect(one).toEqual(told[0]);
  });

  test('S60: and tries of a locked one are on record, by operation and code', async () => {
    const { app, ...who } = await makeProven();
    await fail(who, app, 5);
    expectLocked(await revealAs(who, app.code()));
    const told = async () =>
      server.rows<{ action: string; code: string; times: number }>(
        `SELECT action, code, sum(times)::integer AS times FROM audit_events
         WHERE actor_id = :id AND outcome = 'REFUSED' GROUP BY 1, 2 ORDER BY 1, 2`,
        { id: parseId(who.id)?.uuid },
      );
    let rows = await told();
    for (let waited = 0; waited < 5_000 && rows.length < 3; waited += 50) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      rows = await told();
    }
    expect(rows).toEqual([
      { action: 'account:remove-mfa', code: 'FORBIDDEN', times: 3 },
      { action: 'credential:reveal', code: 'FORBIDDEN', times: 2 },
      { action: 'credential:reveal', code: 'RATE_LIMITED', times: 1 },
    ]);
  });
});

describe('a recovery code', () => {
  test('stands in for a code, each once', async () => {
    const { app, ...who } = await makeProven();
    for (const code of app.recoveryCodes) {
      expectShown(await revealAs(who, code));
      expectRefused(await revealAs(who, code));
    }
    expectShown(await revealAs(who, app.code()));
    // Each is on record, on the account itself.
    expect(
      await server.rows(
        `SELECT action, outcome, account_id = actor_id AS own, target_id = actor_id AS target, count(*)::integer AS times
         FROM audit_events WHERE actor_id = :id AND action = 'account:use-recovery-code' GROUP BY 1, 2, 3, 4`,
        { id: parseId(who.id)?.uuid },
      ),
    ).toEqual([
      {
        action: 'account:use-recovery-code',
        outcome: 'DONE',
        own: true,
        target: true,
        times: app.recoveryCodes.length,
      },
    ]);
  });

  test.each<[string, (code: string) => string]>([
    ['in small letters', (code) => code.toLowerCase()],
    ['without hyphens', (code) => code.replaceAll('-', '')],
    ['with blanks', (code) => ` ${code.replaceAll('-', ' ')} `],
  ])('is read %s, and then works no more', async (_, spell) => {
    const { app, ...who } = await makeProven();
    const code = app.recoveryCodes[0] as string;
    expectShown(await revealAs(who, spell(code)));
    expectRefused(await revealAs(who, code));
    expectRefused(await revealAs(who, spell(code)));
  });

  test('is not read from letters that only look alike', async () => {
    const { app, ...who } = await makeProven();
    // Both become S and I when they are put in capitals.
    const code = app.recoveryCodes.find((one) => /[SI]/.test(one)) ?? '';
    expectRefused(await revealAs(who, code.replace('S', 'ſ').replace('I', 'ı')));
  });

  test('works for one of twenty at the same moment', async () => {
    const { app, ...who } = await makeProven();
    const answers = await at20(() => revealAs(who, app.recoveryCodes[5]));
    expect(answers.filter(({ errors }) => errors.length === 0)).toHaveLength(1);
  });

  test('removes the factor of a device that is lost, and is worth nothing for the next', async () => {
    const { app, ...who } = await makeProven();
    expectData(await removeAs(who, app.recoveryCodes[0] as string));
    const next = await enrolAndConfirm(server, who.token);
    expectRefused(await revealAs(who, app.recoveryCodes[1]));
    expectShown(await revealAs(who, next.recoveryCodes[1]));
  });
});

describe('a try', () => {
  const tryOf = ({ id }: Caller) =>
    attempt(
      { db: server.db, principal: { accountId: parseId(id)?.uuid } } as unknown as RequestContext,
      '123456',
      'mfaCode',
    );

  test('is counted before its code is looked at, and can be taken back where it never was', async () => {
    const who = await makeProven();
    const one = await tryOf(who);
    expect(await deviceOf(who)).toMatchObject({ failures: 1, locked: null });
    await one.during(async () => undefined);
    expect(await deviceOf(who)).toMatchObject({ failures: 0, locked: null });
  });

  test('that is taken back takes the lock with it that it had a part in, and no other failure', async () => {
    const who = await makeProven();
    const tries = [];
    for (let count = 0; count < 5; count++) tries.push(await tryOf(who));
    expect(await deviceOf(who)).toMatchObject({ failures: 5, locked: true });
    await expect(tryOf(who)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await tries[1]?.during(async () => undefined);
    expect(await deviceOf(who)).toMatchObject({ failures: 4, locked: null });
    await tryOf(who);
    await expect(tryOf(who)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });

  test('that is taken back after a code was accepted counts for nothing', async () => {
    const { app, ...who } = await makeProven();
    const one = await tryOf(who);
    expectShown(await revealAs(who, app.code()));
    await one.during(async () => undefined);
    expect(await deviceOf(who)).toMatchObject({ failures: 0, locked: null });
  });
});

describe('every verb that shows a secret asks for it', () => {
  /** One who may do all that is asked here, of an account that requires a factor. */
  async function makeMaker() {
    const permissions = ['CREDENTIAL_CREATE', 'CREDENTIAL_ROTATE', 'CREDENTIAL_REVEAL', 'ACCOUNT_MANAGE'];
    const who = await makeCaller(server, permissions, { onAccount: account }, { mfaRequired: true });
    const app = await enrolAndConfirm(server, who.token);
    clock.move(10);
    return { ...who, app };
  }

  const verbs: Record<string, () => Promise<[mutation: string, input: Record<string, unknown>]>> = {
    'createCredential, of a token': () =>
      Promise.resolve(['createCredential', { account, name: unique('token'), secret: { token: {} } }]),
    'createCredential, of an access key': () =>
      Promise.resolve(['createCredential', { account, name: unique('key'), secret: { accessKey: {} } }]),
    rotateCredential: async () => ['rotateCredential', { id: (await makeCredential(server, account)).id }],
    revealCredential: () => Promise.resolve(['revealCredential', { id: kept.id }]),
    issueTemporaryCredential: () => Promise.resolve(['issueTemporaryCredential', { parent: kept.id }]),
  };

  test.each(Object.keys(verbs))('S28: %s', async (name) => {
    const { app, token, ...who } = await makeMaker();
    const made = await verbs[name]?.();
    if (!made) throw new Error('a verb');
    const [mutation, input] = made;
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const document = `mutation ($input: ${type}!) { ${mutation}(input: $input) { issued { secret } } }`;
    const ask = (more: object = {}) => server.ask(document, { input: { ...input, ...more } }, { token });
    const before = await readNode(
      server,
      kept.id,
      '... on Credential { revision versions { number } derived(first: 100) { nodes { id } } }',
    );
    for (const mfaCode of [undefined, null]) {
      const refused = await ask({ mfaCode });
      expect([refused.code, refused.data]).toEqual(['FORBIDDEN', null]);
      expect(refused.errors[0]?.message).toMatch(/mfaCode.*enrol/);
      expect(refused.errors[0]?.extensions.fields).toEqual(missingCode);
    }
    expectRefused(await ask({ mfaCode: wrong(app) }));
    expect(
      await readNode(
        server,
        kept.id,
        '... on Credential { revision versions { number } derived(first: 100) { nodes { id } } }',
      ),
    ).toEqual(before);
    const { issued } = expectData(await ask({ mfaCode: app.code() }))[mutation];
    expect(issued.secret).toMatch(/./);
    expectRefused(await ask({ mfaCode: app.code() }));
    expect(await deviceOf({ token, ...who })).toMatchObject({ failures: 1 });
  });

  test.each(['createCredential', 'rotateCredential'])(
    'S28: a repeated %s has the answer with the code that it had, or with another that is right',
    async (name) => {
      const { app, token, ...who } = await makeMaker();
      const [mutation, input] = (await (verbs[name] ?? verbs['createCredential, of a token'])?.()) ?? [];
      const type = `${String(mutation).charAt(0).toUpperCase()}${String(mutation).slice(1)}Input`;
      const document = `mutation ($input: ${type}!) { ${mutation}(input: $input) { issued { secret } } }`;
      const idempotencyKey = randomUUID();
      const ask = (more: object = {}) =>
        server.ask(document, { input: { ...input, idempotencyKey, ...more } }, { token });
      const first = expectData(await ask({ mfaCode: app.code() }));
      expect(expectData(await ask({ mfaCode: app.code() }))).toEqual(first);
      clock.move(10);
      expect(expectData(await ask({ mfaCode: app.code() }))).toEqual(first);
      expectRefused(await ask({ mfaCode: app.code() }));
      expect((await ask()).code).toBe('FORBIDDEN');
      expect(await deviceOf({ token, ...who })).toMatchObject({ failures: 1 });
    },
  );

  describe('and so does what would let others do so without it', () => {
    test('S28: to require none of another account', async () => {
      const { app, token } = await makeMaker();
      const id = await makeAccount(server, { parent: account, mfaRequired: true });
      const lower = (more: object = {}) =>
        run(server, 'updateAccount', { id, mfaRequired: false, ...more }, { token });
      expect((await lower()).code).toBe('FORBIDDEN');
      expectRefused(await lower({ mfaCode: wrong(app) }));
      expect(await readNode(server, id, '... on Account { mfaRequired }')).toEqual({ mfaRequired: true });
      expectData(await lower({ mfaCode: app.code() }));
      expectData(await lower());
    });

    test('S28: a role', async () => {
      const { app, token, id } = await makeMaker();
      const role = await makeRole(server, ['CREDENTIAL_READ']);
      const all = await makeRole(server, ['ROLE_MANAGE', 'ROLE_READ', 'ROLE_GIVE', 'CREDENTIAL_READ']);
      await grant(server, id, all);
      const input = { account: await makeAccount(server, { parent: account }), role, onAccount: account };
      const ask = (more: object = {}) => run(server, 'grantRole', { ...input, ...more }, { token });
      expect((await ask()).code).toBe('FORBIDDEN');
      expectRefused(await ask({ mfaCode: wrong(app) }));
      expectData(await ask({ mfaCode: app.code() }));
    });

    test.each<[string, string, () => Promise<Record<string, unknown>>]>([
      [
        'a permission, to those who hold a role',
        'updateRole',
        async () => ({
          id: await makeRole(server, [], { account }),
          permissions: ['CREDENTIAL_REVEAL'],
        }),
      ],
      [
        'a credential, to another owner',
        'updateCredential',
        async () => ({
          id: (await makeCredential(server, account)).id,
          owner: await makeAccount(server, { parent: account }),
        }),
      ],
      [
        'a credential, to those of a project',
        'updateCredential',
        async () => ({
          id: (await makeCredential(server, account)).id,
          project: await makeProject(server, account),
        }),
      ],
      [
        'what an account has, to an heir',
        'deleteAccount',
        async () => ({
          id: await makeAccount(server, { parent: account }),
          transferTo: await makeAccount(server, { parent: account }),
        }),
      ],
    ])('S28: %s', async (_, mutation, given) => {
      const { app, token, id } = await makeMaker();
      const more = [
        'CREDENTIAL_READ',
        'CREDENTIAL_UPDATE',
        'CREDENTIAL_REVOKE',
        'PROJECT_READ',
        'ROLE_MANAGE',
      ];
      await grant(server, id, await makeRole(server, more), { onAccount: account });
      const input = await given();
      const ask = (mfaCode?: string) => run(server, mutation, { ...input, mfaCode }, { token });
      expect((await ask()).code).toBe('FORBIDDEN');
      expectRefused(await ask(wrong(app)));
      expectData(await ask(app.code()));
    });

    test('S28: but nothing else of a role or a credential', async () => {
      const { token, id } = await makeMaker();
      const more = ['CREDENTIAL_READ', 'CREDENTIAL_UPDATE', 'ROLE_MANAGE'];
      await grant(server, id, await makeRole(server, more), { onAccount: account });
      const role = await makeRole(server, ['CREDENTIAL_READ'], { account });
      const { id: credential } = await makeCredential(server, account);
      for (const [mutation, input] of [
        ['updateRole', { id: role, permissions: [], description: 'Less' }],
        ['updateCredential', { id: credential, name: 'Renamed' }],
      ] as const)
        expectData(await run(server, mutation, input, { token }));
    });

    test.each(['createAccount', 'updateAccount'])('S28: an identity, by %s', async (mutation) => {
      const { app, token } = await makeMaker();
      const ask = async (more: object = {}) =>
        run(
          server,
          mutation,
          {
            ...(mutation === 'createAccount'
              ? { kind: 'PERSON', name: unique('made'), title: 'Made', parent: account }
              : { id: await makeAccount(server, { parent: account }) }),
            identities: [{ issuer: 'https://id.example.com', subject: unique('subject') }],
            ...more,
          },
          { token },
        );
      expect((await ask()).code).toBe('FORBIDDEN');
      expectRefused(await ask({ mfaCode: wrong(app) }));
      expectData(await ask({ mfaCode: app.code() }));
    });
  });
});

describe('S28: what counts as a failure', () => {
  const issueAs = ({ token }: Caller, input: Record<string, unknown>) => issue(server, input, { token });
  const makeIssuer = async () => {
    const who = await makeCaller(
      server,
      ['CREDENTIAL_CREATE', 'CREDENTIAL_REVEAL'],
      { onAccount: account },
      {
        mfaRequired: true,
      },
    );
    const app = await enrolAndConfirm(server, who.token);
    clock.move(10);
    return { ...who, app };
  };

  test('is a code that was refused, not what else stood in the way of a right one', async () => {
    const { app, ...who } = await makeIssuer();
    const role = await makeRole(server, []);
    for (let count = 0; count < 6; count++) {
      const refused = await issueAs(who, { parent: kept.id, roles: [role], mfaCode: app.code() });
      expect(refused.errors[0]?.message).toMatch(/only roles that its parent has/);
    }
    expect(await deviceOf(who)).toMatchObject({ failures: 0, locked: null });
    expectData(await issueAs(who, { parent: kept.id, mfaCode: app.code() }));
    expectRefused(await issueAs(who, { parent: kept.id, mfaCode: app.code() }));
  });

  test('a repeated request has the answer with the code that it had, or with another that is right', async () => {
    const { app, ...who } = await makeIssuer();
    const input = { parent: kept.id, idempotencyKey: randomUUID() };
    const first = expectData(await issueAs(who, { ...input, mfaCode: app.code() }));
    const again = () => issueAs(who, { ...input, mfaCode: app.code() });
    expect(expectData(await again())).toEqual(first);
    clock.move(10);
    expect(expectData(await again())).toEqual(first);
    expectRefused(await again());
    expectRefused(await issueAs(who, { ...input, mfaCode: 'x' }));
    expect((await issueAs(who, input)).code).toBe('FORBIDDEN');
    expect(await deviceOf(who)).toMatchObject({ failures: 2 });
  });

  test('codes that are tried with a repeated request are counted, and lock', async () => {
    const { app, ...who } = await makeIssuer();
    const input = { parent: kept.id, idempotencyKey: randomUUID() };
    expectData(await issueAs(who, { ...input, mfaCode: app.code() }));
    for (let count = 0; count < 5; count++)
      expectRefused(await issueAs(who, { ...input, mfaCode: wrong(app) }));
    expectLocked(await issueAs(who, { ...input, mfaCode: wrong(app) }));
  });
});

describe('what is secret about it', () => {
  const inBase32 = (uri: string) => new URL(uri).searchParams.get('secret') ?? '';

  test('S41, S42: stands in no table and no line of the log, in no spelling', async () => {
    const { app, ...who } = await makeProven();
    const used = app.code();
    expectShown(await revealAs(who, used));
    expectShown(await revealAs(who, app.recoveryCodes[0]));
    const texts = [
      inBase32(app.uri),
      app.uri,
      app.qrCode,
      ...app.recoveryCodes,
      ...app.recoveryCodes.map((code) => code.replaceAll('-', '')),
    ];
    expect(await placesOf(server, texts)).toEqual([]);

    const bytes = secretBytes(inBase32(app.uri));
    const forms = [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')];
    const { row = '' } = (await deviceOf(who)) ?? {};
    expect(row).toContain('sealed');
    for (const form of forms) expect(row).not.toContain(form);
    // Longer numbers, such as ids, may hold the same digits by chance.
    const told = new RegExp(`${forms.join('|').replaceAll('+', '\\+')}|(?<![\\da-f])${used}(?![\\da-f])`);
    expect(server.logged.filter((line) => told.test(line))).toEqual([]);
  });

  test('S41: is shown in the answer that makes it, which nobody stores, and in no other', async () => {
    const who = await makeRevealer();
    const enrolled = await server.ask(
      'mutation { enrolMfa(input: {}) { otpauthUri } }',
      {},
      { token: who.token },
    );
    expect(enrolled.headers.get('cache-control')).toBe('no-store');
    const again = await server.ask(
      'mutation { enrolMfa(input: {}) { otpauthUri } }',
      {},
      { token: who.token },
    );
    expect(again.text).not.toContain(inBase32(expectData(enrolled).enrolMfa.otpauthUri));
  });

  test('S43: a device that is moved to another account proves nothing there', async () => {
    const [one, other] = [await makeProven(), await makeProven()];
    await server.rows(
      `UPDATE mfa_devices d SET id = o.id, sealed = o.sealed, kek_id = o.kek_id, recovery = o.recovery
       FROM mfa_devices o WHERE d.account_id = :one AND o.account_id = :other`,
      { one: parseId(one.id)?.uuid, other: parseId(other.id)?.uuid },
    );
    const answer = await revealAs(one, other.app.code());
    expect([answer.code, answer.data]).toEqual(['INTERNAL_SERVER_ERROR', null]);
  });

  /** RFC 4648, section 6. */
  function secretBytes(base32: string): Buffer {
    const bits = [...base32]
      .map((character) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(character).toString(2).padStart(5, '0'))
      .join('');
    return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  }
});

test('where the database is lost over a deed and stays away, the try that it cannot take back tells nothing of the deed', async () => {
  const counted = [{ id: randomUUID(), sealed: Buffer.alloc(0), recovery: [] }];
  let asked = 0;
  const rows = () =>
    asked++ === 0 ? Promise.resolve(counted) : Promise.reject(new DatabaseUnavailable('made by a test'));
  const ctx = { db: { rows }, principal: { accountId: randomUUID() } } as unknown as RequestContext;
  const tried = await attempt(ctx, '123456', 'mfaCode');
  const deed = () => Promise.reject(outcomeUnknown('made by a test'));
  await expect(tried.during(deed)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  expect(asked).toBe(2);
});
