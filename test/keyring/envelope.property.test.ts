import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { KeywayError } from '../../src/errors.js';
import { openRecord, rewrapRecord, sealRecord, type RecordPlace } from '../../src/keyring/envelope.js';
import { fileKekProvider } from '../../src/keyring/kek-file.js';
import { hkdfSha256, hmacSha256, lengthPrefixed } from '../../src/keyring/primitives.js';
import { verifiers } from '../../src/keyring/verifier.js';
import { Secret } from '../../src/secret.js';
import { expectAlways, withBitTurned } from '../support/property.js';

const key = (): Secret => Secret.of(randomBytes(32));
const old = key();
const kek = fileKekProvider({ current: 'k1', keys: new Map([['k1', old]]) });
const both = fileKekProvider({ current: 'k2', keys: new Map([['k1', old], ['k2', key()]]) }); // prettier-ignore

const name = fc.oneof(fc.constantFrom('', 'a', 'ab', '\u0000', 'secret'), fc.string({ maxLength: 5 }));
const place: fc.Arbitrary<RecordPlace> = fc.record({
  accountId: name,
  projectId: fc.option(name),
  credentialId: name,
  version: fc.nat(20),
  field: name,
  destination: fc.option(name, { nil: undefined }),
});
const plain = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));

/** All that a caller can learn of a record that does not open. */
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    if (error instanceof KeywayError) return [error.code, error.message, String(error.cause), error.fields];
    throw error;
  }
  throw new Error('it opened');
}
const damaged = [
  'INTERNAL_SERVER_ERROR',
  new KeywayError('INTERNAL_SERVER_ERROR').message,
  'Error: a sealed record does not open',
  [],
];

test('what was sealed opens in its place, and so it does under another KEK', () =>
  expectAlways(
    fc.asyncProperty(plain, place, async (secret, at) => {
      const { sealed } = await sealRecord(kek, secret, at);
      expect(await openRecord(kek, sealed, at)).toEqual(secret);
      const wrapped = await rewrapRecord(both, sealed, at);
      expect(wrapped.kekId).toBe('k2');
      expect(await openRecord(both, wrapped.sealed, at)).toEqual(secret);
      if (secret.length > 8) expect(sealed.includes(secret)).toBe(false);
    }),
    100,
  ));

test('S43: it opens in no other place, however the parts of the two are put together', () =>
  expectAlways(
    fc.asyncProperty(plain, place, place, async (secret, at, other) => {
      fc.pre(JSON.stringify(at) !== JSON.stringify(other));
      // What was sealed before destinations were bound opens for each.
      fc.pre(
        at.destination !== undefined ||
          JSON.stringify({ ...at, destination: null }) !== JSON.stringify({ ...other, destination: null }),
      );
      const { sealed } = await sealRecord(kek, secret, at);
      expect(await failureOf(openRecord(kek, sealed, other))).toEqual(damaged);
      expect(await failureOf(rewrapRecord(both, sealed, other))).toEqual(damaged);
    }),
    150,
  ));

test('S43: letters that move from one part of a place to the next make it another place', () =>
  expectAlways(
    fc.asyncProperty(
      fc.string({ minLength: 2, maxLength: 6 }),
      fc.nat(6),
      fc.nat(6),
      async (text, one, other) => {
        const [cut, cutElsewhere] = [one % (text.length + 1), other % (text.length + 1)];
        fc.pre(cut !== cutElsewhere);
        const at = (index: number): RecordPlace => ({
          accountId: text.slice(0, index),
          projectId: null,
          credentialId: text.slice(index),
          version: 1,
          field: 'secret',
        });
        const { sealed } = await sealRecord(kek, Buffer.from('s3cret'), at(cut));
        expect(await failureOf(openRecord(kek, sealed, at(cutElsewhere)))).toEqual(damaged);
      },
    ),
  ));

