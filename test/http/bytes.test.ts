/**
 * @embedded what comes in by HTTP
 */
import { request as httpRequest } from 'node:http';
import { makeAccount, makeCredential, unique, type Made } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';

let server: SharedServer;
let account: string;
let key: Made;
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
  key = await makeCredential(server, account);
});

interface Answered {
  status: number;
  code: string | undefined;
  text: string;
}

/** Sends these very bytes. */
function send(
  path: string,
  body: Buffer | undefined,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        hostname,
        port,
        path,
        method: body ? 'POST' : 'GET',
        agent: false,
        headers: {
          authorization: `Bearer ${server.adminToken}`,
          'apollo-require-preflight': '1',
          ...(body && { 'content-type': 'application/json' }),
          ...headers,
        },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          const { errors } = JSON.parse(text) as { errors?: { extensions: { code: string } }[] };
          resolve({ status: response.statusCode ?? 0, code: errors?.[0]?.extensions.code, text });
        });
      },
    );
    request.on('error', reject).end(body);
  });
}

/** The JSON of a value, with bytes in the place of the text `BYTES` in it. */
function withBytes(value: unknown, bytes: Buffer): Buffer {
  const [before = '', after = ''] = JSON.stringify(value).split('BYTES');
  return Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
}

const password = (name: string, secret: string) => ({
  query:
    'mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { credential { id } } }',
  variables: {
    input: { account, name, secret: { password: { username: unique('user'), password: secret } } },
  },
});
const stored = (name: string) => server.rows('SELECT id FROM credentials WHERE name = :name', { name });

describe('a text is kept as it was sent, or refused', () => {
  test.each([
    ['Latin-1', Buffer.from([0xe4])],
    ['half a character', Buffer.from([0xe2, 0x82])],
    ['a surrogate', Buffer.from([0xed, 0xa0, 0x80])],
  ])('a body with %s makes no password, and answers 400 with what to do', async (_, bytes) => {
    const name = unique('bytes');
    const answer = await send('/graphql', withBytes(password(name, 'a long passw BYTES rd'), bytes));
    expect([answer.status, answer.code]).toEqual([400, 'BAD_REQUEST']);
    expect(answer.text).toContain('encode it as UTF-8');
    expect(answer.text).not.toContain('passw');
    expect(await stored(name)).toEqual([]);
  });

  test.each([
    ['UTF-16', 'utf16le'],
    ['Latin-1', 'latin1'],
  ] as const)('a body in %s is refused', async (_, encoding) => {
    const name = unique('encoded');
    const body = Buffer.from(JSON.stringify(password(name, 'ein geheimes Wört chen')), encoding);
    expect((await send('/graphql', body)).status).toBe(400);
    expect(await stored(name)).toEqual([]);
  });

  test('one that is verified is none where its bytes are no text', async () => {
    const presented = { accessKey: key.accessKey, proof: { secret: `${key.secret}BYTES` } };
    const answer = await send('/v1/verify', withBytes(presented, Buffer.from([0xe4])));
    expect([answer.status, answer.code]).toEqual([400, 'BAD_REQUEST']);
  });

  test('what is beyond ASCII comes back as it was sent', async () => {
    const title = 'Zoë 😀 \uFFFD';
    const made = await makeAccount(server, { title });
    const { data } = await server.ask('query ($id: ID!) { node(id: $id) { ... on Account { title } } }', {
      id: made,
    });
    expect(data.node.title).toBe(title);
  });

  test.each(['iso-8859-1', 'windows-1252', 'utf-16', '"latin1"', 'us-ascii', '', 'utf-8; charset=latin1'])(
    'a body that says charset=%s is refused with 415',
    async (charset) => {
      const answer = await send('/graphql', Buffer.from('{"query":"{ viewer { id } }"}'), {
        'content-type': `application/json; charset=${charset}`,
      });
      expect([answer.status, answer.code]).toEqual([415, 'BAD_REQUEST']);
      expect(answer.text).toContain('UTF-8');
    },
  );

  test.each(['utf-8', 'UTF-8', '"utf-8"', 'utf8'])('a body that says charset=%s is read', async (charset) => {
    const answer = await send('/graphql', Buffer.from('{"query":"{ viewer { id } }"}'), {
      'content-type': `application/json; charset=${charset}`,
    });
    expect(answer.status).toBe(200);
  });

  test('a byte order mark before a body is passed over', async () => {
    const answer = await send('/graphql', Buffer.from('\uFEFF{"query":"{ viewer { id } }"}'));
    expect(answer.status).toBe(200);
  });
});

