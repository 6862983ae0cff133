/**
 * @slow 20 s
 * @embedded keys of issuers
 */
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type AddressInfo } from 'node:net';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
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
import { expectData, makeAccount, unique } from '../../support/make.js';
import { readyPlace, spawnKeyway, urlOf } from '../../support/process.js';
import { startTestServer, type TestServer } from '../../support/server.js';

// Each test has an issuer of its own, and with it a set of keys of its own. The server is the same.
const most = 14;
let issuers: TestIssuer[];
let server: TestServer;
let issuer: TestIssuer;
let signer: Signer;
let account: string;
let used = 0;
/** What undoes the steps of the clock. */
const undoing: (() => void)[] = [];

beforeAll(async () => {
  issuers = await Promise.all(Array.from({ length: most }, () => startIssuer()));
  server = await startTestServer(trusting(...issuers.map((one) => one.settings())));
  account = await makeAccount(server, {
    identities: issuers.map(({ name }) => ({ issuer: name, subject: 'ada' })),
  });
});
beforeEach(async () => {
  const next = issuers[used++];
  if (!next) throw new Error('each test needs an issuer');
  issuer = next;
  signer = await makeSigner();
  issuer.keys = [signer.jwk];
});
afterEach(async () => {
  for (const undo of undoing.splice(0).reverse()) undo();
  await server.db.setClock();
});
afterAll(async () => {
  await server.stop();
  await Promise.all(issuers.map((one) => one.stop()));
});

/** Lets so much time pass for what is kept; the time of day stays what it is. */
async function pass(ms: number): Promise<void> {
  undoing.push(shiftSteadyClock(ms));
  await server.db.setClock();
}

const minuteMs = 60_000;
const token = (by = signer, header: Record<string, unknown> = {}) =>
  signed(by, claimsAt(server.db.now(), issuer.name, 'ada'), header);
const ask = (presented: string) => server.ask('{ viewer { id } }', {}, { token: presented });
/** What a request with a good token, or this one, comes to: the account, or a code. */
async function answer(presented?: string): Promise<string> {
  const { data, code } = await ask(presented ?? (await token()));
  return (data?.viewer.id as string | undefined) ?? code ?? 'nothing';
}

/** An issuer that answers with this, while it is set. */
const answering = (text: string, status = 200, headers: Record<string, string> = {}) => {
  issuer.answer = (_, response: ServerResponse) => void response.writeHead(status, headers).end(text);
};

test('keys are fetched when a token first asks for them, once for all that ask at the same time', async () => {
  expect(issuer.asked).toHaveLength(0);
  const tokens = await Promise.all(Array.from({ length: 30 }, () => token()));
  expect(new Set(await Promise.all(tokens.map(answer)))).toEqual(new Set([account]));
  expect(issuer.asked.map(({ url, method, headers }) => [method, url, headers.accept])).toEqual([
    ['GET', '/keys?tenant=query-mark', 'application/jwk-set+json, application/json'],
  ]);
});

test('keys are kept for ten minutes, and one that is gone by then verifies nothing', async () => {
  expect(await answer()).toBe(account);
  const other = await makeSigner();
  issuer.keys = [other.jwk];
  await pass(9 * minuteMs);
  expect([await answer(), issuer.asked.length]).toEqual([account, 1]);
  await pass(minuteMs + 1);
  expect([await answer(), issuer.asked.length]).toEqual(['UNAUTHENTICATED', 2]);
  expect([await answer(await token(other)), issuer.asked.length]).toEqual([account, 2]);
});

test('a key that is new is found at once, where the issuer was not asked within 30 s', async () => {
  expect(await answer()).toBe(account);
  const next = await makeSigner();
  issuer.keys = [signer.jwk, next.jwk];
  expect([await answer(await token(next)), issuer.asked.length]).toEqual(['UNAUTHENTICATED', 1]);
  await pass(29_000);
  expect([await answer(await token(next)), issuer.asked.length]).toEqual(['UNAUTHENTICATED', 1]);
  await pass(1_001);
  expect([await answer(await token(next)), issuer.asked.length]).toEqual([account, 2]);
  expect([await answer(), issuer.asked.length]).toEqual([account, 2]);
});

test('S18: a thousand tokens with a random kid cause one fetch in 30 s, and good ones are taken meanwhile', async () => {
  expect(await answer()).toBe(account);
  const flood = async () => {
    const codes = new Set<string>();
    for (let sent = 0; sent < 1_000; sent += 50) {
      const tokens = Array.from({ length: 50 }, () => token(signer, { kid: unique('random') }));
      for (const code of await Promise.all(tokens.map(async (one) => answer(await one)))) codes.add(code);
    }
    return [...codes];
  };
  await pass(30_001);
  expect(await flood()).toEqual(['UNAUTHENTICATED']);
  expect([await answer(), issuer.asked.length]).toEqual([account, 2]);
  await pass(30_001);
  expect(await answer(await token(signer, { kid: unique('random') }))).toBe('UNAUTHENTICATED');
  expect(issuer.asked).toHaveLength(3);
});

