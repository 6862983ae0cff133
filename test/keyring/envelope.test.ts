import { randomBytes } from 'node:crypto';
import { KeywayError, unavailable } from '../../src/errors.js';
import {
  openRecord,
  rewrapRecord,
  sealRecord,
  type KekProvider,
  type RecordPlace,
} from '../../src/keyring/envelope.js';
import { fileKekProvider } from '../../src/keyring/kek-file.js';
import { Secret } from '../../src/secret.js';
import { sealOften } from '../support/seals.js';

const key = (): Secret => Secret.of(randomBytes(32));
const old = key();
const kek = fileKekProvider({ current: 'k1', keys: new Map([['k1', old]]) });
const both = fileKekProvider({ current: 'k2', keys: new Map([['k1', old], ['k2', key()]]) }); // prettier-ignore

const place: RecordPlace = {
  accountId: '018f3c5e-0000-7000-8000-000000000001',
  projectId: '018f3c5e-0000-7000-8000-000000000002',
  credentialId: '018f3c5e-0000-7000-8000-000000000003',
  version: 1,
  field: 'secret',
};

const others: [string, RecordPlace][] = [
  ['account', { ...place, accountId: '018f3c5e-0000-7000-8000-00000000000f' }],
  ['project', { ...place, projectId: '018f3c5e-0000-7000-8000-00000000000f' }],
  ['no project', { ...place, projectId: null }],
  ['an empty project', { ...place, projectId: '' }],
  ['credential', { ...place, credentialId: '018f3c5e-0000-7000-8000-00000000000f' }],
  ['version', { ...place, version: 2 }],
  ['field', { ...place, field: 'secre' }],
  ['destination', { ...place, destination: 'https://other.example' }],
];

// magic, algorithm, id length, «k1~» and check; then the parts of fixed size.
const idEnd = 6 + 11;
const parts: [string, number, number][] = [
  ['wrap nonce', idEnd, idEnd + 12],
  ['wrapped DEK', idEnd + 12, idEnd + 44],
  ['wrap tag', idEnd + 44, idEnd + 60],
  ['whole wrap', idEnd, idEnd + 60],
  ['commitment', idEnd + 60, idEnd + 92],
  ['nonce', idEnd + 92, idEnd + 104],
  ['ciphertext', idEnd + 104, -16],
  ['tag', -16, Infinity],
  ['ciphertext and tag', idEnd + 104, Infinity],
  ['whole content', idEnd + 60, Infinity],
];

/** The whole answer to a failure, cause included, so that two failures can be compared. */
async function failure(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => new Error('it opened'),
    (fault: unknown) => fault,
  );
  if (!(error instanceof KeywayError)) return error;
  return { code: error.code, message: error.message, fields: error.fields, cause: String(error.cause) };
}

const damaged = {
  code: 'INTERNAL_SERVER_ERROR',
  message: new KeywayError('INTERNAL_SERVER_ERROR').message,
  fields: [],
  cause: 'Error: a sealed record does not open',
};

test.each([
  ['text', Buffer.from('s3cret')],
  ['nothing', Buffer.alloc(0)],
  ['100 kB', randomBytes(100_000)],
])('what was sealed opens in its place: %s', async (_, plain) => {
  const { sealed, kekId } = await sealRecord(kek, plain, place);
  expect(kekId).toBe('k1');
  expect(sealed.subarray(0, 9).toString('latin1')).toBe('KWY1\x01\x0bk1~');
  expect(sealed).toHaveLength(idEnd + 120 + plain.length);
  expect(await openRecord(kek, sealed, place)).toEqual(plain);
  if (plain.length > 0) expect(sealed.includes(plain)).toBe(false);
});

test('a record without a project opens as such', async () => {
  const { sealed } = await sealRecord(kek, Buffer.from('s3cret'), { ...place, projectId: null });
  expect((await openRecord(kek, sealed, { ...place, projectId: null })).toString()).toBe('s3cret');
  expect(await failure(openRecord(kek, sealed, { ...place, projectId: '' }))).toEqual(damaged);
});

test('characters that move from one part of the place to the next make another place', async () => {
  const one = { ...place, accountId: 'ab', projectId: 'c' };
  const { sealed } = await sealRecord(kek, Buffer.from('s3cret'), one);
  for (const near of [
    { ...one, accountId: 'a', projectId: 'bc' },
    { ...one, accountId: 'abc', projectId: '' },
    { ...one, accountId: 'abc', projectId: null },
  ]) {
    expect(await failure(openRecord(kek, sealed, near))).toEqual(damaged);
  }
});

