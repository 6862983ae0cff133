// Clients of other makes that sign requests: the door of Keyway takes what they send, and so does verifyCredential.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createSigner, httpbis } from 'http-message-signatures';
import { NcloudClient } from 'ncloud-mcp-server/dist/client/ncloud-client.js';
import { type SignedRequest, SignatureScheme } from '../../src/signatures/scheme.js';
import { expectData, makeAccount, makeCredential, type Made } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { presentation, send } from '../support/signing.js';

const { VeracodeClient } = {
  VeracodeClient: createRequire(import.meta.url)('@jupiterone/veracode-client') as new (
    id: string,
    key: string,
  ) => { calculateAuthorizationHeader(url: string, method: string): string },
};

let server: SharedServer;
let account: string;
/** Takes down what is sent to it, and answers nothing of note. */
const listener = createServer((message: IncomingMessage, answer) => {
  const parts: Buffer[] = [];
  message.on('data', (part: Buffer) => parts.push(part));
  message.on('end', () => {
    const names = message.rawHeaders.filter((_, index) => index % 2 === 0);
    const headers = names.map((name, index) => ({ name, value: message.rawHeaders[2 * index + 1] ?? '' }));
    const body = Buffer.concat(parts);
    heard.push({
      method: message.method ?? '',
      url: message.url ?? '',
      headers,
      ...(body.length > 0 && { body }),
    });
    answer.setHeader('Connection', 'close').end('{}');
  });
});
const heard: SignedRequest[] = [];
let elsewhere: string;

beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
  await new Promise<void>((ready) => listener.listen(0, '127.0.0.1', ready));
  elsewhere = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((closed) => listener.close(closed));
});

const query = '{ viewer { id } }';
const body = JSON.stringify({ query });
const path = '/graphql?from=test';
const json = { 'content-type': 'application/json' };

/** How a client asks who it is, at the Keyway behind an address: its answer as it was parsed. */
type Client = (key: Made, url: string) => Promise<unknown>;

const answerOf = async (response: Response) => {
  if (response.status !== 200) throw new Error(String(response.status));
  return (await response.json()) as unknown;
};

const ncloud: Client = ({ accessKey, secret }, baseUrl) =>
  new NcloudClient({ baseUrl, accessKey: String(accessKey), secretKey: String(secret) }).requestRaw(
    'POST',
    '/graphql',
    { from: 'test' },
    { query },
  );

const ncloudByGet: Client = ({ accessKey, secret }, baseUrl) =>
  new NcloudClient({ baseUrl, accessKey: String(accessKey), secretKey: String(secret) }).requestRaw(
    'GET',
    '/graphql',
    { query },
  );

const jupiterOne: Client = async ({ accessKey, secret }, url) => {
  const client = new VeracodeClient(String(accessKey), String(secret));
  const authorization = client.calculateAuthorizationHeader(`${url}${path}`, 'POST');
  return answerOf(
    await fetch(`${url}${path}`, { method: 'POST', headers: { ...json, authorization }, body }),
  );
};

const messageSignatures: Client = async ({ accessKey, secret }, url) => {
  const digest = createHash('sha256').update(body).digest('base64');
  const { headers } = await httpbis.signMessage(
    {
      key: createSigner(Buffer.from(String(secret)), 'hmac-sha256', String(accessKey)),
      fields: ['@method', '@authority', '@path', '@query', 'content-type', 'content-digest'],
      params: ['created', 'nonce', 'keyid', 'alg'],
      paramValues: { nonce: randomBytes(16).toString('base64url') },
    },
    { method: 'POST', url: `${url}${path}`, headers: { ...json, 'content-digest': `sha-256=:${digest}:` } },
  );
  return answerOf(
    await fetch(`${url}${path}`, { method: 'POST', headers: headers as Record<string, string>, body }),
  );
};

const hex = { accessKey: { secretFormat: 'HEX' } };
const ncp = { accessKey: { prefix: 'ncp_iam_' } };
const { NCP_SIGNATURE_V2, VERACODE_HMAC_SHA_256, HTTP_MESSAGE_SIGNATURES } = SignatureScheme;

