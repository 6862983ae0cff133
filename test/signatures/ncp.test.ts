import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NcloudClient } from 'ncloud-mcp-server/dist/client/ncloud-client.js';
import { Secret } from '../../src/secret.js';
import { ncpScheme, ncpText } from '../../src/signatures/ncp.js';
import type { SignedRequest } from '../../src/signatures/scheme.js';
import { headerOf, request, target, withHeader } from './requests.js';

interface Vector {
  name: string;
  timestamp: string;
  accessKey: string;
  secretKey: string;
  method: string;
  url: string;
  stringToSign: string;
  signature: string;
  headers: Record<string, string>;
}

const { vectors } = JSON.parse(readFileSync('test/vectors/ncp-signature-v2.json', 'utf8')) as {
  vectors: Vector[];
};
const v1 = 'x-ncp-apigw-signature-v1';
const v2 = 'x-ncp-apigw-signature-v2';

const addressed = ({ method, url }: Vector, how: 'absolute' | 'path') =>
  how === 'absolute'
    ? request(method, `https://ncp.example${url}`)
    : request(method, url, { Host: 'ncp.example' });

describe('the vectors', () => {
  test('are nine', () => expect(vectors).toHaveLength(9));

  test.each(vectors)('$name: the text to sign is the printed one', (vector) => {
    const { timestamp, accessKey, stringToSign } = vector;
    expect(ncpText(target(addressed(vector, 'path')), timestamp, accessKey)).toBe(stringToSign);
  });

  test.each(vectors)('$name: we sign it so', (vector) => {
    const key = { accessKey: vector.accessKey, secret: Secret.of(vector.secretKey) };
    for (const how of ['absolute', 'path'] as const) {
      const signed = ncpScheme.sign(addressed(vector, how), key, { ms: Number(vector.timestamp) });
      for (const [name, value] of Object.entries(vector.headers)) expect(headerOf(signed, name)).toBe(value);
      expect(headerOf(signed, v2)).toBe(vector.signature);
    }
  });

  test.each(vectors)('$name: we take it, and as version 1 too', (vector) => {
    for (const how of ['absolute', 'path'] as const) {
      const base = addressed(vector, how);
      for (const header of [v1, v2]) {
        const headers = Object.entries(vector.headers).map(([name, value]) => ({
          name: name === v2 ? header : name,
          value,
        }));
        const claim = ncpScheme.read({ ...base, headers: [...base.headers, ...headers] });
        expect(claim?.holds(Secret.of(vector.secretKey))).toBe(true);
        expect(claim?.accessKeys).toEqual([vector.accessKey]);
        expect(claim?.signedAtMs).toBe(Number(vector.timestamp));
      }
    }
  });
});

describe('what the client of ncloud-mcp-server sends', () => {
  const arrived: SignedRequest[] = [];
  const server = createServer((message: IncomingMessage, answer) => {
    const body: Buffer[] = [];
    message.on('data', (part: Buffer) => body.push(part));
    message.on('end', () => {
      const raw = message.rawHeaders;
      const names = raw.filter((_, index) => index % 2 === 0);
      arrived.push({
        method: message.method ?? '',
        url: message.url ?? '',
        headers: names.map((name, index) => ({ name, value: raw[2 * index + 1] ?? '' })),
        body: Buffer.concat(body),
      });
      answer.setHeader('Connection', 'close').end('{}');
    });
  });
  const accessKey = 'ncp_iam_EXAMPLE0000000000001';
  const secretKey = 'ncp_iam_EXAMPLEsecretEXAMPLEsecret00000001';
  let client: NcloudClient;

  beforeAll(async () => {
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const { port } = server.address() as AddressInfo;
    client = new NcloudClient({ baseUrl: `http://127.0.0.1:${port}`, accessKey, secretKey });
  });
  afterAll(() => new Promise((closed) => server.close(closed)));

  test.each<[string, () => Promise<unknown>]>([
    [
      'a GET with a query',
      () => client.request('/vserver/v2/getServerInstanceList', { names: ['a b', 'é/+'] }),
    ],
    [
      'a POST with a body',
      () => client.requestRaw('POST', '/api/v1/credentials', undefined, { durationSec: 900 }),
    ],
    ['a PUT', () => client.putRequest('/api/v1/sub-accounts/1/access-keys', { active: false })],
    ['a DELETE with a body', () => client.deleteRequest('/api/v1/sub-accounts/1/access-keys', { accessKey })],
  ])('%s is taken, under its secret alone', async (_, send) => {
    const before = Date.now();
    await send();
    const one = arrived.pop();
    const claim = one && ncpScheme.read(one);
    expect(claim?.accessKeys).toEqual([accessKey]);
    expect(claim?.holds(Secret.of(secretKey))).toBe(true);
    expect(claim?.holds(Secret.of(`${secretKey}x`))).toBe(false);
    expect(claim?.signedAtMs).toBeGreaterThanOrEqual(before);
  });
});