test.each(others)('S43: a record of another %s does not open here', async (_, other) => {
  const { sealed } = await sealRecord(kek, Buffer.from('s3cret'), other);
  expect((await openRecord(kek, sealed, other)).toString()).toBe('s3cret');
  expect(await failure(openRecord(kek, sealed, place))).toEqual(damaged);
  expect(await failure(rewrapRecord(both, sealed, place))).toEqual(damaged);
});

describe('for a destination', () => {
  const here = { ...place, destination: 'https://one.example https://two.example' };

  test('S43: a record opens for that one alone', async () => {
    const { sealed } = await sealRecord(kek, Buffer.from('s3cret'), here);
    expect(sealed[4]).toBe(2);
    expect((await openRecord(kek, sealed, here)).toString()).toBe('s3cret');
    for (const destination of [
      'https://one.example',
      'https://two.example https://one.example',
      '',
      undefined,
    ])
      expect(await failure(openRecord(kek, sealed, { ...place, destination }))).toEqual(damaged);
  });

  test('S43: it cannot be made one of before there were any', async () => {
    const { sealed } = await sealRecord(kek, Buffer.from('s3cret'), here);
    const older = Buffer.from(sealed);
    older[4] = 1;
    for (const where of [place, here]) expect(await failure(openRecord(kek, older, where))).toEqual(damaged);
  });

  test('one of before opens for each, and stays bound as it was under another key', async () => {
    const { sealed } = await sealRecord(kek, Buffer.from('s3cret'), place);
    expect((await openRecord(kek, sealed, here)).toString()).toBe('s3cret');
    const again = await rewrapRecord(both, sealed, here);
    expect((await openRecord(both, again.sealed, place)).toString()).toBe('s3cret');
  });

  test('under another key it is for the same one', async () => {
    const { sealed } = await sealRecord(kek, Buffer.from('s3cret'), here);
    const again = await rewrapRecord(both, sealed, here);
    expect(again.kekId).toBe('k2');
    expect((await openRecord(both, again.sealed, here)).toString()).toBe('s3cret');
    expect(await failure(openRecord(both, again.sealed, place))).toEqual(damaged);
  });
});

test.each(parts)(
  'S43: the %s of another row, version, field, project or account fits nowhere',
  async (_, from, to) => {
    const { sealed: mine } = await sealRecord(kek, Buffer.from('my secret'), place);
    for (const [, other] of [...others, ['the same place', place] as const]) {
      const { sealed: theirs } = await sealRecord(kek, Buffer.from('a secret!'), other);
      const mixed = Buffer.from(mine);
      theirs.copy(mixed, from < 0 ? mixed.length + from : from, ...range(theirs.length, from, to));
      expect(mixed.equals(mine)).toBe(false);
      expect(await failure(openRecord(kek, mixed, place))).toEqual(damaged);
      expect(await failure(openRecord(kek, mixed, other))).toEqual(damaged);
    }
  },
);

const range = (length: number, from: number, to: number): [number, number] => [
  from < 0 ? length + from : from,
  to < 0 ? length + to : Math.min(to, length),
];

test('S44: changing any one bit fails to open, always with the same answer', async () => {
  const { sealed } = await sealRecord(kek, Buffer.from('s3cret'), place);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect([bit, await failure(openRecord(kek, changed, place))]).toEqual([bit, damaged]);
    if (bit < (idEnd + 92) * 8) expect(await failure(rewrapRecord(both, changed, place))).toEqual(damaged);
  }
});

test('S44: cutting at any length, or adding any byte at either end, fails with the same answer', async () => {
  const { sealed } = await sealRecord(kek, Buffer.from('s3cret'), place);
  for (let length = 0; length < sealed.length; length++) {
    expect(await failure(openRecord(kek, sealed.subarray(0, length), place))).toEqual(damaged);
    expect(await failure(openRecord(kek, sealed.subarray(sealed.length - length), place))).toEqual(damaged);
  }
  for (let byte = 0; byte < 256; byte++) {
    expect(await failure(openRecord(kek, Buffer.concat([sealed, Buffer.of(byte)]), place))).toEqual(damaged);
    expect(await failure(openRecord(kek, Buffer.concat([Buffer.of(byte), sealed]), place))).toEqual(damaged);
  }
});

test('S44: a data key that does not fit the commitment opens nothing, though it is wrapped for this place', async () => {
  const { sealed: mine } = await sealRecord(kek, Buffer.from('s3cret'), place);
  const { sealed: theirs } = await sealRecord(kek, Buffer.from('s3cret'), place);
  theirs.copy(mine, idEnd, idEnd, idEnd + 60);
  expect(await failure(openRecord(kek, mine, place))).toEqual(damaged);
  expect(await failure(rewrapRecord(both, mine, place))).toEqual(damaged);
});