test('S17: what a token says of keys leads nowhere', async () => {
  let connections = 0;
  const trap = createTcp((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/keys`;
  try {
    const before = await server.rows('SELECT count(*)::int AS count FROM identities');
    const eve = await makeSigner();
    const kids = [
      address,
      `//${new URL(address).host}/keys`,
      '../../../../../../etc/passwd',
      'file:///etc/passwd',
      '/dev/zero',
      "' OR true; DROP TABLE identities; --",
      '${jndi:ldap://127.0.0.1/a}',
      '\0',
      'k\r\nhost: x',
    ];
    const named = { jku: address, x5u: address, jwk: eve.jwk, x5c: ['AAAA'], x5t: 'AAAA' };
    for (const header of [
      ...kids.map((kid) => ({ kid })),
      named,
      { ...named, kid: address },
      { ...named, kid: undefined },
    ])
      expect([header, await answer(await token(eve, header))]).toEqual([header, 'UNAUTHENTICATED']);
    // With a signature that holds, they change nothing either.
    expect(await answer(await token(signer, { jku: address, x5u: address, jwk: eve.jwk }))).toBe(account);
    expect(await server.rows('SELECT count(*)::int AS count FROM identities')).toEqual(before);
    await sleep(100);
    expect(connections).toBe(0);
    expect(new Set(issuer.asked.map(({ url }) => url))).toEqual(new Set(['/keys?tenant=query-mark']));
  } finally {
    await new Promise((resolve) => trap.close(resolve));
  }
});

test('while the issuer is down its keys go on for an hour, and no longer', async () => {
  expect(await answer()).toBe(account);
  await issuer.pause();
  await pass(11 * minuteMs);
  expect(await answer()).toBe(account);
  await pass(48 * minuteMs);
  expect(await answer()).toBe(account);
  await pass(minuteMs + 1);
  const { status, code, headers } = await ask(await token());
  expect([status, code, headers.get('www-authenticate')]).toEqual([503, 'UNAVAILABLE', null]);
  await issuer.resume();
  expect(await answer()).toBe('UNAVAILABLE');
  await pass(30_001);
  expect(await answer()).toBe(account);
});

test('an issuer that hangs holds nobody up for longer than 3 s, nor again within 30 s', async () => {
  expect(await answer()).toBe(account);
  await pass(11 * minuteMs);
  issuer.answer = () => undefined;
  const timed = async () => {
    const from = process.hrtime.bigint();
    expect(await answer()).toBe(account);
    return Number(process.hrtime.bigint() - from) / 1e6;
  };
  const first = await Promise.all([timed(), timed(), timed()]);
  for (const tookMs of first) {
    expect(tookMs).toBeGreaterThan(2_500);
    expect(tookMs).toBeLessThan(5_000);
  }
  for (let again = 0; again < 3; again++) expect(await timed()).toBeLessThan(1_500);
  expect(issuer.asked).toHaveLength(2);
});

test('a token whose keys fit does not wait for the fetch that another causes', async () => {
  expect(await answer()).toBe(account);
  await pass(30_001);
  const held: ServerResponse[] = [];
  issuer.answer = (_, response) => void held.push(response);
  const waiting = answer(await token(signer, { kid: 'unknown' }));
  for (let waited = 0; waited < 2_000 && held.length === 0; waited += 10) await sleep(10);
  expect(await answer()).toBe(account);
  expect(held).toHaveLength(1);
  held[0]?.end(JSON.stringify({ keys: issuer.keys }));
  expect(await waiting).toBe('UNAUTHENTICATED');
});

test('S56: what is no set of keys, or too large, or elsewhere, is as no answer', async () => {
  const elsewhere = issuers.at(-1);
  const keys = JSON.stringify({ keys: [signer.jwk] });
  const padded = (size: number) => keys.replace(/}$/, `,"pad":"${'x'.repeat(size - keys.length - 9)}"}`);
  expect(padded(64 * 1024)).toHaveLength(64 * 1024);
  const answers: [string, number, Record<string, string>][] = [
    [padded(64 * 1024 + 1), 200, {}],
    [keys, 302, { location: elsewhere?.jwks ?? '' }],
    [keys, 201, {}],
    [keys, 404, {}],
    [keys, 500, {}],
    ['', 200, {}],
    ['keys', 200, {}],
    ['[]', 200, {}],
    ['{}', 200, {}],
    ['{"keys":{}}', 200, {}],
    [keys.replace('{', '{"keys":[],'), 200, {}],
  ];
  for (const [index, [text, status, headers]] of answers.entries()) {
    answering(text, status, headers);
    expect([index, await answer(), issuer.asked.length]).toEqual([index, 'UNAVAILABLE', index + 1]);
    await pass(30_001);
  }
  answering(padded(64 * 1024));
  expect(await answer()).toBe(account);
  expect(elsewhere?.asked).toEqual([]);
});

