import fc from 'fast-check';
import { readAuditStreamAt } from '../../src/config/audit-stream-at.js';
import { isSameDatabase, readCheckpointsAt } from '../../src/config/checkpoints-at.js';
import { readConfig } from '../../src/config/config.js';
import { readDatabaseUrl } from '../../src/config/database-url.js';
import { limitRanges, readRequestLimits } from '../../src/config/request-limits.js';
import { anyText, expectAlways } from '../support/property.js';

type LimitName = keyof typeof limitRanges;
const names = Object.keys(limitRanges) as LimitName[];
const setting = fc
  .constantFrom(...names)
  .chain((name) =>
    fc.tuple(fc.constant(name), fc.integer({ min: limitRanges[name][0], max: limitRanges[name][2] })),
  );

describe('KEYWAY_LIMITS', () => {
  test('are those that are named, in any order and with any blanks, and the usual ones besides', () =>
    expectAlways(
      fc.property(
        fc.uniqueArray(setting, { selector: ([name]) => name }),
        fc.constantFrom('', ' ', '\t', '\n '),
        (given, blank) => {
          const asked = new Map<string, number>(given);
          fc.pre((asked.get('headersSeconds') ?? 0) <= (asked.get('requestSeconds') ?? Infinity));
          const text = given.map(([name, value]) => `${blank}${name}=${value}${blank}`).join(',');
          const { limits, faults } = readRequestLimits(text);
          expect(faults).toEqual([]);
          const read: Readonly<Record<string, unknown>> = { ...limits, ...limits.query };
          for (const name of names.filter((one) => !one.endsWith('Seconds') || asked.has(one)))
            expect([name, read[name]]).toEqual([name, asked.get(name) ?? limitRanges[name][1]]);
          expect(limits.headersSeconds).toBeLessThanOrEqual(limits.requestSeconds);
        },
      ),
      500,
    ));

  test('S10: that cannot be read are told without what was written, and never make it fail', () => {
    const near = fc.string({ unit: fc.constantFrom(...'depth=10,cost 9-__proto__') });
    expectAlways(
      fc.property(fc.oneof(near, anyText), (text) => {
        const { faults } = readRequestLimits(`${text},hunter2=1`);
        expect(faults.length).toBeGreaterThan(0);
        expect(faults.join()).not.toContain('hunter2');
      }),
      500,
    );
  });
});

