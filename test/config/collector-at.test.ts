import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examineConfig, readConfig } from '../../src/config/config.js';
import { expectHeaders } from '../../src/config/collector-at.js';

const at = (KEYWAY_OTEL_ENDPOINT: string, more: Record<string, string> = {}) =>
  examineConfig({ KEYWAY_OTEL_ENDPOINT, ...more });

test('traces are sent nowhere, or to the address that is named', () => {
  expect(readConfig({}).traces).toBeUndefined();
  expect(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }).traces).toBeUndefined();
  const urlOf = (address: string) => at(address).config.traces?.url;
  expect(urlOf('https://otel.example.com:4318')).toBe('https://otel.example.com:4318/v1/traces');
  expect(urlOf('https://otel.example.com/base/')).toBe('https://otel.example.com/base/v1/traces');
  expect(urlOf('http://127.0.0.1:4318')).toBe('http://127.0.0.1:4318/v1/traces');
  expect(at('https://otel.example.com').config.traces).toMatchObject({
    sampling: 0.1,
    headersFile: undefined,
  });
  expect(at('https://otel.example.com', { KEYWAY_OTEL_SAMPLING: '0.005' }).config.traces?.sampling).toBe(
    0.005,
  );
});

test('metrics are sent there too, each minute, or what is named alone', () => {
  const endpoint = 'https://otel.example.com/base/';
  const sent = (more: Record<string, string> = {}) => {
    const { config, faults } = at(endpoint, more);
    expect(faults).toEqual([]);
    return [config.traces?.url, config.metricsTo?.url, config.metricsTo?.everyMs];
  };
  const [traces, metrics] = ['traces', 'metrics'].map((signal) => `${endpoint}v1/${signal}`);
  expect(sent()).toEqual([traces, metrics, 60_000]);
  expect(sent({ KEYWAY_OTEL_METRICS_SECONDS: '15' })).toEqual([traces, metrics, 15_000]);
  expect(sent({ KEYWAY_OTEL_SIGNALS: ' metrics, traces ' })).toEqual([traces, metrics, 60_000]);
  expect(sent({ KEYWAY_OTEL_SIGNALS: 'traces' })).toEqual([traces, undefined, undefined]);
  expect(sent({ KEYWAY_OTEL_SIGNALS: 'metrics' })).toEqual([undefined, metrics, 60_000]);
  expect(readConfig({}).metricsTo).toBeUndefined();
});

test.each(['logs', 'traces;metrics', 'none', 'Traces'])('what is sent cannot be %s', (named) => {
  expect(at('https://otel.example.com', { KEYWAY_OTEL_SIGNALS: named }).faults).toEqual([
    'KEYWAY_OTEL_SIGNALS must be traces, metrics, or both, separated by commas',
  ]);
});

test.each(['0', '3601', '1.5', '1m'])('metrics cannot be sent each %s seconds', (seconds) => {
  expect(at('https://otel.example.com', { KEYWAY_OTEL_METRICS_SECONDS: seconds }).faults).toEqual([
    'KEYWAY_OTEL_METRICS_SECONDS must be a whole number from 1 to 3600',
  ]);
});

test.each([
  ['KEYWAY_OTEL_SAMPLING', '1', 'metrics'],
  ['KEYWAY_OTEL_METRICS_SECONDS', '1', 'traces'],
])('%s is hardly meant so where only the other is sent', (name, value, named) => {
  const { doubts } = at('https://otel.example.com', { [name]: value, KEYWAY_OTEL_SIGNALS: named });
  expect(doubts).toContain(`${name} has no effect: KEYWAY_OTEL_SIGNALS names ${named} alone`);
  expect(at('https://otel.example.com', { [name]: value }).doubts.join()).not.toContain('KEYWAY_OTEL');
});

test.each([
  'nonsense-value',
  'ftp://hunter2.example.com',
  'http://hunter2.example.com:4318',
  'https://user:hunter2@otel.example.com',
  'https://otel.example.com/?token=hunter2',
])('traces cannot be sent to %s', (address) => {
  const { faults } = at(address);
  expect(faults).toEqual([expect.stringMatching(/^KEYWAY_OTEL_ENDPOINT must /)]);
  expect(faults.join()).not.toMatch(/hunter2|nonsense/);
});

test.each(['2', '-1', '10%', '1.5', '.5', '1e-3'])('the part of the requests cannot be %s', (sampling) => {
  const { faults } = at('https://otel.example.com', { KEYWAY_OTEL_SAMPLING: sampling });
  expect(faults).toEqual(['KEYWAY_OTEL_SAMPLING must be a number from 0 to 1, such as 0.05']);
});

test('a file of headers is looked at, and nothing of it is told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyway-headers-'));
  const file = join(folder, 'headers');
  const use = () => expectHeaders(file);
  try {
    expect(use).toThrow('KEYWAY_OTEL_HEADERS_FILE names a file that cannot be read (ENOENT)');
    writeFileSync(file, 'Authorization: Bearer hunter2 \n\napi-key: a b\r\n');
    expect(use).not.toThrow();
    for (const text of ['hunter2', 'a: hunter2\nb hunter2', 'a : hunter2', 'a: hunter2\u0001', 'a:']) {
      writeFileSync(file, text);
      expect(use).toThrow('KEYWAY_OTEL_HEADERS_FILE must name a file with a header a line');
      expect(use).not.toThrow('hunter2');
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  'KEYWAY_OTEL_HEADERS_FILE',
  'KEYWAY_OTEL_SIGNALS',
  'KEYWAY_OTEL_SAMPLING',
  'KEYWAY_OTEL_METRICS_SECONDS',
])('%s alone is hardly meant so', (name) => {
  expect(examineConfig({ [name]: '1' }).doubts).toContain(
    `${name} has no effect: set KEYWAY_OTEL_ENDPOINT too`,
  );
});