test('a set with odd keys among the good is good for these; without any, it verifies nothing', async () => {
  const symmetric = { kty: 'oct', k: 'AAAA', kid: signer.kid };
  answering(JSON.stringify({ keys: [null, 7, 'x', {}, { kty: 'RSA' }, symmetric, signer.jwk] }));
  expect(await answer()).toBe(account);
  await pass(11 * minuteMs);
  answering('{"keys":[]}');
  expect(await answer()).toBe('UNAUTHENTICATED');
});

test('S58: the log names the issuer that fails and why, and nothing of query and answer', async () => {
  const before = server.logged.length;
  answering('{"keys":"body-mark"}', 500);
  expect(await answer()).toBe('UNAVAILABLE');
  const told = server.logged.slice(before).filter((line) => line.includes('could not be fetched'));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(issuer.name);
  expect(told[0]).toContain('the issuer answers with 500');
  expect(told[0]).toContain('"level":"warn"');
  expect(server.logged.join('')).not.toMatch(/query-mark|body-mark/);
});

test('R27: with the issuer down Keyway starts at once, and takes its tokens as soon as it is back', async () => {
  await issuer.pause();
  const from = performance.now();
  const fresh = await startTestServer(trusting(issuer.settings()));
  try {
    expect(performance.now() - from).toBeLessThan(30_000);
    expect((await fetch(`${fresh.url}/ready`)).status).toBe(200);
    const id = await makeAccount(fresh, { identities: [{ issuer: issuer.name, subject: 'ada' }] });
    const viewer = async () => {
      const presented = await signed(signer, claimsAt(fresh.db.now(), issuer.name, 'ada'));
      const { data, code } = await fresh.ask('{ viewer { id } }', {}, { token: presented });
      return data?.viewer.id ?? code;
    };
    expect(await viewer()).toBe('UNAVAILABLE');
    // Keyway's own tokens need no issuer.
    expectData(await fresh.ask('{ viewer { id } }'));
    await issuer.resume();
    undoing.push(shiftSteadyClock(30_001));
    await fresh.db.setClock();
    expect(await viewer()).toBe(id);
  } finally {
    await fresh.stop();
  }
});

describe('S56: by https', () => {
  test('keys are fetched from a private address that is allowed, whose certificate holds', async () => {
    const name = 'https://id.example.com';
    const { key, cert } = selfSigned('localhost');
    const own = await makeSigner();
    let asked = 0;
    const https = createHttps({ key, cert }, (_, response) => {
      asked++;
      response.end(JSON.stringify({ keys: [own.jwk] }));
    });
    await new Promise<void>((resolve) => https.listen(0, 'localhost', resolve));
    const place = await readyPlace();
    const { folder, environment } = place;
    const trusted = join(folder, 'trusted.pem');
    writeFileSync(trusted, cert);
    const settings = {
      issuer: name,
      jwks: `https://localhost:${(https.address() as AddressInfo).port}/keys`,
      audience: 'keyway',
      algorithms: ['ES256'],
    };
    const serve = (more: Record<string, string>) =>
      spawnKeyway(['serve'], { ...environment, KEYWAY_JWT_ISSUERS: JSON.stringify([settings]), ...more });
    const post = async (url: string, presented: string, query: string) => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${presented}` },
        body: JSON.stringify({ query }),
      });
      return (await response.json()) as {
        data?: { viewer: { name: string } };
        errors?: { extensions: { code: string } }[];
      };
    };
    const withRanges = { KEYWAY_OUTBOUND_RANGES: '127.0.0.0/8,::1' };
    try {
      // With the range but not the trust, with the trust but not the range, and with both.
      const answers: unknown[] = [];
      const told: string[] = [];
      for (const more of [
        withRanges,
        { NODE_EXTRA_CA_CERTS: trusted },
        { NODE_EXTRA_CA_CERTS: trusted, ...withRanges },
      ] as Record<string, string>[]) {
        const keyway = serve(more);
        try {
          const url = await urlOf(keyway);
          const admin = readFileSync(join(folder, 'admin-token'), 'utf8').trim();
          await post(
            url,
            admin,
            `mutation { createAccount(input: { kind: PERSON, name: "ada", title: "Ada",
              identities: [{ issuer: "${name}", subject: "ada" }] }) { account { id } } }`,
          );
          const presented = await signed(own, claimsAt(Date.now(), name, 'ada'));
          const { data, errors } = await post(url, presented, '{ viewer { name } }');
          answers.push(data ?? errors?.[0]?.extensions.code);
        } finally {
          keyway.child.kill();
          await keyway.ended;
          // The log is written behind the answers, and whole once the process has ended.
          told.push(keyway.output());
        }
      }
      expect(answers).toEqual(['UNAVAILABLE', 'UNAVAILABLE', { viewer: { name: 'ada' } }]);
      expect(told[0]).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
      expect(told[1]).toContain('the address is not one that calls may go to');
      expect(asked).toBe(1);
    } finally {
      https.closeAllConnections();
      await new Promise((resolve) => https.close(resolve));
      await place.drop();
    }
  });
});
