import { codes, KeywayError } from '../../src/errors.js';
import { parseJsonBody } from '../../src/http/json-body.js';

const refusal = (text: string): KeywayError => {
  try {
    parseJsonBody(text);
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
  for (const text of texts) expect(parseJsonBody(text)).toEqual(JSON.parse(text));
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
  expect(parseJsonBody(nested(32))).toEqual(JSON.parse(nested(32)));
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
    expect(error.code).toBe('BAD_USER_INPUT');
    expect(error.message).not.toBe(codes.BAD_USER_INPUT);
    expect(error.cause).toBeUndefined();
    expect(`${error.message}${JSON.stringify(error)}`).not.toContain('MARKER');
  },
);
