/**
 * @slow 20 s
 * @embedded the cost of hashing
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { jest } from '@jest/globals';
import { expectData, makeAccount, makeCaller, makeCredential, unique } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { verifierAt, type Verifier } from '../../support/verify.js';
import { rotate } from '../verbs.js';

let server: TestServer;
let account: string;
let route: Verifier;
// A hash is made nowhere but in the threads for it: each goes there as one message.
// eslint-disable-next-line @typescript-eslint/unbound-method -- called on the thread that it was taken from
const post = Worker.prototype.postMessage;
const sent = jest.spyOn(Worker.prototype, 'postMessage');

beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
  route = verifierAt(server.url, server.adminToken);
});
afterAll(async () => {
  await server.stop();
  route.close();
  sent.mockRestore();
});

const right = 'correct horse battery';
const wrong = 'wrong horse battery';

interface User {
  id: string;
  username: string;
}

async function makeUser(username = unique('user')): Promise<User> {
  const { id } = await makeCredential(server, account, {
    name: username,
    secret: { password: { username, password: right } },
  });
  return { id, username };
}

const presented = (accessKey: string, secret: string) => ({ accessKey, proof: { secret } });
const byRoute = (accessKey: string, secret: string) => route.code(presented(accessKey, secret));

async function byGraph(accessKey: string, secret: string, token?: string): Promise<string> {
  const answer = await server.ask(
    'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code } }',
    { input: presented(accessKey, secret) },
    token === undefined ? {} : { token },
  );
  return expectData(answer).verifyCredential.code;
}

const tried = (inputs: readonly object[]) =>
  server.ask(
    'mutation ($inputs: [VerifyCredentialInput!]!) { verifyCredentials(inputs: $inputs) { code } }',
    {
      inputs,
    },
  );

async function byBatch(inputs: readonly object[]): Promise<string[]> {
  return expectData(await tried(inputs)).verifyCredentials.map(({ code }: { code: string }) => code);
}

/** What comes of the work, and how many hashes were made for it. */
async function counted<Result>(work: () => Promise<Result>): Promise<{ result: Result; hashes: number }> {
  const before = sent.mock.calls.length;
  const result = await work();
  return { result, hashes: sent.mock.calls.length - before };
}

async function inTurn(times: number, work: () => Promise<string>): Promise<string[]> {
  const codes: string[] = [];
  for (let done = 0; done < times; done++) codes.push(await work());
  return codes;
}

/** How often each code is among these. */
const tally = (codes: readonly string[]): Record<string, number> =>
  Object.fromEntries([...new Set(codes)].map((code) => [code, codes.filter((one) => one === code).length]));

const repeated = (times: number, ...codes: string[]) => Array.from({ length: times }, () => codes).flat();

const fullWidth = (text: string) =>
  text.replace(/[!-~]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0));

/** One user name as people and programs write it. The Kelvin sign and the long s are letters of their own. */
const spellings = (username: string): string[] => [
  username,
  username.toUpperCase(),
  username.charAt(0).toUpperCase() + username.slice(1),
  fullWidth(username),
  fullWidth(username.toUpperCase()),
  username.replaceAll('s', '\u017f'),
  username.toUpperCase().replaceAll('K', '\u212a'),
];

/** Moves the latest tries back in time, as if so much of it had passed. */
const pass = (minutes: number) =>
  server.rows(
    `UPDATE password_attempts SET at = ARRAY(SELECT t - make_interval(mins => CAST(:minutes AS integer)) FROM unnest(at) AS t),
       expires_at = expires_at - make_interval(mins => CAST(:minutes AS integer))`,
    { minutes },
  );

