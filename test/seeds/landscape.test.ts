// The operations of Landscape's page on credentials: https://ubuntu.com/landscape/docs/reference-rest-api-credentials
import { execFileSync } from 'node:child_process';
import { expectData, makeAccount, makeCaller, makeCredential, unique, type Made } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let person: { id: string; token: string };
let onward: { id: string; name: string; key: Made };
let upside: { id: string; name: string; key: Made };

beforeAll(async () => {
  server = await startTestServer();
  person = await makeCaller(server, [], {}, { title: 'Whoever is logged in' });
  onward = await accountWithKey('onward', 'Onward, Inc.', person.id);
  upside = await accountWithKey('upside', 'Upside Software, Ltd.', person.id);
  await accountWithKey('elsewhere', 'Of somebody else', await makeAccount(server, { kind: 'PERSON' }));
});
afterAll(() => server.stop());

async function accountWithKey(start: string, title: string, owner: string) {
  const name = unique(start);
  const id = await makeAccount(server, { name, title });
  const secret = { accessKey: { secretFormat: 'BASE64' } };
  return { id, name, key: await makeCredential(server, id, { owner, secret, retrievable: true }) };
}

const asPerson = () => ({ token: person.token });

const listOwn = `query ($owner: ID!) {
  credentials(filter: { owner: [$owner] }, orderBy: { by: CREATED_AT, direction: ASC }) {
    totalCount
    nodes { accessKey account { name title } }
  }
}`;

const regenerate = `mutation ($id: ID!) {
  rotateCredential(input: { id: $id }) {
    credential { accessKey account { name title } }
    issued { accessKey secret endpoint exports(prefix: "LANDSCAPE_API") }
  }
}`;

test("GET /credentials: the viewer's credentials for each account, with its name and title", async () => {
  const { viewer } = expectData(await server.ask('{ viewer { id } }', {}, asPerson()));
  const answer = await server.ask(listOwn, { owner: viewer.id }, asPerson());
  expect(expectData(answer).credentials).toEqual({
    totalCount: 2,
    nodes: [
      { accessKey: onward.key.accessKey, account: { name: onward.name, title: 'Onward, Inc.' } },
      { accessKey: upside.key.accessKey, account: { name: upside.name, title: 'Upside Software, Ltd.' } },
    ],
  });
});

test('S41: GET /credentials does not show a secret key, which the page did', async () => {
  const answer = await server.ask(listOwn, { owner: person.id }, asPerson());
  expect(answer.text).toContain(onward.key.accessKey);
  expect(answer.text).not.toContain(onward.key.secret);
});

test('S41: who holds CREDENTIAL_REVEAL has the secret key shown again, with its exports', async () => {
  const { id, accessKey, secret } = upside.key;
  const query = `mutation ($id: ID!) {
    revealCredential(input: { id: $id }) { issued { accessKey secret exports(prefix: "LANDSCAPE_API") } }
  }`;
  const own = await server.ask(query, { id }, asPerson());
  expect({ code: own.code, data: own.data }).toEqual({ code: 'FORBIDDEN', data: null });
  const { issued } = expectData(await server.ask(query, { id })).revealCredential;
  expect(issued).toMatchObject({ accessKey, secret });
  expect(evaluated(issued.exports)).toEqual({ key: accessKey, secret });
});

test('POST /credentials: the person regenerates the credentials of one account', async () => {
  const { name, key } = await accountWithKey('onward', 'Onward, Inc.', person.id);
  const { credential, issued } = expectData(
    await server.ask(regenerate, { id: key.id }, asPerson()),
  ).rotateCredential;
  expect(credential).toEqual({ accessKey: key.accessKey, account: { name, title: 'Onward, Inc.' } });
  expect(issued).toMatchObject({ accessKey: key.accessKey, endpoint: null });
  expect(issued.secret).toMatch(/^[\w+/]{43}=$/);
  expect(issued.secret).not.toBe(key.secret);
  const versions = await server.rows(
    'SELECT state FROM credential_versions v JOIN credentials c ON c.id = v.credential_id WHERE c.access_key = :accessKey ORDER BY number',
    { accessKey: key.accessKey },
  );
  expect(versions).toEqual([{ state: 'RETIRED' }, { state: 'CURRENT' }]);
});

test('S49: its exports, read by sh, are exactly the new access key and secret key', async () => {
  const { key } = await accountWithKey('onward', 'Onward, Inc.', person.id);
  const { issued } = expectData(await server.ask(regenerate, { id: key.id }, asPerson())).rotateCredential;
  expect(evaluated(issued.exports)).toEqual({ key: issued.accessKey, secret: issued.secret });
});

test('S30: POST /credentials of somebody else is NOT_FOUND, and changes nothing', async () => {
  const other = await makeCaller(server);
  const before = await server.ask('query ($id: ID!) { credential(id: $id) { revision } }', {
    id: onward.key.id,
  });
  const answer = await server.ask(regenerate, { id: onward.key.id }, { token: other.token });
  expect({ code: answer.code, data: answer.data }).toEqual({ code: 'NOT_FOUND', data: null });
  const after = await server.ask('query ($id: ID!) { credential(id: $id) { revision } }', {
    id: onward.key.id,
  });
  expect(expectData(after)).toEqual(expectData(before));
});

/** What sh makes of the lines. */
function evaluated(exports: string): { key: string; secret: string } {
  const script = `${exports}\nprintf '%s\\n%s' "$LANDSCAPE_API_ACCESS_KEY" "$LANDSCAPE_API_SECRET"\n`;
  const [key = '', secret = ''] = execFileSync('sh', { input: script, encoding: 'utf8' }).split('\n');
  return { key, secret };
}
