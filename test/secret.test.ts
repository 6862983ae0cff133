import { inspect } from 'node:util';
import { Secret } from '../src/secret.js';

const secret = () => Secret.of('open sesame');

test.each<[string, (value: Secret) => string]>([
  ['String', (value) => String(value)],
  ['a template', (value) => ['it is', value].join(' ')],
  ['JSON', (value) => JSON.stringify({ value })],
  ['inspect', (value) => inspect({ value }, { depth: 9, showHidden: true })],
  ['Object.entries', (value) => JSON.stringify(Object.entries(value))],
  ['a spread', (value) => JSON.stringify({ ...value })],
  ['an error', (value) => new Error(String(value)).message],
])('%s shows no secret', (_, show) => {
  expect(show(secret())).not.toContain('sesame');
});

test('expose reads it, as text and as bytes', () => {
  expect(secret().expose()).toBe('open sesame');
  expect(secret().exposeBytes()).toEqual(Buffer.from('open sesame'));
});

test('wiped, it is zeros, in the buffer that it took over too', () => {
  const bytes = Buffer.from('open sesame');
  const taken = Secret.of(bytes);
  taken.wipe();
  expect(bytes.every((byte) => byte === 0)).toBe(true);
  expect(taken.expose()).not.toContain('sesame');
});
