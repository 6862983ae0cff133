import { retireOutlived } from '../../src/credentials/retire.js';
import { expectData, makeAccount, makeCredential, unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { keptOf, read, reveal, rotate, statusWith } from './verbs.js';

let server: SharedServer;
let account: string;
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
});

const kept = {
  passwordHash: null,
  pepper: false,
  verifier: true,
  verifierKey: true,
  sealed: true,
  kek: true,
};
const wiped = { ...kept, verifier: false, verifierKey: false, sealed: false, kek: false };

/** A token with two secrets within the grace period, which has ended where `outlived`. */
async function rotatedToken(outlived: boolean) {
  const name = unique('retired');
  const { id, secret } = await makeCredential(server, account, {
    name,
    secret: { token: {} },
    retrievable: true,
  });
  const next = expectData(await rotate(server, { id, gracePeriod: 'PT1H' })).rotateCredential.issued.secret;
  if (outlived) {
    await server.rows(
      `UPDATE credential_versions v SET valid_until = now() - interval '1 minute' FROM credentials c
       WHERE c.id = v.credential_id AND c.name = :name AND v.state = 'PREVIOUS'`,
      { name },
    );
  }
  return { id, name, previous: String(secret), next: String(next) };
}

test('S19: wipes the secrets whose grace period is over, and changes no answer by it', async () => {
  const { id, name, previous, next } = await rotatedToken(true);
  const before = await read(server, id);
  expect(before).toMatchObject({
    versions: [{ state: 'CURRENT' }, { state: 'RETIRED' }],
    rotation: { state: 'FINISHED', safeToRetire: true },
  });
  expect(await keptOf(server, name)).toEqual([
    { number: 2, state: 'CURRENT', ...kept },
    { number: 1, state: 'PREVIOUS', ...kept },
  ]);
  expect(await statusWith(server, previous)).toBe(401);

  expect(await retireOutlived(server.db)).toBe(1);
  expect(await keptOf(server, name)).toEqual([
    { number: 2, state: 'CURRENT', ...kept },
    { number: 1, state: 'RETIRED', ...wiped },
  ]);
  expect(await read(server, id)).toEqual(before);
  expect(await statusWith(server, next)).toBe(200);
  expect(expectData(await reveal(server, { id })).revealCredential).toMatchObject({
    issued: { secret: next },
    other: null,
  });
});

test('leaves alone what still works', async () => {
  const { id, name, previous, next } = await rotatedToken(false);
  expect(await retireOutlived(server.db)).toBe(0);
  expect(await keptOf(server, name)).toEqual([
    { number: 2, state: 'CURRENT', ...kept },
    { number: 1, state: 'PREVIOUS', ...kept },
  ]);
  for (const token of [previous, next]) expect(await statusWith(server, token)).toBe(200);
  expect((await read(server, id)).rotation.state).toBe('SWITCHED');
});

test('R6: a rotation after it goes on as if the clock alone had ended the one before', async () => {
  for (const tidied of [true, false]) {
    const { id, next } = await rotatedToken(true);
    if (tidied) await retireOutlived(server.db);
    const { credential, issued } = expectData(
      await rotate(server, { id, gracePeriod: 'PT1H' }),
    ).rotateCredential;
    expect(credential.versions.map(({ state }: { state: string }) => state)).toEqual([
      'CURRENT',
      'PREVIOUS',
      'RETIRED',
    ]);
    for (const token of [next, issued.secret]) expect(await statusWith(server, token)).toBe(200);
  }
});
