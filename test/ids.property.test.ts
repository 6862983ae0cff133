import fc from 'fast-check';
import { KeywayError } from '../src/errors.js';
import { encodeId, newId, parseId, prefixes, type NodeType } from '../src/ids.js';
import { decodeId } from '../src/inputs/decode-id.js';
import { expectAlways } from './support/property.js';

const types = Object.keys(prefixes) as NodeType[];
const type = fc.constantFrom(...types);
const anyUuid = fc
  .bigInt({ min: 0n, max: 2n ** 128n - 1n })
  .map((number) => number.toString(16).padStart(32, '0'))
  .map((hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The digits of an id as the number that they are. */
const numberIn = (id: string): bigint =>
  [...(id.split('_')[1] ?? '')].reduce((sum, digit) => sum * 62n + BigInt(digits.indexOf(digit)), 0n);

test('an id stands for one row: its digits are the number that the UUID is, and lead back to it', () =>
  expectAlways(
    fc.property(type, anyUuid, (of, uuid) => {
      const id = encodeId(of, uuid);
      expect(numberIn(id)).toBe(BigInt(`0x${uuid.replaceAll('-', '')}`));
      expect(parseId(id)).toEqual({ type: of, uuid });
      expect(encodeId(of, uuid.toUpperCase())).toBe(id);
    }),
    1_000,
  ));

test('an id has one spelling: whatever is taken for one is what is written for it', () => {
  const text = fc.string({ unit: fc.constantFrom(...digits), minLength: 22, maxLength: 22 });
  const small = text.map((some) => `7${some.slice(1)}`);
  expectAlways(
    fc.property(type, fc.oneof(text, small), (of, some) => {
      const id = `${prefixes[of]}_${some}`;
      const parsed = parseId(id);
      expect(parsed !== undefined).toBe(numberIn(id) < 2n ** 128n);
      if (parsed) expect(encodeId(parsed.type, parsed.uuid)).toBe(id);
    }),
    1_000,
  );
});

test('S31: an id of another type, or with a character changed, left out or put in, is of no row that it was of', () =>
  expectAlways(
    fc.property(
      type,
      anyUuid,
      fc.nat(26),
      fc.constantFrom('', ...digits, '_', '-', '\n', 'é'),
      (of, uuid, at, put) => {
        const id = encodeId(of, uuid);
        const edits = [id.slice(0, at) + put + id.slice(at + 1), id.slice(0, at) + put + id.slice(at)];
        for (const edited of edits.filter((one) => one !== id))
          expect(parseId(edited)).not.toEqual({ type: of, uuid });
        for (const other of types.filter((one) => one !== of))
          expect(() => decodeId(other, id, 'input.id')).toThrow(KeywayError);
      },
    ),
  ));

test('S10: what is no id is refused by its path, without being repeated', () =>
  expectAlways(
    fc.property(type, fc.string({ unit: 'binary', minLength: 8 }), (of, text) => {
      fc.pre(parseId(text) === undefined);
      try {
        decodeId(of, text, 'input.account');
        throw new Error('was taken');
      } catch (error) {
        expect(error).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'input.account' }] });
        expect(JSON.stringify(error)).not.toContain(text);
      }
    }),
  ));

test('a fresh id is of version 7, and no two are the same', () => {
  const fresh = Array.from({ length: 2_000 }, newId);
  expect(new Set(fresh).size).toBe(fresh.length);
  for (const id of fresh)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
