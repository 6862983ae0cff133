import type { StoreRequest } from '../../src/connectors/connector.js';
import { requestOf } from '../../src/stores/request.js';

const addresses = { endpoint: 'https://store.example.com/api/v1/', sts: 'https://sts.example.com' };
const built = (request: Partial<StoreRequest>, at = addresses) =>
  requestOf(at, { method: 'GET', path: ['things'], ...request });

describe('S57: a request to a store is made of parts', () => {
  test('under the address that the store was given, with what that has of a path', () => {
    expect(built({ path: ['users', 'ada', ''] }).url.href).toBe(
      'https://store.example.com/api/v1/users/ada/',
    );
    expect(built({ path: [] }).url.href).toBe('https://store.example.com/api/v1/');
    expect(built({ at: 'sts', path: ['tokens'] }).url.href).toBe('https://sts.example.com/tokens');
  });

  test.each([
    ['a/b', 'a%2Fb'],
    ['a\\b', 'a%5Cb'],
    ['%2e%2e', '%252e%252e'],
    ['%2f', '%252f'],
    ['a?b=c', 'a%3Fb%3Dc'],
    ['a#b', 'a%23b'],
    ['//evil.example.com', '%2F%2Fevil.example.com'],
    ['@evil.example.com', '%40evil.example.com'],
    ['a\r\nHost: evil', 'a%0D%0AHost%3A%20evil'],
    ['...', '...'],
    ['ä', '%C3%A4'],
  ])('a segment %j stays one segment', (segment, spelled) => {
    const { url } = built({ path: ['users', segment, 'key'] });
    expect(url.href).toBe(`https://store.example.com/api/v1/users/${spelled}/key`);
  });

  test.each([['..'], ['.'], ['']])('a segment %j is refused before anything is sent', (segment) => {
    const wrong = () => built({ path: ['users', segment, 'key'] });
    expect(wrong).toThrow(expect.objectContaining({ fault: 'INVALID_INPUT', sent: false }));
  });

  test.each(['a&admin=true', 'a=b', '#x', '%26', 'a b', '+', '\r\nX: y'])(
    'a value %j in the query is one value of one name',
    (value) => {
      const { url } = built({ query: { name: value, after: 'x' } });
      expect([...url.searchParams]).toEqual([
        ['name', value],
        ['after', 'x'],
      ]);
      expect(url.search).not.toMatch(/[\r\n ]/);
      expect(url.hash).toBe('');
    },
  );

  test.each(['a\r\nX-Evil: 1', 'a\nb', 'a\0', 'ä', 'a\x7f'])('a header with %j is refused', (value) => {
    const refusal = expect.objectContaining({ fault: 'INVALID_INPUT', sent: false });
    expect(() => built({ headers: { 'x-name': value } })).toThrow(refusal);
    expect(() => built({ sign: () => ({ authorization: value }) })).toThrow(refusal);
  });

  test('a name of an address that the store does not have leads nowhere', () => {
    expect(() => built({ at: 'toString' })).toThrow(expect.objectContaining({ sent: false }));
    expect(() => built({ at: 'elsewhere' })).toThrow(expect.objectContaining({ sent: false }));
  });
});

describe('the body of a request', () => {
  test('is JSON, whatever its values hold', () => {
    const body = { name: '"}, {"admin": true', deep: ['\u2028'] };
    const request = built({ method: 'POST', body });
    expect(JSON.parse(request.body ?? '')).toEqual(body);
    expect(request.headers['content-type']).toBe('application/json');
  });

  test('is a form where it is one', () => {
    const request = built({ method: 'POST', body: new URLSearchParams({ name: 'a&b=c' }) });
    expect([...new URLSearchParams(request.body)]).toEqual([['name', 'a&b=c']]);
    expect(request.headers['content-type']).toBe('application/x-www-form-urlencoded');
  });

  test('is refused where it is nested deeper than can be written', () => {
    let body: unknown = {};
    for (let count = 0; count < 100_000; count++) body = { body };
    const refusal = expect.objectContaining({ fault: 'INVALID_INPUT', sent: false });
    expect(() => built({ method: 'PUT', body })).toThrow(refusal);
  });

  test('is none, and of no type, where there is none', () => {
    const { body, headers } = built({});
    expect([body, headers['content-type']]).toEqual([undefined, undefined]);
  });

  test('is what is signed, and under the address that is called', () => {
    let seen: unknown;
    const { url, body } = built({
      method: 'PUT',
      path: ['a b'],
      query: { q: 'ä' },
      body: { x: 1 },
      sign: (request) => {
        seen = { ...request, url: request.url.href };
        return { authorization: 'signed' };
      },
    });
    expect(seen).toEqual({ method: 'PUT', url: url.href, body });
  });
});