describe('S26: of wrong passwords for one user name', () => {
  test('five are looked at, however many come at once, in what spelling, and by which door', async () => {
    const { username } = await makeUser(`${unique('Kassandra')}.Sky`);
    const names = spellings(username.toLowerCase());
    const name = (index: number) => names[index % names.length] ?? username;
    const { result, hashes } = await counted(async () => {
      const answers = await Promise.all([
        ...Array.from({ length: 14 }, async (_, index) => [await byRoute(name(index), wrong)]),
        ...Array.from({ length: 13 }, async (_, index) => [await byGraph(name(index), wrong)]),
        byBatch(Array.from({ length: 7 }, (_, index) => presented(name(index), wrong))),
        byBatch(
          Array.from({ length: 6 }, (_, index) => ({
            ...presented(name(index), wrong),
            ip: `192.0.2.${index}`,
          })),
        ),
      ]);
      return answers.flat();
    });
    expect(result).toHaveLength(40);
    expect(tally(result)).toEqual({ NOT_VALID: 5, RATE_LIMITED: 35 });
    expect(hashes).toBe(5);
  });

  test('none is looked at after five, nor is the right one, in any spelling, until 15 minutes have passed', async () => {
    const { username } = await makeUser();
    expect(await inTurn(5, () => byRoute(username, wrong))).toEqual(repeated(5, 'NOT_VALID'));
    const { result, hashes } = await counted(() =>
      Promise.all(
        [right, wrong].flatMap((secret) => spellings(username).map((name) => byRoute(name, secret))),
      ),
    );
    expect(tally(result)).toEqual({ RATE_LIMITED: 14 });
    expect(hashes).toBe(0);
    await pass(14);
    expect(await byRoute(username, right)).toBe('RATE_LIMITED');
    await pass(1);
    expect(await byRoute(username, right)).toBe('VALID');
  });

  test('each counts for 15 minutes of its own', async () => {
    const { username } = await makeUser();
    await inTurn(2, () => byRoute(username, wrong));
    await pass(10);
    await inTurn(3, () => byRoute(username, wrong));
    expect(await byRoute(username, right)).toBe('RATE_LIMITED');
    await pass(5);
    expect(await inTurn(3, () => byRoute(username, wrong))).toEqual([
      'NOT_VALID',
      'NOT_VALID',
      'RATE_LIMITED',
    ]);
  });

  test('that are turned away, none makes the wait longer', async () => {
    const { username } = await makeUser();
    await inTurn(5, () => byRoute(username, wrong));
    await pass(14);
    await inTurn(5, () => byRoute(username, wrong));
    await pass(1);
    expect(await byRoute(username, right)).toBe('VALID');
  });

  test('five are looked at in a batch of a hundred', async () => {
    const { username } = await makeUser();
    const { result, hashes } = await counted(() =>
      byBatch(Array.from({ length: 100 }, () => presented(username, wrong))),
    );
    expect(result).toEqual([...repeated(5, 'NOT_VALID'), ...repeated(95, 'RATE_LIMITED')]);
    expect(hashes).toBe(5);
  });

  test('each is counted before it is looked at', async () => {
    const { username } = await makeUser();
    // Nothing is hashed while the counting fails.
    await server.rows('ALTER TABLE password_attempts RENAME TO password_attempts_away');
    const { result, hashes } = await counted(() => byRoute(username, right));
    await server.rows('ALTER TABLE password_attempts_away RENAME TO password_attempts');
    expect([result, hashes]).toEqual(['INTERNAL_SERVER_ERROR', 0]);
    expect(await byRoute(username, right)).toBe('VALID');
  });

  test('those of one name take no tries of another', async () => {
    const [one, other] = [await makeUser(), await makeUser()];
    await inTurn(6, () => byRoute(one.username, wrong));
    expect(await byRoute(other.username, right)).toBe('VALID');
  });
});

describe('S26: a right password', () => {
  test('takes no try away', async () => {
    const { username } = await makeUser();
    expect(await inTurn(10, () => byRoute(username, right))).toEqual(repeated(10, 'VALID'));
    expect(await inTurn(4, () => byRoute(username, wrong))).toEqual(repeated(4, 'NOT_VALID'));
    expect(await inTurn(10, () => byGraph(username, right))).toEqual(repeated(10, 'VALID'));
    expect(await inTurn(2, () => byRoute(username, wrong))).toEqual(['NOT_VALID', 'RATE_LIMITED']);
  });

  test('takes none away in a list, however often it is there', async () => {
    const { username } = await makeUser();
    const batch = (...secrets: string[]) =>
      counted(() => byBatch(secrets.map((secret) => presented(username, secret))));
    const all = await batch(...repeated(8, right));
    expect(all.result).toEqual(repeated(8, 'VALID'));
    expect(all.hashes).toBeLessThanOrEqual(5);
    expect((await batch(wrong, ...repeated(98, right))).result).toEqual([
      'NOT_VALID',
      ...repeated(98, 'VALID'),
    ]);
    expect(await inTurn(3, () => byRoute(username, wrong))).toEqual(repeated(3, 'NOT_VALID'));
    expect((await batch(right, wrong)).result).toEqual(['VALID', 'RATE_LIMITED']);
    expect((await batch(wrong, right)).result).toEqual(['NOT_VALID', 'RATE_LIMITED']);
    expect((await batch(right, right)).result).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
  });

  test('is none for another name of the list', async () => {
    const [one, other] = [await makeUser(), await makeUser()];
    await inTurn(5, () => byRoute(other.username, wrong));
    const names = [one.username, other.username];
    expect(await byBatch(names.map((name) => presented(name, right)))).toEqual(['VALID', 'RATE_LIMITED']);
  });

  test('wins no tries: whoever guesses between the owner’s own requests has five', async () => {
    const { username } = await makeUser();
    const guesses: string[] = [];
    for (let guess = 0; guess < 5; guess++) {
      expect(await byRoute(username, right)).toBe('VALID');
      guesses.push(await byRoute(username, wrong));
    }
    expect(guesses).toEqual(repeated(5, 'NOT_VALID'));
    expect(await byRoute(username, wrong)).toBe('RATE_LIMITED');
  });
});

