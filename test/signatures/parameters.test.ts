import fc from 'fast-check';
import {
  canonicalParameters,
  encoded,
  parseParameters,
  type Parameter,
} from '../../src/signatures/parameters.js';

const text = fc.string({ unit: 'binary' });
const parameters = fc.array(
  fc.tuple(
    text.filter((name) => name !== ''),
    text,
  ),
  { maxLength: 8 },
);

test('what is written is parsed, whatever is in it', () => {
  fc.assert(
    fc.property(parameters, (all) => {
      const written = all.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
      expect(parseParameters(written)).toEqual(all);
    }),
  );
});

test('what a browser writes is parsed as the browser parses it', () => {
  fc.assert(
    fc.property(parameters, (all) => {
      const written = new URLSearchParams(all).toString();
      expect(parseParameters(written)).toEqual([...new URLSearchParams(written)]);
    }),
  );
});

test('only unreserved characters stay as they are, and the others are in upper case', () => {
  const unreserved = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~';
  expect(encoded(unreserved)).toBe(unreserved);
  for (let code = 0; code < 128; code++) {
    const character = String.fromCharCode(code);
    if (!unreserved.includes(character))
      expect(encoded(character)).toBe(`%${code.toString(16).toUpperCase().padStart(2, '0')}`);
  }
});

test('the order is that of the bytes of names: beyond the surrogates, and whatever their encoding', () => {
  const names = ['a.10', 'a.2', 'a', 'B', 'a~', 'é', '\uffee', '😀', 'a ', 'aa'];
  const given: Parameter[] = names.map((name) => [name, '']);
  const sorted = [...names].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  expect(sorted.indexOf('\uffee')).toBeLessThan(sorted.indexOf('😀'));
  expect(canonicalParameters(given)).toBe(sorted.map((name) => `${encoded(name)}=`).join('&'));
});

test.each([
  '&',
  'a',
  'a=1&',
  '&a=1',
  'a=1&&b=2',
  '=1',
  'a=1;b=2',
  'a=%',
  'a=%2',
  'a=%g0',
  'a=%c3',
  'a=%ed%a0%80',
  'a=%c0%af',
  'a= ',
  'a=\n',
  'a=é',
  'a=\0',
])('%j is read by some like this and by some like that, and so by us not at all', (odd) =>
  expect(parseParameters(odd)).toBeUndefined(),
);

test('a thousand parameters are read, and not one more', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `p${index}=`).join('&');
  expect(parseParameters(many(1000))).toHaveLength(1000);
  expect(parseParameters(many(1001))).toBeUndefined();
  expect(parseParameters('')).toEqual([]);
  expect(parseParameters('a=b=c+d%2B')).toEqual([['a', 'b=c d+']]);
});
