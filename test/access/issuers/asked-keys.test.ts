/**
 * @embedded tokens of issuers
 */
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttps, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '../../support/certificate.js';
import { shiftSteadyClock } from '../../support/clock.js';
import {
  claimsAt,
  makeSigner,
  signed,
  startIssuer,
  trusting,
  type Signer,
  type TestIssuer,
} from '../../support/issuer.js';
import { makeAccount } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';

// Each test has an issuer of its own, which nobody has asked before. The server is the same.
const most = 14;
let folder: string;
let issuers: TestIssuer[];
let server: TestServer;
let issuer: TestIssuer;
let signer: Signer;
let used = 0;
let https: Server;
let httpsAsked: IncomingMessage[] = [];
const undoing: (() => void)[] = [];

const pathsOf = (index: number) => ({
  keys: join(folder, `keys-${index}.json`),
  bearer: join(folder, `bearer-${index}`),
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyway-issuers-'));
  signer = await makeSigner();
  issuers = await Promise.all(Array.from({ length: most }, () => startIssuer(signer)));
  const { key, cert } = selfSigned('localhost');
  writeFileSync(join(folder, 'ca.crt'), `# what is trusted\n${cert}`);
  writeFileSync(join(folder, 'other.crt'), selfSigned('localhost').cert);
  writeFileSync(join(folder, 'none.crt'), 'no certificate');
  https = createHttps({ key, cert }, (request, response) => {
    httpsAsked.push(request);
    response.end(JSON.stringify({ keys: [signer.jwk] }));
  });
  await new Promise<void>((resolve) => https.listen(0, 'localhost', resolve));
  const jwks = `https://localhost:${(https.address() as AddressInfo).port}/keys`;
  const audience = 'keyway';
  const certified = ['ca', 'other', 'none', 'missing'].map((name) => ({
    issuer: `https://${name}.example.com`,
    jwks,
    audience,
    certificateAuthorityFile: join(folder, `${name}.crt`),
  }));
  const settings = [
    ...issuers.map(({ address }, index) => ({
      issuer: address,
      audience,
      ...(index === 0 && { bearerFile: pathsOf(0).bearer }),
    })),
    ...issuers.map(({ name }, index) => ({ issuer: name, audience, jwksFile: pathsOf(index).keys })),
    { issuer: 'urn:inline', audience, jwks: { keys: [signer.jwk] } },
    ...certified,
  ];
  server = await startTestServer(trusting(...settings));
  const identities = settings.map((one) => ({ issuer: one.issuer, subject: 'ada' }));
  for (let from = 0; from < identities.length; from += 20)
    await makeAccount(server, { identities: identities.slice(from, from + 20) });
});
beforeEach(() => {
  const next = issuers[used++];
  if (!next) throw new Error('each test needs an issuer');
  issuer = next;
  httpsAsked = [];
});
afterEach(async () => {
  for (const undo of undoing.splice(0).reverse()) undo();
  await server.db.setClock();
});
afterAll(async () => {
  await server.stop();
  https.closeAllConnections();
  await new Promise((resolve) => https.close(resolve));
  await Promise.all(issuers.map((one) => one.stop()));
  await rm(folder, { recursive: true });
});

const minuteMs = 60_000;

/** Lets so much time pass for what is kept; the time of day stays what it is. */
async function pass(ms: number): Promise<void> {
  undoing.push(shiftSteadyClock(ms));
  await server.db.setClock();
}

/** What a request with a good token of this issuer comes to: `taken`, or a code. */
async function answer(name = issuer.address, by = signer): Promise<string> {
  const token = await signed(by, claimsAt(server.db.now(), name, 'ada'));
  const { data, code } = await server.ask('{ viewer { id } }', {}, { token });
  return data ? 'taken' : (code ?? 'nothing');
}

const asked = () => issuer.asked.map(({ url }) => url);
const metadata = '/.well-known/openid-configuration';
const keys = '/keys?tenant=query-mark';
const respond = (response: ServerResponse, body: unknown, status = 200) =>
  void response.writeHead(status).end(JSON.stringify(body));

/** The issuer's own metadata are these; its keys are where they are. */
const telling = (more: Record<string, unknown>, status = 200) => {
  issuer.answer = (request, response) =>
    request.url?.startsWith('/.well-known')
      ? respond(response, { issuer: issuer.address, jwks_uri: issuer.jwks, ...more }, status)
      : respond(response, { keys: issuer.keys });
};

