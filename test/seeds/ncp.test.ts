// The operation of Naver Cloud Platform's page "Get credentials": GET /api/v1/credentials.
import { SignatureScheme } from '../../src/signatures/scheme.js';
import { issued } from '../credentials/temporary.js';
import { expectData, makeAccount, makeCaller, makeCredential, type Made } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { askSigned, questionByGet, send, signedBy } from '../support/signing.js';

const secret = { accessKey: { prefix: 'ncp_iam_' } };

let server: SharedServer;
let main: { id: string; token: string; key: Made };
let sub: { id: string; token: string; key: Made };

beforeAll(async () => {
  server = await sharedServer();
  const organization = await makeAccount(server);
  main = await withKey(await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: organization }, {}));
  sub = await withKey(await makeCaller(server, [], {}, { kind: 'SERVICE', parent: organization }));
});

async function withKey(caller: { id: string; token: string }) {
  return { ...caller, key: await makeCredential(server, caller.id, { secret }) };
}

const getCredentials = `{
  viewer { credentials(filter: { kind: [ACCESS_KEY] }) { nodes { accessKey createdAt expiresAt mfaAuthenticated } } }
}`;

test('the permanent key and its secret begin as they do there', () => {
  expect(sub.key.accessKey).toMatch(/^ncp_iam_[A-Z2-7]{20}$/);
  expect(sub.key.secret).toMatch(/^ncp_iam_[0-9A-Za-z]{43}$/);
});

test.each([
  ['a sub account', () => sub],
  ['a main account', () => main],
])('Get credentials: %s sees the access key and the creation date of its permanent key', async (_, who) => {
  const { key, token } = who();
  const answer = await server.ask(getCredentials, {}, { token });
  expect(expectData(answer).viewer.credentials.nodes).toEqual([
    {
      accessKey: key.accessKey,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown,
      expiresAt: null,
      mfaAuthenticated: false,
    },
  ]);
});

test('S41: Get credentials: the secret key is not among it, and cannot be had again', async () => {
  const answer = await server.ask(getCredentials, {}, { token: sub.token });
  expect(answer.text).toContain(sub.key.accessKey);
  expect(answer.text).not.toContain(sub.key.secret);
  const revealed = await server.ask(
    'mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { secret } } }',
    { id: sub.key.id },
  );
  expect({ code: revealed.code, data: revealed.data }).toEqual({ code: 'UNSUPPORTED', data: null });
});

test('the main account sees the keys of its sub accounts, and a sub account not those of the main', async () => {
  const query = 'query ($id: ID!) { credential(id: $id) { accessKey } }';
  const ofSub = await server.ask(query, { id: sub.key.id }, { token: main.token });
  expect(expectData(ofSub).credential).toEqual({ accessKey: sub.key.accessKey });
  const ofMain = await server.ask(query, { id: main.key.id }, { token: sub.token });
  expect(expectData(ofMain).credential).toBeNull();
});

describe.each([SignatureScheme.NCP_SIGNATURE_V2, SignatureScheme.HTTP_MESSAGE_SIGNATURES])(
  'Get credentials, signed by the key itself: %s',
  (scheme) => {
    const fields = 'accessKey createdAt expiresAt mfaAuthenticated';
    const get = async (key: Made) => {
      const asked = questionByGet(server, `{ credential(id: "${key.id}") { ${fields} } }`);
      return expectData(await send(server, signedBy(server, key, scheme, asked))).credential;
    };
    const reveal = (key: Made) =>
      askSigned(
        server,
        key,
        'mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { accessKey secret } } }',
        { id: key.id },
        scheme,
      );
    const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown;

    test('a temporary key reads its access key, creation, end and second factor, and is shown its secret', async () => {
      const key = await issued(server, sub.key.id, { retrievable: true }, sub);
      expect(key.accessKey).toMatch(/^ncp_iam_[A-Z2-7]{20}$/);
      const read = await get(key);
      expect(read).toEqual({
        accessKey: key.accessKey,
        createdAt: instant,
        expiresAt: instant,
        mfaAuthenticated: false,
      });
      expect(Date.parse(read.expiresAt) - Date.parse(read.createdAt)).toBe(3_600_000);
      const { accessKey, secret } = key;
      expect(expectData(await reveal(key)).revealCredential.issued).toEqual({ accessKey, secret });
    });

    test('a permanent key reads its access key and creation alone, and is shown no secret', async () => {
      expect(await get(sub.key)).toEqual({
        accessKey: sub.key.accessKey,
        createdAt: instant,
        expiresAt: null,
        mfaAuthenticated: false,
      });
      const { code, data } = await reveal(sub.key);
      expect({ code, data }).toEqual({ code: 'FORBIDDEN', data: null });
    });
  },
);
