import { randomUUID } from 'node:crypto';
import { encodeId, newId, parseId, prefixes, type NodeType } from '../src/ids.js';
import { decodeId } from '../src/inputs/decode-id.js';

const types = Object.keys(prefixes) as NodeType[];

test.each(types)('an id of %s tells its type and its UUID, there and back', (type) => {
  for (const uuid of [
    newId(),
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
  ]) {
    const id = encodeId(type, uuid);
    expect(id).toMatch(/^[a-z]{4}_[0-9A-Za-z]{22}$/);
    expect(parseId(id)).toEqual({ type, uuid });
  }
});

test('an id is the UUID as a number, written in base 62', () => {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  for (let count = 0; count < 5_000; count++) {
    const uuid = randomUUID();
    let number = BigInt(`0x${uuid.replaceAll('-', '')}`);
    let expected = '';
    for (let at = 0; at < 22; at++, number /= 62n) expected = digits.charAt(Number(number % 62n)) + expected;
    expect(encodeId('Role', uuid)).toBe(`${prefixes.Role}_${expected}`);
    expect(encodeId('Role', uuid.toUpperCase())).toBe(`${prefixes.Role}_${expected}`);
  }
});

test('each type has a prefix of its own', () => {
  expect(new Set(Object.values(prefixes)).size).toBe(types.length);
});

test('new ids are UUIDs of version 7, in the order of time, none twice', () => {
  const ids = Array.from({ length: 10_000 }, newId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const times = ids.map((id) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16));
  expect(times).toEqual([...times].sort((one, other) => one - other));
  expect(Math.abs((times[0] ?? 0) - Date.now())).toBeLessThan(60_000);
});

test.each([
  '',
  'cred',
  'cred_',
  'cred_0',
  `cred_${'z'.repeat(22)}`,
  `cred_${'0'.repeat(21)}-`,
  `cred_${'0'.repeat(23)}`,
  `nope_${'0'.repeat(22)}`,
  `CRED_${'0'.repeat(22)}`,
  ` cred_${'0'.repeat(22)}`,
  `cred_${'0'.repeat(22)}\n`,
  '00000000-0000-0000-0000-000000000000',
])('%j is no id', (text) => {
  expect(parseId(text)).toBeUndefined();
});

test('S31: the id of another type is BAD_USER_INPUT at its place, without the id', () => {
  const id = encodeId('Project', newId());
  expect(() => decodeId('Account', id, 'input.account')).toThrow(
    expect.objectContaining({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'input.account', message: 'must be the id of an Account' }],
    }),
  );
});
