import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { hashRaw } from '@node-rs/argon2';
import { openHashing, type Argon2id, type Hashing } from '../../src/keyring/hashing.js';

const input = Buffer.from('0123456789abcdef0123456789abcdef');
const parameters: Argon2id = {
  memoryCost: 19456,
  timeCost: 2,
  parallelism: 1,
  outputLen: 32,
  salt: Buffer.alloc(16, 7),
};

let hashing: Hashing;
beforeEach(() => (hashing = openHashing()));
afterEach(() => hashing.close());

test('makes the hash that the package makes, and leaves the input as it was', async () => {
  const given = Buffer.from(input);
  for (const asked of [parameters, { ...parameters, memoryCost: 8192, timeCost: 3, parallelism: 2 }]) {
    expect(await hashing.argon2id([], given, asked)).toEqual(
      await hashRaw(input, { ...asked, algorithm: 2 }),
    );
  }
  expect(given).toEqual(input);
});

test('answers each of many at once with its own', async () => {
  const salts = Array.from({ length: 20 }, (_, index) => Buffer.alloc(16, index));
  const cheap = { ...parameters, memoryCost: 1024, timeCost: 1 };
  const digests = await Promise.all(salts.map((salt) => hashing.argon2id([], input, { ...cheap, salt })));
  for (const [index, salt] of salts.entries())
    expect(digests[index]).toEqual(await hashRaw(input, { ...cheap, salt, algorithm: 2 }));
});

test('R18: R19: a thread that dies leaves nobody waiting, and the next hash has another', async () => {
  const impossible = { ...parameters, memoryCost: 1 };
  const answers = await Promise.allSettled([
    hashing.argon2id([], input, impossible),
    hashing.argon2id([], input, parameters),
    hashing.argon2id([], input, impossible),
    hashing.argon2id([], input, parameters),
  ]);
  expect(answers).toMatchObject([
    { status: 'rejected', reason: { code: 'UNAVAILABLE' } },
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'UNAVAILABLE' } },
    { status: 'fulfilled' },
  ]);
});

test('R19: what waits at the end is turned away, and so is what comes after it', async () => {
  const under = Promise.allSettled([
    hashing.argon2id([], input, parameters),
    hashing.argon2id([], input, parameters),
  ]);
  await new Promise(setImmediate);
  await hashing.close();
  const turnedAway = { status: 'rejected', reason: { code: 'UNAVAILABLE' } };
  expect((await under).at(-1)).toMatchObject(turnedAway);
  await expect(hashing.argon2id([], input, parameters)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('R23: the rest of the process goes first', async () => {
  const before = getPriority();
  await hashing.argon2id([], input, parameters);
  expect(getPriority()).toBe(before);
  // Elsewhere a thread has no priority of its own.
  if (process.platform === 'linux') expect(priorities()).toContain(Math.min(before + 10, 19));
});

test('what comes later is made by the threads that are there', async () => {
  const cheap = { ...parameters, memoryCost: 1024, timeCost: 1 };
  const low = Math.min(getPriority() + 10, 19);
  const threads = () => priorities().filter((priority) => priority === low).length;
  // Another file of this process may have left some.
  const before = process.platform === 'linux' ? threads() : 0;
  // How many there may be depends on the machine, and is four at most.
  for (let round = 0; round < 12; round++) await hashing.argon2id([], input, cheap);
  if (process.platform === 'linux') expect(threads() - before).toBeLessThanOrEqual(4);
});

/** The nice value of each thread of this process (proc_pid_stat(5), field 19). */
const priorities = () =>
  readdirSync('/proc/self/task').map((thread) => {
    const fields = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
    return Number(fields?.[16]);
  });
