/**
 * @embedded tokens of issuers
 */
import { constants, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { CompactEncrypt, CompactSign, exportSPKI, importJWK } from 'jose';
import { expectData, makeAccount } from '../../support/make.js';
import { shiftProcessClock, shiftSteadyClock } from '../../support/clock.js';
import {
  claimsAt,
  makeSigner,
  signed,
  startIssuer,
  trusting,
  type Signer,
  type TestIssuer,
} from '../../support/issuer.js';
import { startTestServer, type TestServer } from '../../support/server.js';

const algorithms = ['EdDSA', 'ES256', 'ES384', 'PS256', 'PS384', 'RS256', 'RS384', 'RS512'];
let server: TestServer;
let issuer: TestIssuer;
/** One whose tokens may be signed by ES256 alone, with the same keys. */
let strict: string;
let generous: string;
let signers: Record<string, Signer>;
let ada: string;

beforeAll(async () => {
  signers = Object.fromEntries(
    await Promise.all(algorithms.map(async (alg) => [alg, await makeSigner(alg)] as const)),
  );
  issuer = await startIssuer(...Object.values(signers));
  strict = `${issuer.name}/strict`;
  generous = `${issuer.name}/generous`;
  server = await startTestServer(
    trusting(
      issuer.settings({ audience: ['keyway', 'keyway-two'], algorithms }),
      issuer.settings({
        issuer: strict,
        algorithms: ['ES256'],
        longestLifetimeHours: 1,
        largestTokenBytes: 2_048,
      }),
      issuer.settings({ issuer: generous, longestLifetimeHours: 168, largestTokenBytes: 49_152 }),
    ),
  );
  ada = await makeAccount(server, {
    kind: 'PERSON',
    identities: [
      { issuer: issuer.name, subject: 'ada' },
      { issuer: strict, subject: 'ada' },
      { issuer: generous, subject: 'ada' },
      { issuer: issuer.name, subject: 'a'.repeat(255) },
      { issuer: issuer.name, subject: '\u{1f511}'.repeat(255) },
      { issuer: issuer.name, subject: 'a\ufffdb' },
    ],
  });
});
afterAll(async () => {
  await server.stop();
  await issuer.stop();
});

const signer = (alg = 'ES256'): Signer => {
  const found = signers[alg];
  if (!found) throw new Error(`there is no key for ${alg}`);
  return found;
};
const claims = (more: Record<string, unknown> = {}) => claimsAt(server.db.now(), issuer.name, 'ada', more);
const nowS = () => Math.floor(server.db.now() / 1000);
/** A good token, but for the claims and members of the header that are given. */
const token = (more: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
  signed(signer(), claims(more), header);
const withoutClaim = (name: string) =>
  signed(signer(), Object.fromEntries(Object.entries(claims()).filter(([known]) => known !== name)));
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

const viewer = (presented: string) => server.ask('{ viewer { id } }', {}, { token: presented });

/** What a refusal looks like, apart from the id of its request. */
async function refusalOf(presented: string) {
  const { status, headers, text } = await viewer(presented);
  const id = headers.get('x-request-id') ?? 'none';
  return { status, challenge: headers.get('www-authenticate'), text: text.replaceAll(id, 'ID') };
}

const refusal = {
  status: 401,
  challenge: 'Bearer realm="keyway"',
  text: JSON.stringify({
    errors: [{ message: 'No valid token was presented.', extensions: { code: 'UNAUTHENTICATED', id: 'ID' } }],
    extensions: { cost: 0 },
  }),
};

describe('a token is taken', () => {
  test.each(algorithms)('that is signed by %s', async (alg) => {
    expect(expectData(await viewer(await signed(signer(alg), claims()))).viewer.id).toBe(ada);
  });

  test.each<[string, () => Promise<string>]>([
    ['for another audience of ours', () => token({ aud: 'keyway-two' })],
    ['for several audiences', () => token({ aud: ['elsewhere', 'keyway'] })],
    ['of a type, JWT', () => token({}, { typ: 'JWT' })],
    ['of a type, in any case', () => token({}, { typ: 'jwt' })],
    ['of a type, at+jwt', () => token({}, { typ: 'at+jwt' })],
    ['of a type, written out', () => token({}, { typ: 'application/AT+JWT' })],
    ['that ended less than 30 s ago', () => token({ iat: nowS() - 100, exp: nowS() - 20 })],
    ['from a clock that is 20 s fast', () => token({ iat: nowS() + 20, nbf: nowS() + 20 })],
    ['that began to hold before', () => token({ nbf: nowS() - 100 })],
    ['that lives for 25 h', () => token({ exp: nowS() + 90_000, iat: nowS() })],
    ['for a day, dated back by a few minutes', () => token({ exp: nowS() + 86_400, iat: nowS() - 300 })],
    ['with times in fractions', () => token({ exp: nowS() + 60.5, iat: nowS() - 0.5 })],
    [
      'with claims that mean nothing here',
      () => token({ azp: 'x', scope: 'admin', email: 'eve@example.com' }),
    ],
    ['without kid, where one key fits', () => token({}, { kid: undefined })],
    ['of a subject of 255 letters', () => token({ sub: 'a'.repeat(255) })],
    ['of a subject of 255 characters of two code units', () => token({ sub: '\u{1f511}'.repeat(255) })],
    ['of an issuer with fewer algorithms', () => token({ iss: strict })],
    ['of 16 KiB', async () => (await around(16 * 1024)).largest],
  ])('%s', async (_, make) => {
    expect(expectData(await viewer(await make())).viewer.id).toBe(ada);
  });
});

/** Good tokens that differ by their length alone: the largest that is taken, and the next. */
async function around(
  most: number,
  more: Record<string, unknown> = {},
): Promise<{ largest: string; tooLarge: string }> {
  const empty = await token({ ...more, pad: '' });
  let largest = empty;
  for (let pad = Math.floor(((most - empty.length) * 3) / 4) - 4; ; pad++) {
    const made = await token({ ...more, pad: 'x'.repeat(pad) });
    if (made.length > most) return { largest, tooLarge: made };
    largest = made;
  }
}

/** What signs with a key that it takes for a symmetric one. */
const symmetric = (secret: string | Uint8Array, alg = 'HS256') =>
  new CompactSign(Buffer.from(JSON.stringify(claims())))
    .setProtectedHeader({ alg, kid: signer().kid })
    .sign(typeof secret === 'string' ? Buffer.from(secret) : secret);

const bad: Record<string, () => string | Promise<string>> = {
  'alg none': () => `${part({ alg: 'none', kid: signer().kid })}.${part(claims())}.`,
  'alg none, with a signature': async () =>
    `${part({ alg: 'none', kid: signer().kid })}.${(await token()).split('.').slice(1).join('.')}`,
  'alg None': () => `${part({ alg: 'None' })}.${part(claims())}.AAAA`,
  'HS256 over the public key in PEM': async () => {
    const key = (await importJWK(signer('RS256').jwk, 'RS256')) as CryptoKey;
    return symmetric(await exportSPKI(key));
  },
  'HS256 over the public key as a JWK': () => symmetric(JSON.stringify(signer().jwk)),
  'HS256 over a number of the public key': () =>
    symmetric(Buffer.from(signer('RS256').jwk.n ?? '', 'base64url')),
  'an algorithm that the key is not for': () =>
    signed({ ...signer('PS256'), alg: 'PS256', kid: signer('RS256').kid }, claims()),
  'an algorithm that the issuer does not list': () => signed(signer('EdDSA'), claims({ iss: strict })),
  'an algorithm that nobody lists': async () => signed(await makeSigner('ES512', signer().kid), claims()),
  'a key of another curve than that of the algorithm': () =>
    signed({ ...signer('ES256'), kid: signer('ES384').kid }, claims()),
  'another hash than that of the key': () => signRaw({ alg: 'RS512', kid: signer('RS256').kid }),
  'the key of somebody else under the same kid': async () =>
    signed(await makeSigner('ES256', signer().kid), claims()),
  'an unknown kid': () => token({}, { kid: 'unknown' }),
  'a kid that is no text': () => signRaw({ alg: 'ES256', kid: 7 }),
  'a changed signature': async () => swap(await token(), 2),
  'a changed claim': async () => swap(await token(), 1),
  'a changed header': async () => swap(await token({}, { extra: 'xxxxxxxx' }), 0),
  'no signature': async () => `${(await token()).split('.').slice(0, 2).join('.')}.`,
  'a signature twice': async () => `${await token()}.AAAA`,
  padding: async () => `${await token()}==`,

  'no iss': () => withoutClaim('iss'),
  'no sub': () => withoutClaim('sub'),
  'no aud': () => withoutClaim('aud'),
  'no exp': () => withoutClaim('exp'),
  'no iat': () => withoutClaim('iat'),
  'an unknown iss': () => token({ iss: 'https://elsewhere.example.com' }),
  'an iss in other letters': () => token({ iss: issuer.name.toUpperCase() }),
  'an iss with a slash more': () => token({ iss: `${issuer.name}/` }),
  'an iss that is a list': () => token({ iss: [issuer.name] }),
  'an iss that every object has': () => token({ iss: 'constructor' }),
  'an aud that is not ours': () => token({ aud: 'elsewhere' }),
  'an aud that begins as ours': () => token({ aud: 'keyway-three' }),
  'an empty aud': () => token({ aud: [] }),
  'an aud that is no text': () => token({ aud: 7 }),
  'an aud with something that is no text': () => token({ aud: ['keyway', 7] }),
  'an audience of another issuer': () => token({ iss: strict, aud: 'keyway-two' }),
  'an empty sub': () => token({ sub: '' }),
  'a sub of 256 characters': () => token({ sub: 'a'.repeat(256) }),
  'a sub that is a number': () => token({ sub: 7 }),
  'a sub that is a list': () => token({ sub: ['ada'] }),
  'a sub with NUL': () => token({ sub: 'ada\0' }),
  'a sub with half a character': () => token({ sub: 'a\ud800b' }),
  'a sub in other letters': () => token({ sub: 'Ada' }),
  'a sub with a space more': () => token({ sub: 'ada ' }),
  'a sub that nobody has': () => token({ sub: 'eve' }),
  'an exp that is past': () => token({ exp: nowS() - 31, iat: nowS() - 300 }),
  'an exp that is text': () => token({ exp: String(nowS() + 300) }),
  'an exp that is null': () => token({ exp: null }),
  'an exp beyond all numbers': () =>
    signed(signer(), JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999')),
  'an iat in the future': () => token({ iat: nowS() + 40 }),
  'an iat that is text': () => token({ iat: String(nowS()) }),
  'a lifetime over 25 h': () => token({ iat: nowS(), exp: nowS() + 90_001 }),
  'a lifetime over 25 h, nearly over': () => token({ iat: nowS() - 90_000, exp: nowS() + 10 }),
  'a lifetime of nothing': () => token({ iat: nowS(), exp: nowS() }),
  'an end before its beginning': () => token({ iat: nowS() + 20, exp: nowS() + 10 }),
  'an nbf in the future': () => token({ nbf: nowS() + 40 }),
  'an nbf that is text': () => token({ nbf: String(nowS() - 10) }),
  'an nbf that is null': () => token({ nbf: null }),

  'a crit that is known elsewhere': () => signRaw({ alg: 'ES256', kid: signer().kid, crit: ['exp'], exp: 1 }),
  'a crit that is unknown': () => signRaw({ alg: 'ES256', kid: signer().kid, crit: ['x'], x: 1 }),
  'an empty crit': () => signRaw({ alg: 'ES256', kid: signer().kid, crit: [] }),
  'a crit that is no list': () => signRaw({ alg: 'ES256', kid: signer().kid, crit: 'x' }),
  'sub twice': () => signed(signer(), JSON.stringify(claims()).replace(/}$/, ',"sub":"ada"}')),
  'sub twice, once in another spelling': () =>
    signed(signer(), JSON.stringify(claims()).replace(/^{/, '{"s\\u0075b":"eve",')),
  'alg twice': () => signRaw(`{"alg":"none","alg":"ES256","kid":"${signer().kid}"}`),
  'another type': () => token({}, { typ: 'dpop+jwt' }),
  'the type of a logout': () => token({}, { typ: 'logout+jwt' }),
  'the event of a logout': () =>
    token({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
  'a key that its bearer would have to prove (DPoP)': () => token({ cnf: { jkt: 'x' } }),
  'a certificate that its bearer would have to prove (mutual TLS)': () => token({ cnf: { 'x5t#S256': 'x' } }),
  'a type that is no text': () => token({}, { typ: 7 }),
  'claims that are a list': () => signed(signer(), [claims()]),
  'claims that are no JSON': () => signed(signer(), 'ada'),
  'more than 16 KiB': async () => (await around(16 * 1024)).tooLarge,
  'a JWE': () => encrypted(),
};

/** A token whose header is this text or object, whatever a library thinks of it. */
function signRaw(header: unknown): string {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const input = `${Buffer.from(text).toString('base64url')}.${part(claims())}`;
  return `${input}.${raw.sign(input)}`;
}

/** Signs by hand, with the same kind of key as the ES256 signer; published beside the others in its test. */
const raw = (() => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    publicKey,
    sign: (input: string) =>
      sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString(
        'base64url',
      ),
  };
})();

/** Exchanges two letters that differ in one part of a token. */
function swap(text: string, index: number): string {
  const parts = text.split('.');
  const changed = [...(parts[index] ?? '')];
  const at = changed.findIndex((letter, place) => place > 8 && letter !== changed[place + 1]);
  [changed[at], changed[at + 1]] = [changed[at + 1] ?? '', changed[at] ?? ''];
  parts[index] = changed.join('');
  return parts.join('.');
}

async function encrypted(): Promise<string> {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return new CompactEncrypt(Buffer.from(await token()))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT' })
    .encrypt(publicKey);
}

test.each(Object.keys(bad))('S16, S24: with %s it is refused, as all others are', async (name) => {
  const presented = await (bad[name]?.() ?? '');
  expect(presented).toMatch(/^[\w-]+\.[\w-]+\./);
  expect(await refusalOf(presented)).toEqual(refusal);
});

test('S16: what is signed by hand in these tests is refused for its header alone', async () => {
  const keys = [...issuer.keys];
  const kid = 'by hand';
  const other = await startIssuer();
  other.keys = [{ ...raw.publicKey.export({ format: 'jwk' }), kid }];
  const fresh = await startTestServer(trusting(other.settings({ issuer: issuer.name })));
  try {
    const id = await makeAccount(fresh, { identities: [{ issuer: issuer.name, subject: 'ada' }] });
    const ask = (header: unknown) => fresh.ask('{ viewer { id } }', {}, { token: signRaw(header) });
    expect(expectData(await ask({ alg: 'ES256', kid })).viewer.id).toBe(id);
    for (const header of [
      { alg: 'ES256', kid, crit: ['exp'], exp: 1 },
      { alg: 'ES256', kid, crit: ['x'], x: 1 },
      { alg: 'ES256', kid, crit: [] },
      { alg: 'ES256', kid, crit: 'x' },
      { alg: 'ES256', kid, crit: ['b64'], b64: false },
      { alg: 'ES256', kid: 7 },
      `{"alg":"none","alg":"ES256","kid":"${kid}"}`,
    ])
      expect([header, (await ask(header)).status]).toEqual([header, 401]);
  } finally {
    await fresh.stop();
    await other.stop();
  }
  expect(issuer.keys).toEqual(keys);
});

test('S16: an RSA key of 1024 bit verifies nothing, one of 2048 does', async () => {
  const other = await startIssuer();
  const fresh = await startTestServer(trusting(other.settings()));
  try {
    const id = await makeAccount(fresh, { identities: [{ issuer: other.name, subject: 'ada' }] });
    const made = [1024, 2048].map((modulusLength) => ({
      kid: `${modulusLength}`,
      ...generateKeyPairSync('rsa', { modulusLength }),
    }));
    other.keys = made.map(({ kid, publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid }));
    const answers = [];
    for (const { kid, privateKey } of made)
      for (const alg of ['RS256', 'PS256']) {
        const presented = rsaSigned(privateKey, alg, kid, claimsAt(fresh.db.now(), other.name, 'ada'));
        const answer = await fresh.ask('{ viewer { id } }', {}, { token: presented });
        answers.push([kid, alg, answer.data?.viewer.id ?? answer.code]);
      }
    expect(answers).toEqual([
      ['1024', 'RS256', 'UNAUTHENTICATED'],
      ['1024', 'PS256', 'UNAUTHENTICATED'],
      ['2048', 'RS256', id],
      ['2048', 'PS256', id],
    ]);
  } finally {
    await fresh.stop();
    await other.stop();
  }
});

function rsaSigned(privateKey: KeyObject, alg: string, kid: string, payload: unknown): string {
  const input = `${part({ alg, kid })}.${part(payload)}`;
  const padding = alg === 'PS256' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {};
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, ...padding });
  expect(createPublicKey(privateKey).asymmetricKeyType).toBe('rsa');
  return `${input}.${signature.toString('base64url')}`;
}

test('a token that is wrong by itself asks no issuer', async () => {
  const other = await startIssuer(signer());
  const fresh = await startTestServer(trusting(other.settings({ issuer: issuer.name })));
  try {
    // The rest is good of itself, and only the keys or the database can tell.
    const byKeys =
      /key|kid|PEM|JWK|changed|algorithm that the issuer|other letters$|space more|nobody has|crit|audience of another/;
    const names = Object.keys(bad).filter((name) => !byKeys.test(name));
    expect(names.length).toBeGreaterThan(30);
    for (const name of names)
      expect([
        name,
        (await fresh.ask('{ viewer { id } }', {}, { token: await (bad[name]?.() ?? '') })).status,
        other.asked.length,
      ]).toEqual([name, 401, 0]);
    // And this server would ask for one that is right.
    expect((await fresh.ask('{ viewer { id } }', {}, { token: await token() })).status).toBe(401);
    expect(other.asked).toHaveLength(1);
  } finally {
    await fresh.stop();
    await other.stop();
  }
});

describe('the limits of an issuer are its own', () => {
  const within = async (iss: () => string, more: Record<string, unknown>) =>
    (await viewer(await token({ iss: iss(), ...more }))).status;

  test('how long a token lives', async () => {
    const lasting = (seconds: number) => ({ iat: nowS(), exp: nowS() + seconds });
    expect(await within(() => strict, lasting(3_600))).toBe(200);
    expect(await within(() => strict, lasting(3_601))).toBe(401);
    expect(await within(() => generous, lasting(7 * 86_400))).toBe(200);
    expect(await within(() => generous, lasting(7 * 86_400 + 1))).toBe(401);
  });

  test.each<[string, () => string, number]>([
    ['a small one', () => strict, 2_048],
    ['the largest there is', () => generous, 49_152],
  ])('how long a token is: %s', async (_, iss, most) => {
    const { largest, tooLarge } = await around(most, { iss: iss() });
    expect([(await viewer(largest)).status, (await viewer(tooLarge)).status]).toEqual([200, 401]);
  });
});

describe('the log says why a token is refused', () => {
  test.each<[string, () => string | Promise<string>, RegExp]>([
    ...Object.entries(bad).map(([name, make]): [string, typeof make, RegExp] => [name, make, /./]),
    [
      'an identity that no account has',
      () => token({ sub: 'eve' }),
      /no account .*"https:\/\/id[^"]+".*"eve"/,
    ],
    ['an unknown key id', () => token({}, { kid: 'mark' }), /key id/],
    ['another signature', async () => swap(await token(), 2), /signature/],
    ['an issuer that nobody knows', () => token({ iss: 'https://mark.example' }), /KEYWAY_JWT_ISSUERS/],
    ['another audience', () => token({ aud: 'mark' }), /audience/],
    ['a long life', () => token({ iat: nowS(), exp: nowS() + 90_001 }), /longestLifetimeHours/],
    ['a long text', async () => (await around(16 * 1024)).tooLarge, /largestTokenBytes/],
    ['a text that is longer than any', async () => `a.${'b'.repeat(49_152)}.c`, /too long/],
  ])('%s', async (_, make, why) => {
    const presented = await make();
    const { status, headers } = await viewer(presented);
    expect(status).toBe(401);
    const id = headers.get('x-request-id') ?? 'none';
    const causes = server.logged
      .map((line) => JSON.parse(line) as { id?: string; cause?: string; msg: string })
      .filter((line) => line.id === id && line.msg === 'a caller was refused')
      .map(({ cause }) => cause);
    expect(causes).toEqual([expect.stringMatching(why)]);
    expect(causes.join()).not.toContain('mark');
    for (const piece of presented.split('.').filter((one) => one.length > 8))
      expect(causes.join()).not.toContain(piece.slice(0, 200));
  });
});

