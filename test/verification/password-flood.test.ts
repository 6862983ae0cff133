import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAccount, makeCredential } from '../support/make.js';
import { readyPlace, spawnKeyway, urlOf, type Spawned } from '../support/process.js';
import { doorTo } from '../support/server.js';
import { verifierAt, type Verifier } from '../support/verify.js';

// The server has a process of its own: these callers must not share its event loop.
const roundMs = 4_000;
const keyCallers = 4;
const passwordCallers = 16;

let place: Awaited<ReturnType<typeof readyPlace>>;
let keyway: Spawned;
let verifier: Verifier;
let keys: object[];
let passwords: object[];

beforeAll(async () => {
  place = await readyPlace();
  keyway = spawnKeyway(['serve'], place.environment);
  const url = await urlOf(keyway);
  const token = readFileSync(join(place.folder, 'admin-token'), 'utf8').trim();
  verifier = verifierAt(url, token);
  const door = doorTo(url, token);
  const account = await makeAccount(door);
  keys = [];
  for (let made = 0; made < 20; made++) {
    const { accessKey, secret } = await makeCredential(door, account);
    keys.push({ accessKey, proof: { secret } });
  }
  // Each caller has names of its own, and knows their passwords: nobody is turned away for tries.
  passwords = [];
  for (let made = 0; made < passwordCallers; made++) {
    const password = { username: `caller-${made}`, password: `correct horse ${made}` };
    await makeCredential(door, account, { secret: { password } });
    passwords.push({ accessKey: password.username, proof: { secret: password.password } });
  }
});

afterAll(async () => {
  verifier.close();
  keyway.child.kill();
  await keyway.ended;
  await place.drop();
});

test('R23: a flood of passwords leaves keys within 2 times the p99 that they have by themselves', async () => {
  // Once, for compilers and caches, and for the threads to begin.
  await Promise.all([verifyKeys(roundMs / 4), verifyPasswords(roundMs / 4)]);
  const ratios: number[] = [];
  // Somebody else may be busy on the same machine, in one of the two halves.
  for (let attempt = 0; attempt < 3 && Math.min(...ratios) > 2; attempt++) {
    const alone = await verifyKeys(roundMs);
    const [beside, flood] = await Promise.all([verifyKeys(roundMs), verifyPasswords(roundMs)]);
    expect(flood.length).toBeGreaterThanOrEqual(passwordCallers);
    ratios.push(p99(beside) / p99(alone));
  }
  expect(Math.min(...ratios)).toBeLessThanOrEqual(2);
});

const verifyKeys = (forMs: number) => keepAsking(keyCallers, keys, forMs);
const verifyPasswords = (forMs: number) => keepAsking(passwordCallers, passwords, forMs);

/** So many callers ask again and again for so long; how long each answer took. */
async function keepAsking(callers: number, inputs: readonly object[], forMs: number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + forMs;
  const caller = async (first: number) => {
    for (let next = first; performance.now() < until; next += callers) {
      const from = performance.now();
      const code = await verifier.code(inputs[next % inputs.length] ?? {});
      times.push(performance.now() - from);
      expect(code).toBe('VALID');
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, index) => caller(index)));
  return times;
}

const p99 = (times: number[]): number =>
  [...times].sort((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? Infinity;
