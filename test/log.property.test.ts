import fc from 'fast-check';
import { openLog } from '../src/log.js';
import { Secret } from '../src/secret.js';
import { anyText, expectAlways } from './support/property.js';

/** Every text of a value, and its names. */
const textsIn = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, member]) => [
          ...(Array.isArray(value) ? [] : [name]),
          ...textsIn(member),
        ])
      : [];

/** What a call writes. */
function linesOf(fields: unknown, message: string): string[] {
  const lines: string[] = [];
  openLog('trace', { write: (line) => void lines.push(line) }).info(fields as object, message);
  return lines;
}

const anything = fc.anything({
  key: anyText,
  values: [
    anyText,
    fc.string({ minLength: 1_000, maxLength: 1_100 }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.double(),
    fc.date(),
  ],
  maxDepth: 6,
  withDate: true,
  withBigInt: true,
  withMap: true,
  withTypedArray: true,
});
const fields = fc.dictionary(anyText, anything, { maxKeys: 5, noNullPrototype: true });

test('S51: whatever is logged is one line of JSON, with texts of 1 KiB at most and no control character in it', () =>
  expectAlways(
    fc.property(fields, anyText, (given, message) => {
      const lines = linesOf(given, message);
      expect(lines).toHaveLength(1);
      const [line = ''] = lines;
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      expect(line.endsWith('\n')).toBe(true);
      const read = JSON.parse(line) as Record<string, unknown>;
      for (const text of textsIn(read).filter((one) => one !== read['time']))
        // A character that is escaped takes six.
        expect(text.length).toBeLessThanOrEqual(1_025 * 6);
      expect(textsIn(read).join('')).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    }),
    500,
  ));

test('S51: no field and no message takes the place of the level or of the time', () =>
  expectAlways(
    fc.property(anyText, anyText, (text, name) => {
      const [line = ''] = linesOf(
        { [name]: text, said: `","level":"fatal","time":"${text}` },
        `"}\n{"level":"fatal","msg":"${text}`,
      );
      fc.pre(!['level', 'time', 'msg'].includes(name));
      expect(line).toMatch(/^\{"level":"info","time":"[-0-9T:.]+Z"/);
      expect((JSON.parse(line) as { level: string }).level).toBe('info');
    }),
  ));

test('S42: a secret prints as a placeholder wherever it stands', () =>
  expectAlways(
    fc.property(
      fc.stringMatching(/^[A-Za-z0-9]{12,40}$/),
      fc.array(fc.constantFrom('list', 'member', 'json', 'cause'), { maxLength: 4 }),
      (plain, ways) => {
        const deep = ways.reduce<unknown>((value, way) => {
          if (way === 'list') return [value];
          if (way === 'json') return { toJSON: () => value };
          if (way === 'cause') return new Error('failed', { cause: value });
          return { value };
        }, Secret.of(plain));
        expect(linesOf({ deep }, 'said').join('')).not.toContain(plain);
        expect(linesOf(deep, 'said').join('')).not.toContain(plain);
      },
    ),
  ));

test('S58: an error is told by its name, its code and its place: none of its words, nor of those of its causes', () =>
  expectAlways(
    fc.property(fc.stringMatching(/^[A-Za-z0-9]{12,40}$/), fc.nat(4), (plain, depth) => {
      let error = new Error(`password ${plain}`);
      for (let level = 0; level < depth; level++) error = new Error(`wrong: ${plain}`, { cause: error });
      const [line = ''] = linesOf({ err: error, error }, 'it failed');
      expect(line).not.toContain(plain);
      expect(linesOf(error, 'it failed').join('')).not.toContain(plain);
    }),
  ));
