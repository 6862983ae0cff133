/**
 * @embedded tokens of issuers
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { trusting } from '../support/issuer.js';
import { makeAccount } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';

interface Given {
  issuer: string;
  tokens: string[];
  /** Those that are not for Keyway. */
  strangers: string[];
}

const names = ['oidc-provider', 'oauth2-mock-server'];
const algorithms = ['ES256', 'ES384', 'EdDSA', 'PS256', 'PS384', 'RS256', 'RS384', 'RS512'];
let issuers: ChildProcess;
let given: Record<string, Given>;
let server: TestServer;
let account: string;

beforeAll(async () => {
  // In a process of their own, as their packages come.
  issuers = spawn(process.execPath, ['test/clients/issuers.mjs'], { stdio: ['pipe', 'pipe', 'ignore'] });
  if (!issuers.stdout) throw new Error('there is nothing to read');
  const [line] = (await once(createInterface(issuers.stdout), 'line')) as [string];
  given = JSON.parse(line) as Record<string, Given>;
  const settings = Object.values(given).map(({ issuer }) => ({ issuer, audience: 'keyway' }));
  server = await startTestServer(trusting(...settings));
  account = await makeAccount(server, {
    identities: settings.map(({ issuer }) => ({ issuer, subject: 'robot' })),
  });
});
afterAll(async () => {
  await server.stop();
  const ended = once(issuers, 'exit');
  issuers.stdin?.end();
  await ended;
});

const answer = async (token: string) => {
  const { data, code } = await server.ask('{ viewer { id } }', {}, { token });
  return (data?.viewer.id as string | undefined) ?? code;
};
const algorithmOf = (token: string) =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { alg: string }).alg;

test.each(names)(
  'what openid-client gets from %s calls Keyway, which knows its name and an audience alone',
  async (name) => {
    const { tokens = [] } = given[name] ?? {};
    expect(tokens.map(algorithmOf).sort()).toEqual([...algorithms].sort());
    for (const token of tokens)
      expect([algorithmOf(token), await answer(token)]).toEqual([algorithmOf(token), account]);
  },
);

test('what it gets there for nobody, or for another name, does not', async () => {
  const strangers = Object.values(given).flatMap((one) => one.strangers);
  expect(strangers).toHaveLength(1);
  for (const token of strangers) expect(await answer(token)).toBe('UNAUTHENTICATED');
});