describe('half of a surrogate pair is refused', () => {
  test.each(['\\ud800', 'a\\udc00', '\\ude00\\ud83d'])('in a variable: %s', async (halved) => {
    const name = unique('half');
    const body = withBytes(password(name, 'a long password BYTES'), Buffer.from(halved));
    const answer = await send('/graphql', body);
    expect([answer.status, answer.code]).toEqual([400, 'BAD_USER_INPUT']);
    expect(answer.text).toContain('input.secret.password.password');
    expect(answer.text).toContain('surrogate');
    expect(await stored(name)).toEqual([]);
  });

  test('in a name of a member', async () => {
    const body = '{"query":"query ($f: CredentialFilter) { credentials(filter: $f) { nodes { id } } }",';
    const answer = await send('/graphql', Buffer.from(`${body}"variables":{"f":{"a\\ud800":1}}}`));
    expect([answer.status, answer.code]).toEqual([400, 'BAD_USER_INPUT']);
  });

  test.each(['\\\\ud800', '\\ud800'])('in the text of a document: %s', async (halved) => {
    const name = unique('half');
    const query = `mutation { createAccount(input: { kind: PERSON, name: \\"${name}\\", title: \\"${halved}\\" }) { account { id } } }`;
    expect((await send('/graphql', Buffer.from(`{"query":"${query}"}`))).status).toBe(400);
    expect(await server.rows('SELECT id FROM accounts WHERE name = :name', { name })).toEqual([]);
  });

  test('in what is verified', async () => {
    const presented = { accessKey: key.accessKey, proof: { secret: 'xBYTES' } };
    const answer = await send('/v1/verify', withBytes(presented, Buffer.from('\\ud800')));
    expect([answer.status, answer.code]).toEqual([400, 'BAD_USER_INPUT']);
  });
});

describe('an address is UTF-8 too', () => {
  const query = encodeURIComponent('query ($n: String!) { account(name: $n) { id } }');
  test.each(['%E4', '%ED%A0%80', '%', '%zz'])('%s in a variable is refused', async (bytes) => {
    const answer = await send(`/graphql?query=${query}&variables={%22n%22:%22a${bytes}%22}`, undefined);
    expect([answer.status, answer.code]).toEqual([400, 'BAD_REQUEST']);
    expect(answer.text).not.toContain('variables');
  });

  test.each([
    ['half of a pair', '{"n":"\\ud800"}'],
    ['a key that reaches a prototype', '{"n":"a","__proto__":{"polluted":true}}'],
    ['what is nested too deep', `{"n":${'['.repeat(40)}${']'.repeat(40)}}`],
  ])('variables are held to what a body is: %s', async (_, variables) => {
    const answer = await send(
      `/graphql?query=${query}&variables=${encodeURIComponent(variables)}`,
      undefined,
    );
    expect([answer.status, answer.code]).toEqual([400, 'BAD_USER_INPUT']);
  });

  test('what is encoded well is read', async () => {
    const variables = encodeURIComponent(JSON.stringify({ n: 'Zoë 😀' }));
    expect((await send(`/graphql?query=${query}&variables=${variables}`, undefined)).status).toBe(200);
  });
});

describe('a header with bytes beyond ASCII is none that Keyway understands', () => {
  test.each(['authorization', 'signature', 'x-ncp-iam-access-key'])('%s', async (name) => {
    const answer = await send('/graphql', Buffer.from('{"query":"{ viewer { id } }"}'), {
      [name]: `Bearer ${server.adminToken}\xe4`,
    });
    expect([answer.status, answer.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  test('and one that says nothing to it is passed over', async () => {
    const answer = await send('/graphql', Buffer.from('{"query":"{ viewer { id } }"}'), {
      'user-agent': 'Zo\xeb',
    });
    expect(answer.status).toBe(200);
  });
});