describe('the address of a database', () => {
  const part = fc
    .oneof(anyText, fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[a-z0-9_]{1,9}$/))
    .filter((text) => text !== '' && !text.includes(','));
  const encoded = encodeURIComponent;

  test('has user, password and name of the database as they are once decoded, whatever is in them', () =>
    expectAlways(
      fc.property(
        part,
        part,
        part,
        fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
        (user, password, database, port) => {
          const at = `db.example.com${port === undefined ? '' : `:${port}`}`;
          const read = readDatabaseUrl(
            `postgres://${encoded(user)}:${encoded(password)}@${at}/${encoded(database)}`,
          );
          expect(read).toMatchObject({
            host: 'db.example.com',
            port,
            user,
            password,
            database,
            tls: 'verified',
          });
        },
      ),
      500,
    ));

  test('says the same by its parameters, which come before its parts', () =>
    expectAlways(
      fc.property(
        part,
        part,
        part,
        fc.integer({ min: 1, max: 65_535 }),
        fc.boolean(),
        (user, password, dbname, port, both) => {
          const given = { user, password, dbname, port: String(port), host: '/run/postgresql' };
          const query = Object.entries(given)
            .map(([name, value]) => `${name}=${encoded(value)}`)
            .join('&');
          const read = readDatabaseUrl(
            `postgresql://${both ? 'else:where@other.example.com:1/none' : ''}?${query}`,
          );
          expect(read).toMatchObject({
            host: '/run/postgresql',
            port,
            user,
            password,
            database: dbname,
            tls: 'local',
          });
        },
      ),
    ));

  test('has what options ask of a session read as the server reads it', () => {
    const name = fc.stringMatching(/^[a-z][a-z_]{0,11}$/);
    const options = fc.uniqueArray(fc.tuple(name, fc.string({ unit: 'grapheme', minLength: 1 })), {
      selector: ([one]) => one,
      maxLength: 4,
    });
    const escaped = (text: string) => text.replace(/[\s\\]/g, '\\$&');
    expectAlways(
      fc.property(
        options,
        fc.constantFrom('-c ', '-c', '--'),
        fc.constantFrom(' ', '  ', '\t'),
        (given, how, blank) => {
          const text = given.map(([one, value]) => `${how}${one}=${escaped(value)}`).join(blank);
          const { settings } = readDatabaseUrl(`postgres://h/d?options=${encoded(text)}`);
          expect([...settings]).toEqual(given);
        },
      ),
    );
  });

  test('S10: that cannot be used is told without its password, wherever that stands', () =>
    expectAlways(
      fc.property(
        anyText,
        fc.constantFrom(
          '',
          '#',
          '?',
          '%',
          '?x=',
          '?port=',
          '?sslmode=',
          '?options=',
          '?host=a,',
          '?connect_timeout=',
          ':',
        ),
        (text, put) => {
          for (const address of [
            `postgres://u:hunter2${text}@h/d${put}`,
            `postgres://u:${text}hunter2@h:0/d`,
            `postgres://h/d${put}hunter2`,
            `mysql://u:hunter2@h/${text}`,
            `postgres://h/d?hunter2${text}=1`,
            `postgres://h/d?password=hunter2&password=${text}`,
          ]) {
            let told = '';
            try {
              readDatabaseUrl(address);
            } catch (error) {
              told = String(error);
            }
            expect(told).not.toContain('hunter2');
            let all = '';
            try {
              readConfig({ DATABASE_URL: address, KEYWAY_CHECKPOINTS: address });
            } catch (error) {
              all = String(error);
            }
            expect(all).not.toContain('hunter2');
          }
        },
      ),
    ));

  test('is the same database as itself, and another one by its host, its port or its name', () => {
    const address = fc.record({
      host: fc.constantFrom('a.example.com', 'b.example.com'),
      port: fc.constantFrom(5432, 5433),
      name: fc.constantFrom('x', 'y'),
    });
    const written = ({ host, port, name }: { host: string; port: number; name: string }, user: string) =>
      `postgres://${user}@${host.toUpperCase()}${port === 5432 ? '' : `:${port}`}/${name}`;
    expectAlways(
      fc.property(address, address, (one, other) => {
        expect(isSameDatabase(written(one, 'u'), written(other, 'v'))).toBe(
          JSON.stringify(one) === JSON.stringify(other),
        );
      }),
      50,
    );
  });
});

describe('where the audit log goes', () => {
  test('S10: nothing that cannot be read is repeated or makes it fail, and nobody’s password is taken', () => {
    const near = fc
      .tuple(
        fc.constantFrom(
          'syslog+tls://',
          'syslog+udp://',
          'https://',
          'http://',
          'file://',
          's3://',
          'stdout',
          '',
        ),
        fc.oneof(anyText, fc.constantFrom('%', '%ff', '/%', '/%ff', 'h/%e9')),
      )
      .map((parts) => parts.join(''));
    expectAlways(
      fc.property(near, (text) => {
        const marked = `${text}hunter2`;
        for (const address of [marked, text, text.replace('://', '://u:hunter2@')]) {
          const stream = readAuditStreamAt(address, undefined);
          if (typeof stream === 'string') expect(stream).not.toContain('hunter2');
          expect(() => readCheckpointsAt(address, {})).not.toThrow();
          let told = '';
          try {
            readConfig({ KEYWAY_AUDIT_STREAM: address });
          } catch (error) {
            told = String(error);
            expect((error as Error).name).not.toBe('URIError');
          }
          expect(told).not.toContain('hunter2');
        }
      }),
      500,
    );
  });

  test('a bucket is the one that is named, and its prefix ends with a slash or is empty', () =>
    expectAlways(
      fc.property(
        fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]$/),
        fc.stringMatching(/^[\w!.*'()/-]{0,20}$/),
        (bucket, prefix) => {
          const at = readCheckpointsAt(`s3://${bucket}/${prefix}`, {});
          const bare = prefix.replace(/\/+$/, '');
          expect(at).toEqual({ kind: 's3', bucket, prefix: bare === '' ? '' : `${bare}/`, pathStyle: false });
        },
      ),
    ));
});