test('S48: a missing KEK is UNAVAILABLE and named in the cause, by its id alone', async () => {
  const { sealed } = await sealRecord(both, Buffer.from('s3cret'), place);
  const answer = await failure(openRecord(kek, sealed, place));
  expect(answer).toEqual({
    code: 'UNAVAILABLE',
    message: new KeywayError('UNAVAILABLE').message,
    fields: [],
    cause: 'Error: the KEK k2 is missing from kek.json',
  });
});

test('S48: without its current key a provider seals nothing, with another key neither', async () => {
  const lost = fileKekProvider({ current: 'k9', keys: new Map([['k1', old]]) });
  expect(await failure(sealRecord(lost, Buffer.from('s3cret'), place))).toMatchObject({
    code: 'UNAVAILABLE',
  });
});

test('S47: a rewrapped record opens with the new KEK alone, and only its wrap has changed', async () => {
  const { sealed } = await sealRecord(kek, Buffer.from('s3cret'), place);
  const after = await rewrapRecord(both, sealed, place);
  expect(after.kekId).toBe('k2');
  expect(after.sealed.subarray(idEnd + 60)).toEqual(sealed.subarray(idEnd + 60));
  expect((await openRecord(both, after.sealed, place)).toString()).toBe('s3cret');
  expect(await failure(openRecord(kek, after.sealed, place))).toMatchObject({ code: 'UNAVAILABLE' });
  expect((await rewrapRecord(both, after.sealed, place)).sealed).toEqual(after.sealed);
});

test('the provider sees the same data key at wrap and unwrap, and finds it zeroed afterwards, failed or not', async () => {
  const seen: Uint8Array[] = [];
  const watching: KekProvider = {
    ...kek,
    wrap: (id, dek, aad) => (seen.push(dek), kek.wrap(id, dek, aad)),
    unwrap: async (id, wrapped, aad) => {
      const dek = await kek.unwrap(id, wrapped, aad);
      seen.push(dek);
      return dek;
    },
  };
  const { sealed } = await sealRecord(watching, Buffer.from('s3cret'), place);
  await openRecord(watching, sealed, place);
  sealed.writeUInt8(sealed.readUInt8(sealed.length - 1) ^ 1, sealed.length - 1);
  await failure(openRecord(watching, sealed, place));
  await failure(
    sealRecord({ ...watching, wrap: async (_, dek) => (seen.push(dek), dek) }, Buffer.alloc(1), place),
  );
  expect(seen).toHaveLength(4);
  for (const dek of seen) expect(Buffer.from(dek)).toEqual(Buffer.alloc(32));
});

test('R17: a provider that is down is UNAVAILABLE; whatever else it throws counts as damage', async () => {
  const { sealed } = await sealRecord(kek, Buffer.from('s3cret'), place);
  const failing = (error: Error): KekProvider => ({ ...kek, unwrap: () => Promise.reject(error) });
  expect(await failure(openRecord(failing(unavailable()), sealed, place))).toMatchObject({
    code: 'UNAVAILABLE',
  });
  expect(await failure(openRecord(failing(new Error('s3cret')), sealed, place))).toEqual(damaged);
  const short: KekProvider = { ...kek, unwrap: async () => new Uint8Array(16) };
  expect(await failure(openRecord(short, sealed, place))).toEqual(damaged);
});

test('a KEK id that a record cannot hold, and a version that is no number, seal nothing', async () => {
  for (const id of ['', 'k 1', 'k~1', 'ké', 'k'.repeat(247)]) {
    const odd: KekProvider = { ...kek, currentKeyId: async () => id, wrap: async () => new Uint8Array(60) };
    expect(await failure(sealRecord(odd, Buffer.alloc(1), place))).toMatchObject({
      code: 'INTERNAL_SERVER_ERROR',
    });
  }
  for (const version of [-1, 1.5, Number.NaN, Infinity]) {
    expect(await failure(sealRecord(kek, Buffer.alloc(1), { ...place, version }))).toMatchObject({
      code: 'INTERNAL_SERVER_ERROR',
    });
  }
});

test('S46: seals repeat no nonce under a key, and use no data key twice', async () => {
  const rounds = 20_000;
  expect(await sealOften(kek, place, idEnd, rounds)).toEqual({
    deks: rounds,
    wrapNonces: rounds,
    nonces: rounds,
  });
});
