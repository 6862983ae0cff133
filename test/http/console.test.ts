import { gunzipSync } from 'node:zlib';
import { request } from 'undici';
import { sharedServer, startTestServer, type SharedServer } from '../support/server.js';

// The page of the console and its files, as a browser gets them.

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

const get = async (path: string, headers: Record<string, string> = {}, url = server.url) => {
  const answer = await request(url + path, { headers });
  return { ...answer, bytes: Buffer.from(await answer.body.arrayBuffer()) };
};
const pageAt = async (path: string) => (await get(path)).bytes.toString();

test.each([
  ['/', './'],
  ['/credentials', './'],
  ['/credentials?status=ACTIVE&order=NAME', './'],
  ['/credentials/cred_1mO5qKOUcacMaFXJsmJzQh', '../'],
  ['/stores', './'],
  ['/audit', './'],
  ['/access', './'],
  ['/access/acct_0000000000000000000000', '../'],
  ['/stores/new', '../'],
  ['/credentials/new', '../'],
])('%s is the page, which looks for its files at %s from there', async (path, base) => {
  const { statusCode, headers, bytes } = await get(path);
  expect([statusCode, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  expect(bytes.toString()).toContain(`<base href="${base}" />`);
  expect(bytes.toString().match(/<base /g)).toHaveLength(1);
});

test('the page asks for nothing that is not there, and all of that is its own', async () => {
  const page = await pageAt('/');
  const asked = [...page.matchAll(/ (?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
  const files = asked.filter((path) => path !== './');
  expect(files.length).toBeGreaterThanOrEqual(3);
  for (const path of files) {
    expect(path).toMatch(/^\.\/assets\//);
    expect((await get(path.slice(1))).statusCode).toBe(200);
  }
});

test('a file is kept by whoever has it, and is the same packed or not', async () => {
  const [, path = ''] = /src="\.(\/assets\/[^"]+\.js)"/.exec(await pageAt('/')) ?? [];
  const plain = await get(path);
  const packed = await get(path, { 'accept-encoding': 'br, gzip' });
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(packed.bytes).equals(plain.bytes)).toBe(true);
  for (const { headers } of [plain, packed]) {
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['vary']).toBe('accept-encoding');
  }
  // What is loaded before anything is shown.
  expect(packed.bytes.length).toBeLessThan(300_000);
  // What React and others say to their developers is left out, whoever had it built: under Jest NODE_ENV is another one.
  expect(plain.bytes.toString()).not.toMatch(/jsxDEV|Heuristic Fragment Matching/);
});

test.each([
  '/assets/',
  '/assets/..%2findex.html',
  '/assets/..%2f..%2fpackage.json',
  '/assets/none.js',
  '/index.html',
])('%s is not there', async (path) => {
  const { statusCode, bytes } = await get(path);
  expect(statusCode).toBe(404);
  expect(bytes.toString()).toContain('NOT_FOUND');
});

test('the policy lets in no script but its own files, and no style but those and what knows the word of this answer', async () => {
  const [one, other] = [await get('/'), await get('/')];
  const policyOf = ({ headers }: typeof one) => String(headers['content-security-policy']);
  const nonceOf = (answer: typeof one) => /'nonce-([^']+)'/.exec(policyOf(answer))?.[1] ?? '';
  expect(policyOf(one).replace(/'nonce-[^']+'/, "'nonce'")).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce'; img-src 'self'; connect-src 'self'; " +
      "base-uri 'self'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default",
  );
  expect(Buffer.from(nonceOf(one), 'base64')).toHaveLength(16);
  expect(nonceOf(one)).not.toBe(nonceOf(other));
  expect(one.bytes.toString()).toContain(`nonce="${nonceOf(one)}"`);
  expect(one.headers['cache-control']).toBe('no-cache');
});

test('behind a path it lies below it; without the console, the explorer is shown', async () => {
  const other = await startTestServer({ KEYWAY_BASE_PATH: '/keyway' });
  try {
    expect((await get('/keyway/stores', {}, other.url)).bytes.toString()).toContain('<base href="./" />');
    expect((await get('/keyway', {}, other.url)).headers['location']).toBe('/keyway/');
  } finally {
    await other.stop();
  }
  const bare = await startTestServer({ KEYWAY_CONSOLE: 'false', KEYWAY_BASE_PATH: '/keyway' });
  try {
    const { statusCode, headers } = await get('/keyway/', {}, bare.url);
    expect([statusCode, headers['location']]).toEqual([302, '/keyway/explore']);
    expect((await get('/keyway/credentials', {}, bare.url)).statusCode).toBe(404);
    expect((await get('/keyway/explore', {}, bare.url)).statusCode).toBe(200);
  } finally {
    await bare.stop();
  }
});

test('the page is told where people sign in, as data alone, and may call there', async () => {
  const name = `A & B "</meta><script>"`;
  const other = await startTestServer({
    KEYWAY_JWT_ISSUERS: JSON.stringify([
      {
        issuer: 'https://id.example.com/realms/acme',
        audience: 'keyway',
        console: { clientId: 'keyway-console', name, origins: ['https://login.example.com'] },
      },
      { issuer: 'https://other.example.com', audience: 'keyway' },
    ]),
  });
  try {
    const { headers, bytes } = await get('/', {}, other.url);
    const page = bytes.toString();
    expect(page).not.toContain('</meta>');
    const [, told = ''] = /<meta name="keyway-sign-in" content="([^"]*)"/.exec(page) ?? [];
    const text = told.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
    expect(JSON.parse(text)).toEqual([
      {
        issuer: 'https://id.example.com/realms/acme',
        clientId: 'keyway-console',
        name,
        scope: 'openid',
        parameters: {},
        token: 'access',
        origins: ['https://login.example.com'],
      },
    ]);
    expect(headers['content-security-policy']).toContain(
      "connect-src 'self' https://id.example.com https://login.example.com;",
    );
  } finally {
    await other.stop();
  }
});