test('R22: S26: passwords that nobody has time to look at are UNAVAILABLE, and cost no try', async () => {
  const { username } = await makeUser();
  const held: (() => void)[] = [];
  // What is looked at in the end is quick, on any machine: nobody has these names.
  const quick = ([message, transfer]: Parameters<typeof post>) =>
    [{ ...message, parameters: { ...message.parameters, memoryCost: 8 } }, transfer] as Parameters<
      typeof post
    >;
  sent.mockImplementation(function (this: Worker, ...message) {
    held.push(() => post.apply(this, quick(message)));
  });
  const triedNames = async () => (await server.rows('SELECT 1 FROM password_attempts')).length;
  const before = await triedNames();
  const batches = Promise.all(
    [1, 2, 3].map(() => tried(Array.from({ length: 100 }, () => presented(unique('nobody'), wrong)))),
  );
  while ((await triedNames()) < before + 300) await sleep(10);
  await sleep(200);
  expect(await inTurn(6, () => byRoute(username, right))).toEqual(repeated(6, 'UNAVAILABLE'));
  sent.mockImplementation(function (this: Worker, ...message) {
    post.apply(this, quick(message));
  });
  for (const release of held) release();
  const answers = await batches;
  sent.mockImplementation(post);
  expect(answers.map(({ code }) => code).sort()).toEqual(['UNAVAILABLE', undefined, undefined]);
  expect(await inTurn(6, () => byRoute(username, wrong))).toEqual([
    ...repeated(5, 'NOT_VALID'),
    'RATE_LIMITED',
  ]);
});

describe('S26: while a previous password works', () => {
  const next = 'another horse battery';
  const makeRotated = async () => {
    const user = await makeUser();
    expectData(
      await rotate(server, {
        id: user.id,
        gracePeriod: 'PT1H',
        secret: { password: { username: user.username, password: next } },
      }),
    );
    return user;
  };

  test('a wrong one is compared with both, and counts as two', async () => {
    const { username } = await makeRotated();
    const { result, hashes } = await counted(() => inTurn(4, () => byRoute(username, wrong)));
    expect(result).toEqual(['NOT_VALID', 'NOT_VALID', 'RATE_LIMITED', 'RATE_LIMITED']);
    expect(hashes).toBeLessThanOrEqual(5);
  });

  test('forty at once make five hashes at most', async () => {
    const { username } = await makeRotated();
    const { result, hashes } = await counted(() =>
      Promise.all(Array.from({ length: 40 }, () => byRoute(username, wrong))),
    );
    expect(tally(result)).toEqual({ NOT_VALID: 2, RATE_LIMITED: 38 });
    expect(hashes).toBeLessThanOrEqual(5);
  });

  test('neither of the two takes a try away', async () => {
    const { username } = await makeRotated();
    const list = [...repeated(8, right), ...repeated(8, next)].map((secret) => presented(username, secret));
    expect(tally(await byBatch(list.slice(8)))).toEqual({ VALID: 8 });
    expect(tally(await byBatch(list.slice(0, 8)))).toEqual({ VALID_PREVIOUS_SECRET: 8 });
    expect(await inTurn(6, () => byRoute(username, right))).toEqual(repeated(6, 'VALID_PREVIOUS_SECRET'));
    expect(await inTurn(6, () => byRoute(username, next))).toEqual(repeated(6, 'VALID'));
    expect(await byRoute(username, wrong)).toBe('NOT_VALID');
    expect(await byRoute(username, right)).toBe('VALID_PREVIOUS_SECRET');
  });

  test('nobody is told that it is wrong, of whom it was compared with one alone', async () => {
    const { username } = await makeRotated();
    await inTurn(2, () => byRoute(username, wrong));
    expect(await byRoute(username, right)).toBe('RATE_LIMITED');
  });
});

