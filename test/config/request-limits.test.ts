import { readConfig } from '../../src/config/config.js';
import { limitRanges } from '../../src/config/request-limits.js';
import { largestQuery } from '../../src/config/limits.js';

test('limits are as usual but for those that are set', () => {
  const usual = readConfig({}).limits;
  expect(usual).toMatchObject({ body: 262_144, headersSeconds: 10, requestSeconds: 15, query: largestQuery });
  const { limits } = readConfig({ KEYWAY_LIMITS: 'depth=10, cost=20000,body=1048576' });
  expect(limits).toEqual({ ...usual, body: 1_048_576, query: { ...largestQuery, depth: 10, cost: 20_000 } });
});

test.each(Object.entries(limitRanges))(
  '%s can be set to the least and to the most, and no further',
  (name, range) => {
    const [least, usual, most] = range;
    expect(least).toBeLessThanOrEqual(usual);
    expect(usual).toBeLessThanOrEqual(most);
    const set = (value: number) => () => readConfig({ KEYWAY_LIMITS: `${name}=${value}` });
    for (const value of [least, most]) {
      const { query, ...others } = set(value)().limits;
      expect({ ...query, ...others }).toMatchObject({ [name]: value });
    }
    for (const value of [least - 1, most + 1])
      expect(set(value)).toThrow(`KEYWAY_LIMITS must have ${name} from ${least} to ${most}`);
  },
);

test.each([
  'depth',
  'depth=',
  'depth=-1',
  'depth=hunter2',
  'hunter2=1',
  'depth=1e3',
  'constructor=1',
  'depth:10',
])('no limits are %s', (text) => {
  const read = () => readConfig({ KEYWAY_LIMITS: text });
  expect(read).toThrow('KEYWAY_LIMITS must be a list such as depth=10,cost=20000, of body, headers,');
  expect(read).not.toThrow('hunter2');
});

test('a limit is named once', () => {
  expect(() => readConfig({ KEYWAY_LIMITS: 'depth=9,depth=10' })).toThrow(
    'KEYWAY_LIMITS must name depth once',
  );
});

test('the headers have no longer than all of a request', () => {
  const seconds = (text: string) => {
    const { headersSeconds, requestSeconds } = readConfig({ KEYWAY_LIMITS: text }).limits;
    return [headersSeconds, requestSeconds];
  };
  expect(seconds('requestSeconds=5')).toEqual([5, 5]);
  expect(seconds('headersSeconds=60')).toEqual([60, 60]);
  expect(seconds('headersSeconds=2')).toEqual([2, 15]);
  expect(() => seconds('headersSeconds=6,requestSeconds=5')).toThrow(
    'KEYWAY_LIMITS must not have more headersSeconds than requestSeconds',
  );
});
