import { randomBytes } from 'node:crypto';
import { fileKekProvider } from '../../src/keyring/kek-file.js';
import { Secret } from '../../src/secret.js';
import { sealOften } from '../support/seals.js';

const rounds = 1_000_000;
const kek = fileKekProvider({ current: 'k1', keys: new Map([['k1', Secret.of(randomBytes(32))]]) });
const place = {
  accountId: '018f3c5e-0000-7000-8000-000000000001',
  projectId: null,
  credentialId: '018f3c5e-0000-7000-8000-000000000003',
  version: 1,
  field: 'secret',
};
/** Behind magic, algorithm, length of the id, «k1~» and check. */
const idEnd = 6 + 11;

test('S46: a million seals repeat no nonce under a key, and use no data key twice', async () => {
  const all = { deks: rounds, wrapNonces: rounds, nonces: rounds };
  expect(await sealOften(kek, place, idEnd, rounds)).toEqual(all);
}, 240_000);