test('a token in another scheme, or in two headers, is refused', async () => {
  const presented = await token();
  for (const authorization of [
    `Basic ${presented}`,
    `DPoP ${presented}`,
    presented,
    `Bearer ${presented} x`,
  ]) {
    const answer = await server.ask('{ viewer { id } }', {}, { token: null, headers: { authorization } });
    expect(answer.status).toBe(401);
  }
});

test('S42: a token is in no line of the log, also where it is refused', async () => {
  const good = await token();
  const wrong = await token({ exp: 7 });
  await viewer(good);
  await viewer(wrong);
  const logged = server.logged.join('');
  for (const one of [good, wrong])
    for (const piece of one.split('.')) expect(logged.includes(piece.slice(0, 200))).toBe(false);
});

describe('R33: with the clock of the process off', () => {
  test.each([3_600_000, -3_600_000])('by %i ms, the time of the database decides', async (offMs) => {
    // By the database's time, which is the true one here.
    const trueS = Math.floor(Date.now() / 1000);
    const at = (seconds: number) => trueS + seconds;
    // The embedded database has no clock but the process's time of day: there, only Keyway's own reckoning is off.
    const undo = (process.env['TEST_DATABASE_URL'] ? shiftProcessClock : shiftSteadyClock)(offMs);
    const fresh = await startTestServer(trusting(issuer.settings()));
    try {
      const id = await makeAccount(fresh, { identities: [{ issuer: issuer.name, subject: 'ada' }] });
      const answer = async (times: Record<string, unknown>) => {
        const presented = await signed(signer(), { ...claims(), ...times });
        const { data, code } = await fresh.ask('{ viewer { id } }', {}, { token: presented });
        return data?.viewer.id ?? code;
      };
      expect(Math.abs(performance.timeOrigin + performance.now() - trueS * 1000)).toBeGreaterThan(3_000_000);
      expect(await answer({ iat: at(-10), exp: at(300) })).toBe(id);
      expect(await answer({ iat: at(-3_500), exp: at(30) })).toBe(id);
      for (const times of [
        { iat: at(-400), exp: at(-100) },
        { iat: at(-4_000), exp: at(-3_700) },
        { iat: at(3_500), exp: at(3_700) },
        { iat: at(-10), nbf: at(100), exp: at(300) },
        { iat: at(offMs / 1000), exp: at(offMs / 1000 + 300) },
      ])
        expect([times, await answer(times)]).toEqual([times, 'UNAUTHENTICATED']);
    } finally {
      undo();
      await fresh.stop();
    }
  });
});