describe('a claim', () => {
  const key = { accessKey: 'ncp_iam_EXAMPLE0000000000001', secret: Secret.of('ncp_iam_EXAMPLEsecret') };
  const signed = ncpScheme.sign(
    request(
      'POST',
      'https://sts.example.com/api/v1/credentials?a=1',
      { 'Content-Type': 'application/json' },
      '{}',
    ),
    key,
    { ms: 1_700_000_000_000 },
  );
  const signature = headerOf(signed, v2);
  const without = (name: string): SignedRequest => ({
    ...signed,
    headers: signed.headers.filter((one) => one.name !== name),
  });

  test.each<[string, SignedRequest]>([
    ['http instead of https', { ...signed, url: signed.url.replace('https', 'http') }],
    [
      'the host and its port',
      { ...signed, url: signed.url.replace('sts.example.com', 'other.example:8443') },
    ],
    [
      'whether the address is absolute',
      withHeader({ ...signed, url: '/api/v1/credentials?a=1' }, 'host', 'h'),
    ],
    ['the body', { ...signed, body: Buffer.from('[]') }],
    ['other headers', withHeader(without('Content-Type'), 'X-Other', 'é')],
    ['the version in the name of the header', withHeader(without(v2), v1, signature)],
  ])('does not cover %s', (_, other) => {
    expect(ncpScheme.read(other)?.holds(key.secret)).toBe(true);
  });

  test('S21: under the name of the other version is the same request, so that a replay is seen', () => {
    expect(ncpScheme.read(withHeader(without(v2), v1, signature))?.nonce).toEqual(
      ncpScheme.read(signed)?.nonce,
    );
  });

  test('is signed anew with one signature, whatever version it carried', () => {
    const older = withHeader(without(v2), v1, signature);
    expect(ncpScheme.sign(older, key, { ms: 1_700_000_000_000 })).toEqual(signed);
  });

  test('S21: covers the case of the method', () => {
    expect(ncpScheme.read({ ...signed, method: 'post' })?.holds(key.secret)).toBe(false);
  });

  // 32 bytes leave two bits of the last character: the same digest, written otherwise.
  const loose = signature.replace(
    /(.)=$/,
    (_, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=`,
  );

  test.each<[string, SignedRequest]>([
    ['no signature', without(v2)],
    ['both signatures', withHeader(signed, v1, signature)],
    ['a signature twice', withHeader(signed, v2, signature)],
    ['a signature that is no canonical base64', withHeader(without(v2), v2, loose)],
    ['a signature in base64url', withHeader(without(v2), v2, '-'.repeat(43) + '=')],
    ['a short signature', withHeader(without(v2), v2, 'AAAA')],
    ['no time', without('x-ncp-apigw-timestamp')],
    ['a time twice', withHeader(signed, 'X-NCP-APIGW-Timestamp', '1')],
    [
      'a time of sixteen digits',
      withHeader(without('x-ncp-apigw-timestamp'), 'x-ncp-apigw-timestamp', '1'.repeat(16)),
    ],
    [
      'a time that is no number',
      withHeader(without('x-ncp-apigw-timestamp'), 'x-ncp-apigw-timestamp', '1e12'),
    ],
    ['no access key', without('x-ncp-iam-access-key')],
    ['an access key twice', withHeader(signed, 'x-ncp-iam-access-key', key.accessKey)],
    [
      'an access key of two words',
      withHeader(without('x-ncp-iam-access-key'), 'x-ncp-iam-access-key', 'a b'),
    ],
    [
      'a long access key',
      withHeader(without('x-ncp-iam-access-key'), 'x-ncp-iam-access-key', 'a'.repeat(257)),
    ],
  ])('is undefined with %s', (_, other) => {
    expect(loose).not.toBe(signature);
    expect(ncpScheme.read(other)).toBeUndefined();
  });
});
