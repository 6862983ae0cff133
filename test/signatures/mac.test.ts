import { createHash, createHmac, randomBytes } from 'node:crypto';
import { Secret } from '../../src/secret.js';
import { digestOf, isBlank, macUnder, nonceOf, sameDigest } from '../../src/signatures/mac.js';

test('an HMAC is under the bytes of the secret as it is written', () => {
  const expected = createHmac('sha256', Buffer.from('sécret')).update('text').digest();
  expect(macUnder(Secret.of('sécret'), 'text')).toEqual(expected);
});

test('S21: under a secret that is empty, wiped or of zeros there is none: anybody can make it', () => {
  const wiped = Secret.of('secret');
  wiped.wipe();
  for (const nobody of [wiped, Secret.of(''), Secret.of('\0'), Secret.of(Buffer.alloc(100))])
    expect(macUnder(nobody, 'text')).toBeUndefined();
  expect([Buffer.alloc(64), Buffer.alloc(0), Buffer.from([0, 1])].map(isBlank)).toEqual([true, true, false]);
});

test('digests are the same where all of them is, and what is no digest is as nothing', () => {
  const digest = randomBytes(32);
  expect(sameDigest(digest, Buffer.from(digest))).toBe(true);
  for (let at = 0; at < 32; at++) {
    const other = Buffer.from(digest);
    other[at] = (other[at] ?? 0) ^ 1;
    expect(sameDigest(digest, other)).toBe(false);
  }
  const none = [undefined, Buffer.alloc(0), digest.subarray(1), Buffer.concat([digest, digest])];
  for (const other of none) {
    expect(sameDigest(digest, other)).toBe(false);
    expect(sameDigest(other, digest)).toBe(false);
    expect(sameDigest(other, other)).toBe(false);
  }
});

test('a digest has one spelling', () => {
  const digest = Buffer.alloc(32, 0xfb);
  const text = digest.toString('base64');
  expect(digestOf(text)).toEqual(digest);
  const url = digest.toString('base64url');
  // The last character of 32 bytes has two bits to spare: t, u, v and s are decoded alike.
  for (const other of [
    url,
    `${url}=`,
    text.slice(0, -1),
    ` ${text}`,
    `${text}\n`,
    `${text}=`,
    `${text.slice(0, -2)}t=`,
  ])
    expect(digestOf(other)).toBeUndefined();
});

test('S21: two schemes with the same nonce have two, so that one uses up nothing of the other’s', () => {
  const expected = createHash('sha256').update('NCP_SIGNATURE_V2:fresh').digest();
  expect(nonceOf('NCP_SIGNATURE_V2', 'fresh')).toEqual(expected);
  expect(nonceOf('NCP_SIGNATURE_V2', Buffer.from('fresh'))).toEqual(expected);
  expect(nonceOf('LANDSCAPE_HMAC_SHA_256', 'fresh')).not.toEqual(expected);
});
