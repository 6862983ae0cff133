import { headersOf } from '../../src/signatures/headers.js';
import { pathAndQuery, targetOf } from '../../src/signatures/target.js';
import { request, withHeader } from './requests.js';

const read = (one: ReturnType<typeof request>) => {
  const headers = headersOf(one, []);
  return headers && targetOf(one, headers);
};

test.each([
  ['https://api.example.com/a/b?c=d', 'api.example.com', 'api.example.com', '/a/b', 'c=d'],
  ['HTTPS://API.Example.COM', 'api.example.com', 'api.example.com', '/', undefined],
  ['https://h?x', 'h', 'h', '/', 'x'],
  ['https://h/?', 'h', 'h', '/', ''],
  ['https://h:443/', 'h', 'h:443', '/', undefined],
  ['http://h:80/', 'h', 'h:80', '/', undefined],
  ['http://h:443/', 'h:443', 'h:443', '/', undefined],
  ['https://h:8443/', 'h:8443', 'h:8443', '/', undefined],
  ['https://[2001:DB8::1]:8443/', '[2001:db8::1]:8443', '[2001:db8::1]:8443', '/', undefined],
  ['https://h/a/../b//%2e%2E/%7e?a=/?b&&%20', 'h', 'h', '/a/../b//%2e%2E/%7e', 'a=/?b&&%20'],
])('%s is read, and its path and query kept byte for byte', (url, authority, hostHeader, path, query) => {
  const host = authority.replace(/:\d+$/, '');
  expect(read(request('GET', url))).toEqual({ method: 'GET', authority, hostHeader, host, path, query });
  const sent = url.replace(/^\w+:\/\/[^/?]*/, '');
  const found = read(request('GET', url));
  expect(found && pathAndQuery(found)).toBe(sent.startsWith('/') ? sent : `/${sent}`);
});

test('of a path, the Host header tells the host; whether its port is the default one, nobody knows', () => {
  expect(read(request('GET', '/a?b', { HOST: 'H.Example:443' }))).toEqual({
    method: 'GET',
    authority: 'h.example:443',
    hostHeader: 'h.example:443',
    host: 'h.example',
    path: '/a',
    query: 'b',
  });
  expect(read(request('GET', '//other/a', { Host: '\t h ' }))).toMatchObject({
    host: 'h',
    path: '//other/a',
  });
});

test.each([
  ['https://h/', 'H'],
  ['https://h/', 'h:443'],
  ['https://h:443/', 'h'],
  ['http://h:80/', 'h'],
])('%s and the Host %s agree', (url, host) => {
  expect(read(request('GET', url, { Host: host }))).toMatchObject({
    authority: 'h',
    hostHeader: host.toLowerCase(),
  });
});

test.each([
  ['https://h/', 'other'],
  ['https://h/', 'h:80'],
  ['http://h/', 'h:443'],
  ['https://h:8443/', 'h'],
  ['https://h/', ''],
  ['https://h/', 'h h'],
])('%s and the Host %j do not agree, and there is no target', (url, host) => {
  expect(read(request('GET', url, { Host: host }))).toBeUndefined();
});

test.each([
  '',
  'h',
  '?a',
  '*',
  'h:443',
  'ftp://h/',
  'https:/h/',
  'https:///a',
  'https://',
  'https://user@h/',
  'https://user:word@h/',
  'https://h:/',
  'https://h:0/',
  'https://h:080/',
  'https://h:123456/',
  'https://h:1a/',
  'https://h%2e/',
  'https://h\\@other/',
  'https://[::1/',
  'https://[::1%25eth0]/',
  'https://hé/',
  `https://${'h'.repeat(256)}/`,
  'https://h/#',
  'https://h/a#b',
  'https://h/?a#b',
  'https://h/a b',
  'https://h/a\n',
  '\thttps://h/',
  'https://h/a\0',
  'https://h/é',
  'https://h/\x7f',
  '/a',
])('%j alone has no target', (url) => {
  expect(read(request('GET', url))).toBeUndefined();
});

test.each(['', 'G T', 'GET\n', 'GÉT', '(', 'GET/', 'G'.repeat(33)])('the method %j is none', (method) => {
  expect(read(request(method, 'https://h/'))).toBeUndefined();
});

test.each(['', '?a', 'a', '*', 'h:443'])('%j is no path, whatever host is told beside it', (url) => {
  expect(read(request('GET', url, { Host: 'h' }))).toBeUndefined();
});

test('a Host header said twice is none, even the same', () => {
  expect(read(withHeader(request('GET', '/', { Host: 'h' }), 'host', 'h'))).toBeUndefined();
  expect(read(withHeader(request('GET', 'https://h/', { Host: 'h' }), 'host', 'h'))).toBeUndefined();
});

test.each(['', 'Not a header', 'Host:', 'x\n', '\u212aey', ':path'])('there is no header %j', (name) => {
  expect(headersOf(request('GET', '/', { Host: 'h', [name]: '' }), [])).toBeUndefined();
});
