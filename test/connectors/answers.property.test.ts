import fc from 'fast-check';
import { retryAfterMs } from '../../src/connectors/retry-after.js';
import { instantOf } from '../../src/connectors/times.js';
import { at, codeAt, countAt, isVisible, textAt } from '../../src/connectors/answers.js';
import { StoreError } from '../../src/connectors/store-error.js';
import { missingPath } from '../../src/connectors/endpoint.js';
import { requestOf } from '../../src/stores/request.js';
import { anyText, expectAlways } from '../support/property.js';

const seconds = fc.integer({ min: 0, max: 2_145_916_800 });
const days = ['Sun', 'Mon', 'Tues', 'Wednes', 'Thurs', 'Fri', 'Satur'];

/** A date in one of the three forms of HTTP (RFC 9110, section 5.6.7). */
function written(second: number, form: number): string {
  const usual = new Date(second * 1_000).toUTCString();
  const [, day = '', month = '', year = '', time = ''] = usual.split(/,? /);
  if (form === 0) return usual;
  if (form === 1)
    return `${days[new Date(second * 1_000).getUTCDay()]}day, ${day}-${month}-${year.slice(2)} ${time} GMT`;
  return `${usual.slice(0, 3)} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`;
}

test('R24: a store is left alone until the date that it names, in each form of HTTP, reckoned from its own clock', () =>
  expectAlways(
    // Of a year in two digits readers say different centuries.
    fc.property(
      fc.integer({ min: 946_684_800, max: 1_924_905_600 }),
      fc.integer({ min: -100, max: 5_000 }),
      fc.nat(2),
      fc.nat(2),
      (sent, wait, one, other) => {
        const headers = { 'retry-after': written(sent + wait, one), date: written(sent, other) };
        expect(retryAfterMs({ headers })).toBe(wait < 0 ? undefined : Math.min(wait, 3_600) * 1_000);
      },
    ),
    500,
  ));

test('R24: whatever a store says, it is left alone for an hour at most, and nothing makes it fail', () => {
  const near = fc.string({ unit: fc.constantFrom(...'0123456789.-+: ,GMTSunNov') });
  expectAlways(
    fc.property(fc.oneof(near, fc.string({ unit: 'binary' }), fc.nat().map(String)), near, (value, date) => {
      const ms = retryAfterMs({ headers: { 'retry-after': value, date } });
      if (ms !== undefined) expect(ms >= 0 && ms <= 3_600_000).toBe(true);
      if (/^\d+$/.test(value)) expect(ms).toBe(Math.min(Number(value) * 1_000, 3_600_000));
    }),
    500,
  );
});

test('an instant is the same in each spelling of the vendors', () => {
  const two = (number: number) => String(number).padStart(2, '0');
  expectAlways(
    fc.property(
      seconds,
      fc.nat(999),
      fc.integer({ min: -839, max: 839 }),
      fc.nat(5),
      (second, ms, offset, form) => {
        const instant = new Date(second * 1_000 + ms).toISOString();
        const local = new Date((second + offset * 60) * 1_000 + ms).toISOString().slice(0, -1);
        const zone = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60].map(two);
        const sign = offset < 0 ? '-' : '+';
        const spelled = [
          instant,
          instant.replace('T', ' ').replace('Z', ' UTC'),
          `${local}${sign}${zone.join(':')}`,
          `${local}000000${sign}${zone.join('')}`,
          instant.replace('Z', ''),
          second * 1_000 + ms,
        ][form];
        fc.pre(typeof spelled !== 'number' || spelled >= 10_000_000_000);
        expect(instantOf(spelled)).toBe(instant);
      },
    ),
    500,
  );
});

test('no value of an answer makes reading it fail: it is an instant of four digits of a year, none, or unreadable', () =>
  expectAlways(
    fc.property(fc.anything(), (value) => {
      const read = instantOf(value);
      if (typeof read === 'string') expect(read).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      for (const one of [value, { name: value }]) {
        expect(textAt(one, 'name')).not.toBe('');
        expect(codeAt(one, 'name') ?? 'a').toMatch(/^[A-Za-z0-9_.-]{1,64}$/);
        expect(countAt(one, 'name') ?? 0).toBeGreaterThanOrEqual(0);
      }
      for (const inherited of ['__proto__', 'constructor', 'toString'])
        expect(at({}, inherited)).toBeUndefined();
    }),
    1_000,
  ));

describe('S57: a request to a store', () => {
  const base = 'https://store.example.com/api/v1';
  const segment = fc.oneof(
    anyText,
    fc.constantFrom('.', '..', '', '%2e%2e', '/', '\\', '?', '#', '@evil.example', '//evil.example'),
  );

  test('stays under its address, with each segment and each parameter as it was given', () =>
    expectAlways(
      fc.property(
        fc.array(segment, { maxLength: 4 }),
        fc.dictionary(anyText, anyText, { maxKeys: 3, noNullPrototype: true }),
        (path, query) => {
          let url: URL;
          try {
            ({ url } = requestOf({ endpoint: base }, { method: 'GET', path, query }));
          } catch (error) {
            expect(error).toBeInstanceOf(StoreError);
            expect(
              path.some(
                (one, index) => one === '.' || one === '..' || (one === '' && index < path.length - 1),
              ),
            ).toBe(true);
            return;
          }
          expect(url.origin).toBe('https://store.example.com');
          expect([url.username, url.password, url.hash]).toEqual(['', '', '']);
          expect(url.pathname.slice('/api/v1/'.length).split('/').map(decodeURIComponent)).toEqual(
            path.length === 0 ? [''] : path,
          );
          expect(Object.fromEntries(url.searchParams)).toEqual(query);
        },
      ),
      1_000,
    ));

  test('has no header with a character in it that a header cannot have', () =>
    expectAlways(
      fc.property(anyText, (value) => {
        const send = () =>
          requestOf({ endpoint: base }, { method: 'GET', path: [], headers: { 'x-one': value } });
        if (/[^\t\x20-\x7e]/.test(value)) expect(send).toThrow(StoreError);
        else expect(send().headers['x-one']).toBe(value);
      }),
    ));

  test('has no segment twice that its address ends with already', () =>
    expectAlways(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]$/), { maxLength: 4 }),
        fc.array(fc.stringMatching(/^[a-z]$/), { maxLength: 3 }),
        (path, before) => {
          for (let there = 0; there <= path.length; there++) {
            const address = `https://h/${[...before, ...path.slice(0, there)].join('/')}`;
            const missing = missingPath({ addresses: { endpoint: address } }, path);
            // What is there already may be more by chance, never less.
            expect(missing.length).toBeLessThanOrEqual(path.length - there);
            expect(path.slice(path.length - missing.length)).toEqual(missing);
          }
        },
      ),
    ));
});

test('a text that can be seen has one character at least that is neither blank nor left out by who shows it', () =>
  expectAlways(
    fc.property(
      fc.string({ unit: fc.constantFrom(...' \t\u00a0\u200b\u2060\u3164\ufeff\u00ad\u034fa\u{e0001}') }),
      (text) => {
        expect(isVisible(text, 1, 100)).toBe(text.includes('a') && !text.includes('\t'));
      },
    ),
  ));
