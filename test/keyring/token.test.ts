import { inspect } from 'node:util';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import {
  isGeneratedKey,
  mintAccessKey,
  mintPassword,
  mintRecoveryCode,
  mintToken,
  parseToken,
  randomText,
} from '../../src/keyring/token.js';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
const kind = fc.constantFrom('pat' as const, 'key' as const, 'svc' as const);
const prefix = fc.option(
  fc
    .tuple(
      fc.constantFrom(...letters),
      fc.string({ unit: fc.constantFrom(...letters, ...digits, '_', '-'), maxLength: 30 }),
    )
    .map((parts) => parts.join('')),
  { nil: undefined },
);

describe('mintToken, parseToken', () => {
  test('what is minted is parsed: kind, id and secret', () => {
    fc.assert(
      fc.property(kind, prefix, (wanted, before) => {
        const { id, token } = mintToken(wanted, { prefix: before });
        const text = token.expose();
        expect(text).toMatch(new RegExp(`^${before ?? ''}kw_${wanted}_${id}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}$`));
        expect(text).toHaveLength((before ?? '').length + 73);
        const parsed = parseToken(text);
        expect([parsed?.prefix, parsed?.kind, parsed?.id]).toEqual([before ?? '', wanted, id]);
        expect([parsed?.text.expose(), parsed?.secret.expose()]).toEqual([text, text.slice(-49, -6)]);
      }),
    );
  });

  test('a given id stays, with a new secret', () => {
    const first = mintToken('pat');
    const second = mintToken('pat', { id: first.id });
    expect(second.id).toBe(first.id);
    const [one, other] = [first, second].map(({ token }) => parseToken(token.expose())?.secret.expose());
    expect(other).not.toBe(one);
    for (const id of ['', 'short', `${first.id}0`, `${first.id.slice(1)}_`, `${first.id}\n`]) {
      expect(() => mintToken('pat', { id })).toThrow(
        expect.objectContaining({ code: 'INTERNAL_SERVER_ERROR' }) as Error,
      );
    }
  });

  test('any one character changed, lost, doubled or swapped with the next is refused', () => {
    fc.assert(
      fc.property(
        kind,
        prefix,
        fc.nat(200),
        fc.constantFrom(...letters, ...digits),
        (wanted, before, at, other) => {
          const text = mintToken(wanted, { prefix: before }).token.expose();
          const place = at % text.length;
          const [head, here, next, rest] = [
            text.slice(0, place),
            text.charAt(place),
            text.charAt(place + 1),
            text.slice(place + 2),
          ];
          for (const changed of [
            head + other + next + rest,
            head + next + rest,
            head + here + here + next + rest,
            head + next + here + rest,
          ]) {
            // prettier-ignore
            if (changed !== text) expect(parseToken(changed)).toBeUndefined();
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('the check covers the prefix: without it, or with another, the token is refused', () => {
    const text = mintToken('key', { prefix: 'acme-' }).token.expose();
    expect(parseToken(text)).toBeDefined();
    expect(parseToken(text.slice(5))).toBeUndefined();
    expect(parseToken(`acma-${text.slice(5)}`)).toBeUndefined();
    expect(parseToken(`x${text}`)).toBeUndefined();
  });

  test('the check is CRC-32 in six base62 characters over all before it', () => {
    const text = mintToken('svc').token.expose();
    const alphabet = digits + letters;
    const value = [...text.slice(-6)].reduce((sum, character) => sum * 62 + alphabet.indexOf(character), 0);
    expect(value).toBe(crc32(text.slice(0, -6)));
  });

  test('is anchored and ASCII: nothing may stand around a token, and no look-alike within', () => {
    const text = mintToken('pat').token.expose();
    for (const other of [
      ` ${text}`,
      `${text}\n`,
      `\n${text}`,
      `${text}\0`,
      `Bearer ${text}`,
      text.replace('kw', 'kｗ'),
    ]) {
      expect(parseToken(other)).toBeUndefined();
    }
    expect(parseToken(text.replace('pat', 'adm'))).toBeUndefined();
  });

  test('no text makes it throw, however long', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (text) => void parseToken(text)));
    expect(parseToken('')).toBeUndefined();
    expect(parseToken('kw_'.repeat(1_000_000))).toBeUndefined();
  });

  test.each(['1a', '_a', '-', 'a b', 'ä', 'a\n', 'a.b', 'a'.repeat(32)])(
    'the prefix %j is BAD_USER_INPUT',
    (odd) => {
      const refused = expect.objectContaining({
        code: 'BAD_USER_INPUT',
        fields: [{ path: 'prefix', message: expect.not.stringContaining(odd) as string }],
      }) as Error;
      expect(() => mintToken('pat', { prefix: odd })).toThrow(refused);
      expect(() => mintAccessKey({ prefix: odd })).toThrow(refused);
    },
  );

  test('a token and its parts print as placeholders', () => {
    const minted = mintToken('pat');
    const shown = inspect([minted, parseToken(minted.token.expose())], { depth: 9 });
    expect(shown).not.toContain(minted.token.expose().slice(-49, -6));
  });
});

describe('isGeneratedKey', () => {
  test.each([undefined, 'HB', 'vera01ei-', `p${'_-9'.repeat(10)}`])(
    'takes what is minted with the prefix %j',
    (prefix) => {
      for (const format of ['BASE62', 'HEX', 'BASE64'] as const)
        expect(isGeneratedKey(mintAccessKey({ format, ...(prefix && { prefix }) }).accessKey)).toBe(true);
    },
  );

  test.each([
    'ada',
    'secretariesgeneral-of-the-union',
    'A'.repeat(20),
    `${'A'.repeat(17)}2`,
    '0123456789abcdef0123456789abcde',
    '0123456789ABCDEF0123456789ABCDEF',
    `svc.${'a'.repeat(32)}`,
    `1${'A'.repeat(19)}2`,
    `${'A'.repeat(19)}2\n`,
    `p${'x'.repeat(31)}${'A'.repeat(19)}2`,
    `2${'A'.repeat(20)}`,
  ])('takes no %j', (text) => expect(isGeneratedKey(text)).toBe(false));
});

describe('mintAccessKey', () => {
  test.each([
    ['BASE62', 256, /^[A-Z2-7]{20}$/, /^[0-9A-Za-z]{43}$/],
    ['HEX', 512, /^[0-9a-f]{32}$/, /^[0-9a-f]{128}$/],
    ['BASE64', 256, /^[A-Z2-7]{20}$/, /^[0-9A-Za-z+/]{43}=$/],
  ] as const)('a secret of %s has %i bit', (format, _, publicShape, shape) => {
    const { accessKey, secret } = mintAccessKey({ format });
    expect(accessKey).toMatch(publicShape);
    expect(secret.expose()).toMatch(shape);
    expect(randomText(format).toString()).toMatch(shape);
  });

  test('the prefix stands before both halves', () => {
    const { accessKey, secret } = mintAccessKey({ prefix: 'vera01ei-', format: 'HEX' });
    expect(accessKey).toMatch(/^vera01ei-[0-9a-f]{32}$/);
    expect(secret.expose()).toMatch(/^vera01ei-[0-9a-f]{128}$/);
  });

  test('a given access key stays, with a new secret', () => {
    for (const format of ['BASE62', 'HEX', 'BASE64'] as const) {
      const first = mintAccessKey({ prefix: 'p-' });
      const second = mintAccessKey({ prefix: 'p-', format, accessKey: first.accessKey });
      expect(second.accessKey).toBe(first.accessKey);
      expect(second.secret.expose()).not.toBe(first.secret.expose());
    }
  });
});

test('a password has 32 characters, none of which is taken for another', () => {
  for (let round = 0; round < 100; round++)
    expect(mintPassword().expose()).toMatch(/^[2-9A-HJ-NP-Za-km-np-z]{32}$/);
});

test('a recovery code has 16 characters of base32, each time others', () => {
  const codes = Array.from({ length: 100 }, () => mintRecoveryCode().expose());
  for (const code of codes) expect(code).toMatch(/^[A-Z2-7]{16}$/);
  expect(new Set(codes).size).toBe(100);
});

test('no character is favoured: 62 of them come equally often', () => {
  const counts = new Map<string, number>();
  const texts = 5_000;
  for (let round = 0; round < texts; round++) {
    for (const character of randomText('BASE62').toString())
      counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  const expected = (texts * 43) / 62;
  const distance = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  expect(counts.size).toBe(62);
  // Chi-squared with 61 degrees of freedom is above 141 once in 30 million runs; a bare modulo gives over 1,000.
  expect(distance).toBeLessThan(141);
});