describe.each<[string, SignatureScheme, Client, object, string[]]>([
  [
    'ncloud-mcp-server, by POST',
    NCP_SIGNATURE_V2,
    ncloud,
    ncp,
    ['x-ncp-apigw-timestamp', 'x-ncp-iam-access-key', 'x-ncp-apigw-signature-v2', 'url'],
  ],
  [
    'ncloud-mcp-server, by GET',
    NCP_SIGNATURE_V2,
    ncloudByGet,
    ncp,
    ['x-ncp-apigw-timestamp', 'x-ncp-iam-access-key', 'x-ncp-apigw-signature-v2', 'url'],
  ],
  ['@jupiterone/veracode-client', VERACODE_HMAC_SHA_256, jupiterOne, hex, ['authorization', 'url']],
  [
    'http-message-signatures',
    HTTP_MESSAGE_SIGNATURES,
    messageSignatures,
    {},
    ['signature', 'signature-input', 'content-digest', 'content-type', 'url', 'body'],
  ],
])('%s', (_, scheme, client, secret, parts) => {
  const makeKey = (input: Record<string, unknown> = {}) =>
    makeCredential(server, account, { secret: 'accessKey' in secret ? secret : { accessKey: {} }, ...input });

  /** What the client sends, as it arrives at another place than Keyway. */
  async function sentBy(key: Made): Promise<SignedRequest> {
    await client(key, elsewhere).catch(() => undefined);
    const one = heard.pop();
    if (!one) throw new Error('the client sent nothing');
    return one;
  }

  test('calls Keyway', async () => {
    expect(await client(await makeKey(), server.url)).toMatchObject({ data: { viewer: { id: account } } });
  });

  test('S21: is refused with another secret, and once its key is disabled', async () => {
    const key = await makeKey();
    await expect(client({ ...key, secret: 'ab'.repeat(64) }, server.url)).rejects.toThrow();
    const off = await makeKey({ enabled: false });
    await expect(client(off, server.url)).rejects.toThrow();
  });

  test('S21: calls with what it sends once, and not with one byte of it changed', async () => {
    const key = await makeKey();
    for (const part of parts) {
      const forgery = withOneByteChanged(await sentBy(key), part);
      const { status, data } = await send(server, framed(forgery));
      expect([part, status, data]).toEqual([part, 401, null]);
    }
    // It was signed for another place, and is sent here as it was sent there.
    const one = framed(await sentBy(key));
    expect(expectData(await send(server, one)).viewer.id).toBe(account);
    expect((await send(server, one)).status).toBe(401);
  });

  test('S21: is valid as it is presented, once, and not with one byte of it changed', async () => {
    const key = await makeKey();
    const one = await sentBy(key);
    const verdictOn = async (request: SignedRequest) => {
      const answer = await server.ask(
        'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code credential { id } } }',
        { input: presentation(scheme, request) },
      );
      return expectData(answer).verifyCredential;
    };
    for (const part of parts) {
      const verdict = await verdictOn(withOneByteChanged(one, part));
      expect([part, verdict]).toEqual([part, { code: 'NOT_VALID', credential: null }]);
    }
    expect(await verdictOn(one)).toEqual({ code: 'VALID', credential: { id: key.id } });
    expect(await verdictOn(one)).toEqual({ code: 'NOT_VALID', credential: null });
  });
});

/** The same request, framed anew by whoever sends it. */
const framed = (one: SignedRequest): SignedRequest => ({
  ...one,
  headers: one.headers.filter(({ name }) => !/^(connection|content-length|transfer-encoding)$/i.test(name)),
});

function withOneByteChanged(one: SignedRequest, part: string): SignedRequest {
  if (part === 'url') return { ...one, url: withOther(one.url) };
  if (part === 'body') return { ...one, body: Buffer.from(String(one.body).replace('viewer', 'viewes')) };
  return {
    ...one,
    headers: one.headers.map(({ name, value }) =>
      name.toLowerCase() === part ? { name, value: withOther(value) } : { name, value },
    ),
  };
}

/** One letter or digit in the middle of the text, as another. */
function withOther(text: string): string {
  const at = [...text].findIndex(
    (character, index) => index >= text.length / 2 && /[0-9a-z]/i.test(character),
  );
  return `${text.slice(0, at)}${text.charAt(at) === '3' ? '4' : '3'}${text.slice(at + 1)}`;
}