test('S44: with any bit turned, cut off anywhere, or with any bytes added, it does not open, and says the same', () =>
  expectAlways(
    fc.asyncProperty(
      plain,
      place,
      fc.nat(),
      fc.uint8Array({ minLength: 1, maxLength: 3 }),
      async (secret, at, where, more) => {
        const { sealed } = await sealRecord(kek, secret, at);
        const edits = [
          withBitTurned(sealed, where),
          sealed.subarray(0, where % sealed.length),
          Buffer.concat([sealed, more]),
          Buffer.concat([
            sealed.subarray(0, where % sealed.length),
            more,
            sealed.subarray(where % sealed.length),
          ]),
        ];
        for (const edited of edits) expect(await failureOf(openRecord(kek, edited, at))).toEqual(damaged);
      },
    ),
    150,
  ));

test('S44: no bytes that nobody sealed open, or make it fail otherwise', () => {
  const headed = fc
    .uint8Array({ maxLength: 200 })
    .map((bytes) => Buffer.concat([Buffer.from('KWY1\x01\x0bk1~'), bytes]));
  return expectAlways(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), headed), place, async (bytes, at) => {
      expect(await failureOf(openRecord(kek, bytes, at))).toEqual(damaged);
    }),
    500,
  );
});

describe('what keys are derived by', () => {
  const bytes = fc.uint8Array({ maxLength: 80 });

  test('S45: is what Node derives by itself', () =>
    expectAlways(
      fc.property(bytes, bytes, bytes, fc.integer({ min: 1, max: 300 }), (one, salt, info, size) => {
        expect(hkdfSha256(one, salt, info, size)).toEqual(
          Buffer.from(hkdfSync('sha256', one, salt, info, size)),
        );
        expect(hmacSha256(one, salt, info)).toEqual(
          createHmac('sha256', one)
            .update(Buffer.concat([salt, info]))
            .digest(),
        );
      }),
    ));

  test('parts behind their lengths are the same bytes only where they are the same parts', () => {
    const parts = fc.array(
      fc.oneof(fc.string({ unit: 'grapheme', maxLength: 4 }), fc.constantFrom('', '\u0000', '\u0000\u0001a')),
      { maxLength: 4 },
    );
    const put = (all: readonly string[], size: 2 | 4) =>
      Buffer.concat(all.map((part) => lengthPrefixed(part, size)));
    expectAlways(
      fc.property(parts, parts, fc.constantFrom(2 as const, 4 as const), (one, other, size) => {
        expect(put(one, size).equals(put(other, size))).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      1_000,
    );
  });

  test('a tag is of one purpose and of the very parts that it was made over', () => {
    const ring = verifiers({ current: 'k1', keys: new Map([['k1', key()]]) });
    const part = fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('', 'a', 'b', 'ab'));
    const given = fc.tuple(
      fc.constantFrom('cursor', 'audit-checkpoint', 'a'),
      fc.array(part, { maxLength: 3 }),
    );
    expectAlways(
      fc.property(given, given, fc.nat(255), ([purpose, parts], [other, others], bit) => {
        const tag = ring.mac(purpose, ...parts);
        expect(ring.macMatches(purpose, tag, ...parts)).toBe(true);
        expect(ring.macMatches(other, tag, ...others)).toBe(
          JSON.stringify([purpose, parts]) === JSON.stringify([other, others]),
        );
        expect(ring.macMatches(purpose, withBitTurned(tag, bit), ...parts)).toBe(false);
        expect(ring.macMatches(purpose, tag.subarray(0, bit % 32), ...parts)).toBe(false);
      }),
      200,
    );
  });

  test('a verifier is of one secret under one name, and tells neither', () => {
    const ring = verifiers({ current: 'k1', keys: new Map([['k1', key()]]) });
    const given = fc.tuple(fc.string({ maxLength: 6 }), fc.string({ minLength: 1, maxLength: 12 }));
    expectAlways(
      fc.property(given, given, fc.nat(255), ([id, secret], [otherId, other], bit) => {
        const stored = ring.verifier(id, Secret.of(secret));
        expect(ring.verifies(id, Secret.of(secret), stored)).toBe(true);
        expect(ring.verifies(otherId, Secret.of(other), stored)).toBe(id === otherId && secret === other);
        expect(
          ring.verifies(id, Secret.of(secret), { ...stored, verifier: withBitTurned(stored.verifier, bit) }),
        ).toBe(false);
        expect(ring.verifies(id, Secret.of(secret), { ...stored, keyId: 'k2' })).toBe(false);
      }),
      500,
    );
  });
});