describe('an issuer that is known by its name alone', () => {
  test('tells where its keys are, and is asked again for that after an hour; its token is shown to it', async () => {
    // The file of this test's issuer: the first.
    writeFileSync(pathsOf(0).bearer, 'first-bearer-mark\n');
    expect([await answer(), asked()]).toEqual(['taken', [metadata, keys]]);
    expect(issuer.asked.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first-bearer-mark',
      'Bearer first-bearer-mark',
    ]);
    writeFileSync(pathsOf(0).bearer, 'second-bearer-mark');
    await pass(11 * minuteMs);
    expect([await answer(), asked().slice(2)]).toEqual(['taken', [keys]]);
    expect(issuer.asked.at(-1)?.headers.authorization).toBe('Bearer second-bearer-mark');
    await pass(50 * minuteMs);
    expect([await answer(), asked().slice(3)]).toEqual(['taken', [metadata, keys]]);

    // Another host that it sends to is shown nothing.
    const elsewhere = issuers.at(-1);
    telling({ jwks_uri: elsewhere?.jwks });
    await pass(61 * minuteMs);
    expect(await answer()).toBe('taken');
    expect(issuer.asked.at(-1)?.headers.authorization).toBe('Bearer second-bearer-mark');
    expect(elsewhere?.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);

    // Without the token it is not asked at all.
    for (const text of ['', 'two words', 'line\nline', 'x'.repeat(49_153)]) {
      writeFileSync(pathsOf(0).bearer, text);
      await pass(61 * minuteMs);
      const before = asked().length;
      expect([text.length, await answer(), asked().length]).toEqual([text.length, 'UNAVAILABLE', before]);
    }
    expect(server.logged.join('')).toContain('the file of the bearer holds no token');
    expect(server.logged.join('')).not.toMatch(/bearer-mark/);
  });

  test('may tell it at the place of RFC 8414', async () => {
    issuer.answer = (request, response) => {
      if (request.url === '/.well-known/oauth-authorization-server')
        respond(response, { issuer: issuer.address, jwks_uri: issuer.jwks });
      else if (request.url === keys) respond(response, { keys: issuer.keys });
      else respond(response, {}, 404);
    };
    expect(await answer()).toBe('taken');
    expect(asked()).toEqual([metadata, '/.well-known/oauth-authorization-server', keys]);
  });

  test.each<[string, Record<string, unknown>, number, string]>([
    ['another issuer', { issuer: 'https://mark.example.com' }, 200, 'is of another issuer'],
    ['no issuer', { issuer: undefined }, 200, 'is of another issuer'],
    ['no keys', { jwks_uri: undefined }, 200, 'has no address of its keys'],
    ['keys at what is no address', { jwks_uri: 'mark' }, 200, 'has no address of its keys'],
    ['keys in a file', { jwks_uri: 'file:///etc/passwd' }, 200, 'are not at an https address'],
    ['keys at a private address', { jwks_uri: 'https://10.0.0.1/mark' }, 200, 'may go to'],
    ['nothing', {}, 500, 'it answers with 500 and 500'],
  ])('S56: is not believed where it tells of %s', async (_, more, status, told) => {
    const before = server.logged.length;
    telling(more, status);
    expect(await answer()).toBe('UNAVAILABLE');
    expect(asked()).not.toContain(keys);
    const log = server.logged.slice(before).join('');
    expect(log).toContain(told);
    expect(log).not.toContain('mark.example');
    // As soon as it tells the truth, it is.
    telling({});
    await pass(30_001);
    expect(await answer()).toBe('taken');
  });

  test('S18: is asked for its keys alone by tokens with unknown keys', async () => {
    expect(await answer()).toBe('taken');
    await pass(30_001);
    const stranger = await makeSigner();
    for (let count = 0; count < 20; count++)
      expect(await answer(issuer.address, stranger)).toBe('UNAUTHENTICATED');
    expect(asked()).toEqual([metadata, keys, keys]);
  });

  test('whose keys have moved is asked where they are now', async () => {
    expect(await answer()).toBe('taken');
    issuer.answer = (request, response) => {
      if (request.url === metadata)
        respond(response, { issuer: issuer.address, jwks_uri: `${issuer.address}/new` });
      else if (request.url === '/new') respond(response, { keys: issuer.keys });
      else respond(response, {}, 404);
    };
    await pass(11 * minuteMs);
    expect(await answer()).toBe('taken');
    await pass(30_001);
    expect(await answer()).toBe('taken');
    expect(asked().slice(2)).toEqual([keys, metadata, '/new']);
  });
});

test('keys in a file verify at once what was added to it, and nothing that was taken out', async () => {
  const path = pathsOf(used - 1).keys;
  const other = await makeSigner('ES384');
  const write = (...signers: Signer[]) =>
    writeFileSync(path, JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }));
  const both = async () => [await answer(issuer.name), await answer(issuer.name, other)];
  expect(await both()).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  write(signer);
  expect(await both()).toEqual(['taken', 'UNAUTHENTICATED']);
  write(signer, other);
  expect(await both()).toEqual(['taken', 'taken']);
  write(other);
  expect(await both()).toEqual(['UNAUTHENTICATED', 'taken']);
  // What is wrong with a changed file leaves it with the keys that it has, for an hour.
  writeFileSync(path, '{"keys":');
  expect(await both()).toEqual(['UNAUTHENTICATED', 'taken']);
  rmSync(path);
  expect(await both()).toEqual(['UNAUTHENTICATED', 'taken']);
  await pass(60 * minuteMs);
  expect(await both()).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  write(signer);
  expect(await both()).toEqual(['taken', 'UNAUTHENTICATED']);
  expect(issuer.asked).toEqual([]);
});

test('keys in the setting itself are there for ever', async () => {
  for (let count = 0; count < 3; count++) {
    expect(await answer('urn:inline')).toBe('taken');
    expect(await answer('urn:inline', await makeSigner())).toBe('UNAUTHENTICATED');
    await pass(61 * minuteMs);
  }
});

test('S56: an issuer with an authority of its own is trusted by that alone', async () => {
  expect(await answer('https://ca.example.com')).toBe('taken');
  expect(httpsAsked).toHaveLength(1);
  for (const name of ['other', 'none', 'missing'])
    expect([name, await answer(`https://${name}.example.com`)]).toEqual([name, 'UNAVAILABLE']);
  expect(httpsAsked).toHaveLength(1);
});
