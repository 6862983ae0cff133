/**
 * @embedded what comes in by HTTP
 */
import { mediaTypeFor } from '../../src/http/media-type.js';
import { makeCaller, unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';

const json = 'application/json';
const graphql = 'application/graphql-response+json';

test.each([
  [undefined, json],
  ['', json],
  ['*/*', json],
  ['application/*', json],
  [json, json],
  [graphql, graphql],
  ['Application/GraphQL-Response+JSON; charset=utf-8', graphql],
  [`${graphql}, ${json};q=0.9`, graphql],
  [`${graphql};q=0.8, ${json};q=0.9`, json],
  [`${json}, ${graphql}`, json],
  [`${graphql}, ${json}`, graphql],
  [`${graphql}, application/graphql+json, ${json}, text/event-stream, multipart/mixed`, graphql],
  [`text/html, */*;q=0.8`, json],
  [`${graphql};q=0.5, */*;q=0.1`, graphql],
  [`${json};q=0, */*`, graphql],
  [`${json};q=0, ${graphql};q=0`, undefined],
  ['text/html', undefined],
  ['text/event-stream', undefined],
  ['*/*;q=0', undefined],
  [`${json};q=nonsense`, undefined],
])('%j is answered as %s', (accept, type) => expect(mediaTypeFor(accept)).toBe(type));

describe('the media type that is accepted', () => {
  let server: SharedServer;
  let stranger: string;
  beforeAll(async () => {
    server = await sharedServer();
    ({ token: stranger } = await makeCaller(server));
  });

  const post = (body: string, headers: Record<string, string>) =>
    fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${server.adminToken}`,
        ...headers,
      },
      body,
    });
  const of = (query: string) => JSON.stringify({ query });
  const denied = 'mutation { createRole(input: { name: "denied", permissions: [] }) { role { id } } }';

  test.each<[string, number, string, () => Record<string, string>]>([
    ['data', 200, of('{ viewer { id } }'), () => ({})],
    ['no proof', 401, of('{ viewer { id } }'), () => ({ authorization: 'Bearer nobody' })],
    ['what is not allowed', 200, of(denied), () => ({ authorization: `Bearer ${stranger}` })],
    ['no JSON', 400, '{', () => ({})],
    ['no document', 400, '{}', () => ({})],
    ['another type', 415, 'a', () => ({ 'content-type': 'text/plain' })],
    ['another encoding', 415, 'a', () => ({ 'content-encoding': 'gzip' })],
    ['a document that cannot be read', 400, of('{'), () => ({})],
    ['a document that does not fit', 400, of('{ nowhere }'), () => ({})],
    ['too much', 400, of('{ credentials(first: 101) { totalCount } }'), () => ({})],
  ])('is that of %s', async (_, status, body, headers) => {
    for (const accept of [graphql, json]) {
      const answer = await post(body, { accept, ...headers() });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toBe(`${accept}; charset=utf-8`);
    }
  });

  test('is one of the two, or nothing is done and the answer is 406', async () => {
    const name = unique('not-accepted');
    const mutation = `mutation { createAccount(input: { kind: PERSON, name: "${name}", title: "A" }) { account { id } } }`;
    const answer = await post(of(mutation), { accept: 'text/html' });
    expect(answer.status).toBe(406);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const { errors } = (await answer.json()) as {
      errors: { message: string; extensions: { code: string } }[];
    };
    expect(errors[0]).toMatchObject({ extensions: { code: 'BAD_REQUEST' } });
    expect(errors[0]?.message).toContain('Accept');
    expect(await server.rows('SELECT id FROM accounts WHERE name = :name', { name })).toEqual([]);
  });
});

test.each([
  ['[]', 'must not be a list'],
  ['"text"', 'must be a JSON object'],
  ['{}', 'document is missing'],
  ['{"query":""}', 'document is missing'],
  ['{"query":7}', 'document is missing'],
  ['{"query":"{ viewer { id } }","variables":7}', 'variables must be an object'],
  ['{"query":"{ viewer { id } }","variables":[]}', 'variables must be an object'],
  ['{"query":"{ viewer { id } }","extensions":"x"}', 'extensions must be an object'],
  ['{"query":"{ viewer { id } }","operationName":7}', 'operationName must be a text'],
])('the body %s is told why it is none', async (body, words) => {
  const server = await sharedServer();
  const answer = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.adminToken}` },
    body,
  });
  const { errors } = (await answer.json()) as {
    errors: { message: string; extensions: { code: string; id: string } }[];
  };
  expect(answer.status).toBe(400);
  expect(errors[0]?.extensions).toEqual({ code: 'BAD_REQUEST', id: answer.headers.get('x-request-id') });
  expect(errors[0]?.message).toContain(words);
});