describe('S24: S26: a user name that nobody has', () => {
  test('is limited as one that somebody has', async () => {
    const username = unique('nobody');
    const names = spellings(username);
    const { result, hashes } = await counted(() =>
      Promise.all(
        Array.from({ length: 40 }, (_, index) => byRoute(names[index % names.length] ?? '', wrong)),
      ),
    );
    expect(tally(result)).toEqual({ NOT_VALID: 5, RATE_LIMITED: 35 });
    expect(hashes).toBe(5);
    await pass(15);
    expect(await byRoute(username, wrong)).toBe('NOT_VALID');
  });

  test('has a hash made for it, as one has whose secret is gone', async () => {
    const { username } = await makeUser();
    await server.rows(
      `UPDATE credential_versions v SET password_hash = NULL, pepper_id = NULL FROM credentials c
       WHERE c.id = v.credential_id AND c.access_key = :username`,
      { username },
    );
    for (const name of [username, unique('nobody')])
      expect(await counted(() => byRoute(name, wrong))).toEqual({ result: 'NOT_VALID', hashes: 1 });
  });
});

describe('S26: S30: a caller who may not see the credential', () => {
  test('has five tries at the name as at one that nobody has, and takes none from its owner', async () => {
    const { username } = await makeUser();
    const elsewhere = await makeAccount(server);
    const { token } = await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: elsewhere });
    const { result, hashes } = await counted(() => inTurn(7, () => byGraph(username, right, token)));
    expect(result).toEqual([...repeated(5, 'NOT_VALID'), ...repeated(2, 'RATE_LIMITED')]);
    expect(hashes).toBe(5);
    expect(await inTurn(4, () => byRoute(username, wrong))).toEqual(repeated(4, 'NOT_VALID'));
    expect(await byRoute(username, right)).toBe('VALID');
  });

  test('has them apart from the callers of other accounts', async () => {
    const username = unique('nobody');
    const tokens = await Promise.all(
      [1, 2].map(async () => {
        const onAccount = await makeAccount(server);
        return (await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount })).token;
      }),
    );
    const [one, other] = tokens;
    await inTurn(6, () => byGraph(username, wrong, one));
    expect(await byGraph(username, wrong, other)).toBe('NOT_VALID');
  });
});

describe('S27: verification', () => {
  test('knows a user name in all its spellings', async () => {
    const { username } = await makeUser(`${unique('Kassandra')}.Sky`);
    for (const name of spellings(username.toLowerCase()))
      expect([name, await byRoute(name, right)]).toEqual([name, 'VALID']);
  });

  test('takes nothing else for it, and hashes nothing for what is no user name', async () => {
    const { username } = await makeUser();
    const others = [
      ` ${username}`,
      `${username} `,
      username.replace('-', ' '),
      `${username}\u200b`,
      username.replace('e', '\u0435'),
      username.replace('e', 'e\u0301'),
    ];
    for (const name of others) {
      expect([name, await counted(() => byRoute(name, right))]).toEqual([
        name,
        { result: 'NOT_VALID', hashes: 0 },
      ]);
    }
  });

  test('S25: hashes nothing for what reads like a generated key, whoever has such a name', async () => {
    const { username } = await makeUser(`${unique('u')}-secretariesgeneral`);
    await server.rows('UPDATE credentials SET access_key = :hex WHERE access_key = :username', {
      hex: '0123456789abcdef0123456789abcdef',
      username,
    });
    const made = await makeCredential(server, account);
    for (const key of [
      'KWABCDEFGHIJKLMNOPQ2',
      'KW-ABCDEFGHIJKLMNOPQRS7',
      '0123456789abcdef0123456789abcdee',
      '0123456789abcdef0123456789abcdef',
      made.accessKey ?? '',
    ])
      expect([key, await counted(() => byRoute(key, wrong))]).toEqual([
        key,
        { result: 'NOT_VALID', hashes: 0 },
      ]);
  });

  test('S25: hashes for each text that can be a user name, whether somebody has it', async () => {
    for (const name of [
      `svc.${'0123456789abcdef'.repeat(2)}`,
      `${unique('u')}@${'0123456789abcdef'.repeat(2)}`,
      'THESECRETARIESGENERAL',
      'Thesecretariesgeneral-2',
    ]) {
      expect(await counted(() => byRoute(name, wrong))).toEqual({ result: 'NOT_VALID', hashes: 1 });
      await makeUser(name);
      expect(await counted(() => byRoute(name, wrong))).toEqual({ result: 'NOT_VALID', hashes: 1 });
      for (const spelling of [name, name.toUpperCase()]) expect(await byRoute(spelling, right)).toBe('VALID');
    }
  });
});
