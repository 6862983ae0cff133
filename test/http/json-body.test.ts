import { KeywayError } from '../../src/errors.js';
import { parseJson, readJsonBody } from '../../src/http/json-body.js';

const refusal = (text: string): KeywayError => {
  try {
    parseJson(text, 'body');
  } catch (error) {
    if (error instanceof KeywayError) return error;
    throw error;
  }
  throw new Error('was not refused');
};

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

test('answers what JSON.parse answers', () => {
  const texts = [
    '{"query":"{a}","variables":{"x":[1,null,{"y":"__proto__"}]}}',
    '[]',
    '1',
    '"constructor"',
    'null',
  ];
  for (const text of texts) expect(parseJson(text, 'body')).toEqual(JSON.parse(text));
});

test.each(['__proto__', 'constructor', 'prototype'])('S12: refuses the key %s at any depth', (key) => {
  for (const text of [
    `{"${key}":{"polluted":true}}`,
    `{"variables":{"input":[{"a":{"${key}":{"polluted":true}}}]}}`,
    `[[[{"${key}":null}]]]`,
    `{"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}":1}`,
  ])
    expect(refusal(text)).toMatchObject({ code: 'BAD_USER_INPUT' });
});

test('S12: changes no prototype', () => {
  const before = Object.getOwnPropertyNames(Object.prototype);
  refusal('{"a":{"__proto__":{"polluted":true}},"constructor":{"prototype":{"polluted":true}}}');
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  expect('polluted' in {}).toBe(false);
});

test('takes 32 levels and refuses 33', () => {
  expect(parseJson(nested(32), 'body')).toEqual(JSON.parse(nested(32)));
  expect(refusal(nested(33))).toMatchObject({ code: 'BAD_USER_INPUT' });
});

test('S4: refuses a body nested a hundred thousand levels deep without running out of stack', () => {
  expect(refusal(nested(100_000))).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(refusal('{"a":'.repeat(40_000) + '1' + '}'.repeat(40_000))).toMatchObject({
    code: 'BAD_USER_INPUT',
  });
});

test.each(['', '{', 'MARKER', '{"secret":"MARKER"', '{"a":MARKER}'])(
  'S10: refuses malformed %j and quotes nothing',
  (text) => {
    const error = refusal(text);
    expect(error.code).toBe('BAD_REQUEST');
    expect(error.message).toBe('The body is not JSON.');
    expect(error.cause).toBeUndefined();
    expect(`${error.message}${JSON.stringify(error)}`).not.toContain('MARKER');
  },
);

test('takes a whole pair, and U+FFFD where somebody means it', () => {
  expect(parseJson('"\\ud83d\\ude00\\ufffd"', 'body')).toBe('\u{1F600}\u{FFFD}');
});

test('passes over one byte order mark before a body, and over none in it', () => {
  expect(readJsonBody(Buffer.from('\uFEFF{"a":"\uFEFFb"}'))).toEqual({ a: '\uFEFFb' });
  expect(() => readJsonBody(Buffer.from('\uFEFF\uFEFF{}'))).toThrow('The body is not JSON.');
});

/** What no UTF-8 has in it. */
const bytes: [string, number[]][] = [
  ['Latin-1', [0xe4]],
  ['the middle of a character', [0x80]],
  ['half a character', [0xe2, 0x82]],
  ['an overlong form', [0xc0, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['what is beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
  ['no byte of UTF-8', [0xff]],
];

test.each(bytes)('refuses a body with %s, whatever else it holds', (_, wrong) => {
  const body = Buffer.concat([Buffer.from('{"a":"MARKER'), Buffer.from(wrong), Buffer.from('"}')]);
  expect(() => readJsonBody(body)).toThrow('The body is not UTF-8');
});
