import { readConfig } from '../../src/config/config.js';

const at = (KEYWAY_AUDIT_STREAM: string, more = {}) =>
  readConfig({ KEYWAY_AUDIT_STREAM, ...more }).auditStream;

test('the audit log is streamed nowhere, or where it is said', () => {
  expect(readConfig({}).auditStream).toBeUndefined();
  expect(at('stdout')).toEqual({ kind: 'stdout' });
  expect(at('file:///var/log/keyway%20audit.jsonl')).toEqual({
    kind: 'file',
    path: '/var/log/keyway audit.jsonl',
  });
  const host = 'logs.example.com';
  expect(at('syslog+tls://logs.example.com')).toEqual({ kind: 'syslog', transport: 'tls', host, port: 6514 });
  expect(at('syslog+tcp://logs.example.com')).toEqual({ kind: 'syslog', transport: 'tcp', host, port: 601 });
  expect(at('syslog+udp://[::1]:5514/')).toEqual({
    kind: 'syslog',
    transport: 'udp',
    host: '::1',
    port: 5514,
  });
  const url = 'https://logs.example.com/in?tenant=1';
  expect(at(url)).toEqual({ kind: 'collector', url, tokenFile: undefined });
  expect(at(url, { KEYWAY_AUDIT_STREAM_TOKEN_FILE: '/run/token' })).toMatchObject({
    tokenFile: '/run/token',
  });
  expect(at('http://localhost:8080/')).toMatchObject({ kind: 'collector' });
});

test.each([
  ['logs.example.com', 'must be stdout, file:///path, syslog+tls://host'],
  ['syslog://logs.example.com', 'must be stdout, file:///path, syslog+tls://host'],
  ['syslog+tcp://logs.example.com/hunter2', 'must be stdout, file:///path, syslog+tls://host'],
  ['file:///var/hunter2%', 'must have a % in it written as %25'],
  ['file:///hunter2%00', 'must be stdout, file:///path, syslog+tls://host'],
  ['file://hunter2/x', 'must be stdout, file:///path, syslog+tls://host'],
  ['http://logs.example.com/hunter2', 'must use https, unless the collector is on this machine'],
  ['https://ada:hunter2@logs.example.com/', 'must have no user and no password in it'],
])('not to %s', (text, why) => {
  expect(() => at(text)).toThrow(`KEYWAY_AUDIT_STREAM ${why}`);
  expect(() => at(text)).not.toThrow('hunter2');
});
