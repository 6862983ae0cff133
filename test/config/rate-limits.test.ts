import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examineConfig, readConfig } from '../../src/config/config.js';
import { passwordOf } from '../../src/config/redis-at.js';

test('S6: limits of a minute are named, and each that is not is as usual', () => {
  const of = (KEYWAY_RATE_LIMITS?: string) =>
    readConfig({ ...(KEYWAY_RATE_LIMITS && { KEYWAY_RATE_LIMITS }) }).rateLimits;
  expect(of()).toEqual({ points: 3_000_000, failures: 3_000 });
  expect(of('points=100')).toEqual({ points: 100, failures: 3_000 });
  expect(of('failures=0, points=1000000000')).toEqual({ points: 1_000_000_000, failures: 0 });
});

test.each([
  ['points=99', 'must have points from 100 to 1000000000, or 0 for no limit'],
  ['failures=9', 'must have failures from 10 to 10000000, or 0 for no limit'],
  ['points=100,points=200', 'must name points once'],
  ['hunter2=5', 'must be a list such as points=600000,failures=1000, of points, failures'],
  ['points=-1', 'must be a list such as points=600000,failures=1000, of points, failures'],
])('S6: limits of a minute cannot be %s', (KEYWAY_RATE_LIMITS, why) => {
  const read = () => readConfig({ KEYWAY_RATE_LIMITS });
  expect(read).toThrow(`KEYWAY_RATE_LIMITS ${why}`);
  expect(read).not.toThrow('hunter2');
});

test('Redis is on this machine, elsewhere by TLS, or at a socket', () => {
  const at = (KEYWAY_REDIS_URL: string, more = {}) => readConfig({ KEYWAY_REDIS_URL, ...more }).redis;
  expect(readConfig({}).redis).toBeUndefined();
  expect(at('redis://localhost')).toMatchObject({ host: 'localhost', port: 6379, tls: false, database: 0 });
  const elsewhere = at('rediss://ada:hunter%402@redis.example.com:6380/3', { KEYWAY_REDIS_PREFIX: 'two' });
  expect(elsewhere).toMatchObject({ tls: true, port: 6380, database: 3, username: 'ada', prefix: 'two' });
  expect(elsewhere && passwordOf(elsewhere)?.expose()).toBe('hunter@2');
  expect(JSON.stringify(elsewhere)).not.toContain('hunter');
  expect(at('unix:///run/redis/redis.sock')).toMatchObject({ path: '/run/redis/redis.sock', tls: false });
});

test('a password of Redis is what its file has, and one that is not UTF-8 is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyway-redis-'));
  const file = join(folder, 'password');
  const at = readConfig({ KEYWAY_REDIS_URL: 'redis://localhost', KEYWAY_REDIS_PASSWORD_FILE: file }).redis;
  const written = (bytes: Buffer) => {
    writeFileSync(file, bytes);
    return at && passwordOf(at)?.expose();
  };
  try {
    expect(written(Buffer.from('\uFEFFhünter2\r\n'))).toBe('hünter2');
    expect(() => written(Buffer.from('hünter2', 'latin1'))).toThrow(
      'KEYWAY_REDIS_PASSWORD_FILE is not UTF-8',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ['redis://redis.example.com', 'must use TLS (rediss://), unless the server is on this machine'],
  [
    'http://localhost/hunter2',
    'must be redis://host, rediss://user@host:6380/1, or unix:///path of a socket',
  ],
  [
    'redis://localhost/hunter2',
    'must be redis://host, rediss://user@host:6380/1, or unix:///path of a socket',
  ],
  ['redis://localhost?password=hunter2', 'cannot be used: a ? or # in it must be written as %3F or %23'],
  ['redis://:hunter2%@localhost', 'cannot be used: a % in it must be written as %25'],
  ['redis://:hunter2@localhost', 'must have no password in it beside KEYWAY_REDIS_PASSWORD_FILE'],
])('Redis cannot be at %s', (KEYWAY_REDIS_URL, why) => {
  const read = () => readConfig({ KEYWAY_REDIS_URL, KEYWAY_REDIS_PASSWORD_FILE: '/run/secrets/redis' });
  expect(read).toThrow(`KEYWAY_REDIS_URL ${why}`);
  expect(read).not.toThrow('hunter2');
});

test('what of Redis has no effect, and points that are too few, are doubts', () => {
  const doubts = (environment: Record<string, string>) => examineConfig(environment).doubts.join();
  expect(doubts({ KEYWAY_REDIS_PREFIX: 'two' })).toContain('set KEYWAY_REDIS_URL too');
  expect(doubts({ KEYWAY_RATE_LIMITS: 'points=4999' })).toContain('KEYWAY_RATE_LIMITS allows fewer points');
  expect(doubts({ KEYWAY_RATE_LIMITS: 'points=5000' })).not.toContain('KEYWAY_RATE_LIMITS');
  expect(doubts({ KEYWAY_RATE_LIMITS: 'points=0' })).not.toContain('KEYWAY_RATE_LIMITS');
});
