import fc from 'fast-check';
import { KeywayError } from '../../src/errors.js';
import { readJsonBody } from '../../src/http/json-body.js';
import { utf8 } from '../../src/secret.js';
import { expectAlways } from '../support/property.js';

const read = (bytes: Uint8Array): unknown => {
  try {
    return { value: readJsonBody(bytes) };
  } catch (error) {
    if (error instanceof KeywayError)
      return { code: error.code, text: JSON.stringify([error, error.fields]) };
    throw error;
  }
};
const key = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('__proto', 'proto__', 'constructors', 'toString', 'length', '0'),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const names = (one: unknown): string[] =>
  typeof one === 'object' && one !== null
    ? Object.entries(one).flatMap(([name, member]) => [
        ...(Array.isArray(one) ? [] : [name]),
        ...names(member),
      ])
    : [];
const isRefusedName = (name: string) => ['__proto__', 'constructor', 'prototype'].includes(name);

test('a body is read as what it says, with a mark of its bytes’ order or without', () =>
  expectAlways(
    fc.property(value, fc.boolean(), fc.nat(2), (given, marked, indent) => {
      fc.pre(!names(given).some(isRefusedName));
      const text = JSON.stringify(given, null, indent);
      // Half of a character is written by its escape, and read as it.
      const bytes = Buffer.from((marked ? '\ufeff' : '') + text);
      expect(read(bytes)).toEqual({ value: JSON.parse(text) as unknown });
    }),
    500,
  ));

test('bytes that are no UTF-8 are refused, and no other bytes are read as different ones', () =>
  expectAlways(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = utf8(bytes);
      if (text === undefined)
        expect(read(Buffer.concat([Buffer.from('"'), bytes, Buffer.from('"')]))).toMatchObject({
          code: 'BAD_REQUEST',
        });
      else expect(Buffer.from(text)).toEqual(Buffer.from(bytes));
      expect(text === undefined).toBe(
        Buffer.compare(Buffer.from(Buffer.from(bytes).toString()), bytes) !== 0,
      );
    }),
    2_000,
  ));

test('S12: a name that reaches a prototype is refused, at any depth and in any spelling', () => {
  const escaped = (name: string, at: readonly boolean[]) =>
    [...name]
      .map((letter, index) =>
        at[index % at.length] ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
      )
      .join('');
  expectAlways(
    fc.property(
      fc.constantFrom('__proto__', 'constructor', 'prototype'),
      fc.array(fc.boolean(), { minLength: 1 }),
      fc.array(fc.constantFrom('[', '{"a":', '[1,', '{"b":[],"a":'), { maxLength: 20 }),
      value,
      (name, how, around, given) => {
        const ends = around.map((start) => (start.startsWith('[') ? ']' : '}')).reverse();
        const body = `${around.join('')}{"${escaped(name, how)}":${JSON.stringify(given)}}${ends.join('')}`;
        expect(read(Buffer.from(body))).toMatchObject({ code: 'BAD_USER_INPUT' });
        expect(Object.keys(Object.prototype)).toEqual([]);
      },
    ),
    500,
  );
});

test('S10: what is no JSON is refused without being repeated', () =>
  expectAlways(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
      const answer = read(Buffer.from(`{"password":"marked-secret",${text}`)) as {
        code?: string;
        text?: string;
      };
      fc.pre(answer.code !== undefined);
      expect(answer.text).not.toContain('marked-secret');
    }),
  ));
