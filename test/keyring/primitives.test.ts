import { readFileSync } from 'node:fs';
import { KeywayError } from '../../src/errors.js';
import {
  aesGcmOpen,
  aesGcmSeal,
  hkdfSha256,
  hmacSha256,
  lengthPrefixed,
  equalDigests,
} from '../../src/keyring/primitives.js';

interface Vectors<Group, Vector> {
  numberOfTests: number;
  testGroups: (Group & { tests: (Vector & { tcId: number; result: 'valid' | 'invalid' })[] })[];
}

const vectors = <Group, Vector>(name: string) =>
  JSON.parse(readFileSync(`test/vectors/${name}.json`, 'utf8')) as Vectors<Group, Vector>;

const hex = (text: string) => Buffer.from(text, 'hex');

function outcome<T>(work: () => T): T | 'refused' {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(KeywayError);
    expect(error).toMatchObject({ code: 'INTERNAL_SERVER_ERROR' });
    return 'refused';
  }
}

describe('published vectors', () => {
  test('S45: AES-GCM seals and opens the valid ones of our sizes, refuses the invalid and all other sizes', () => {
    const { testGroups, numberOfTests } = vectors<
      { ivSize: number; keySize: number; tagSize: number },
      { key: string; iv: string; aad: string; msg: string; ct: string; tag: string }
    >('aes_gcm_test');
    let seen = 0;
    let passed = 0;
    for (const group of testGroups) {
      const ours = group.keySize === 256 && group.ivSize === 96 && group.tagSize === 128;
      for (const vector of group.tests) {
        const [key, nonce, aad, plain] = [hex(vector.key), hex(vector.iv), hex(vector.aad), hex(vector.msg)];
        const sealed = hex(vector.ct + vector.tag);
        const opened = outcome(() => aesGcmOpen(key, nonce, sealed, aad).toString('hex'));
        const resealed = outcome(() => aesGcmSeal(key, nonce, plain, aad).toString('hex'));
        const valid = ours && vector.result === 'valid';
        expect([vector.tcId, opened]).toEqual([vector.tcId, valid ? vector.msg : 'refused']);
        if (valid) expect(resealed).toBe(vector.ct + vector.tag);
        else if (ours) expect(resealed).not.toBe(vector.ct + vector.tag);
        else expect(resealed).toBe('refused');
        seen++;
        if (valid) passed++;
      }
    }
    expect([seen, passed]).toEqual([numberOfTests, 39]);
  });

  test('S45: AES-GCM refuses a valid tag that is cut to any shorter length', () => {
    const key = Buffer.alloc(32, 1);
    const nonce = Buffer.alloc(12, 2);
    const sealed = aesGcmSeal(key, nonce, Buffer.from('plain'), Buffer.alloc(0));
    for (let length = 0; length < sealed.length; length++) {
      expect(outcome(() => aesGcmOpen(key, nonce, sealed.subarray(0, length), Buffer.alloc(0)))).toBe(
        'refused',
      );
    }
  });

  test('S45: HKDF-SHA-256 gives the published keys and refuses a size beyond its limit', () => {
    const { testGroups, numberOfTests } = vectors<
      object,
      { ikm: string; salt: string; info: string; size: number; okm: string }
    >('hkdf_sha256_test');
    let seen = 0;
    for (const vector of testGroups.flatMap((group) => group.tests)) {
      const derived = outcome(() =>
        hkdfSha256(hex(vector.ikm), hex(vector.salt), hex(vector.info), vector.size).toString('hex'),
      );
      expect([vector.tcId, derived]).toEqual([
        vector.tcId,
        vector.result === 'valid' ? vector.okm : 'refused',
      ]);
      seen++;
    }
    expect(seen).toBe(numberOfTests);
    for (const size of [0, -1, 1.5, Number.NaN]) {
      expect(outcome(() => hkdfSha256(Buffer.alloc(32), Buffer.alloc(0), 'x', size))).toBe('refused');
    }
    const [one, more] = [1, 32].map((size) => hkdfSha256(Buffer.alloc(32), Buffer.alloc(0), 'x', size));
    expect(one).toEqual(more?.subarray(0, 1));
  });

  test('S45: HMAC-SHA-256 takes the valid tags of full length, refuses the invalid and every cut one', () => {
    const { testGroups, numberOfTests } = vectors<
      { tagSize: number },
      { key: string; msg: string; tag: string }
    >('hmac_sha256_test');
    let seen = 0;
    for (const group of testGroups) {
      for (const vector of group.tests) {
        const tag = hmacSha256(hex(vector.key), hex(vector.msg));
        const valid = vector.result === 'valid';
        expect([vector.tcId, equalDigests(tag, hex(vector.tag))]).toEqual([
          vector.tcId,
          valid && group.tagSize === 256,
        ]);
        if (valid) expect(tag.toString('hex').startsWith(vector.tag)).toBe(true);
        seen++;
      }
    }
    expect(seen).toBe(numberOfTests);
  });
});

test('a part behind its length is told from every other way to cut the same bytes', () => {
  expect(lengthPrefixed('é', 2)).toEqual(Buffer.from([0, 2, 0xc3, 0xa9]));
  expect(lengthPrefixed(Buffer.of(7), 4)).toEqual(Buffer.from([0, 0, 0, 1, 7]));
  expect(lengthPrefixed(Buffer.alloc(65_535), 2)).toHaveLength(65_537);
  expect(outcome(() => lengthPrefixed(Buffer.alloc(65_536), 2))).toBe('refused');
});
