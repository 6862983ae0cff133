import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { startTestServer, type TestServer } from './support/server.js';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const readme = read('README.md');

/** The texts of the code blocks in a language. */
const blocks = (language: string): string[] =>
  [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, name, text]) =>
    name === language && text !== undefined ? text : [],
  );

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** What a curl line answers as it stands there, but for where the server and its token are. */
async function answerOf({ url, dataDir }: TestServer, line: string | undefined): Promise<unknown> {
  const script = (line ?? '')
    .replaceAll('http://127.0.0.1:4000', url)
    .replaceAll('.keyway/admin-token', `${dataDir}/admin-token`);
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { timeout: 30_000 });
  return JSON.parse(stdout);
}

const curls = () => blocks('sh').filter((text) => text.startsWith('curl'));

test('the first query is answered by a fresh Keyway as the README says', async () => {
  const fresh = await startTestServer();
  try {
    expect(await answerOf(fresh, curls()[0])).toEqual(JSON.parse(blocks('json')[0] ?? ''));
  } finally {
    await fresh.stop();
  }
});

test('the query with variables is answered without errors', async () => {
  expect(await answerOf(server, curls()[1])).toEqual({
    data: {
      account: { id: expect.stringMatching(/^acct_/) as unknown, kind: 'PERSON', title: 'Administrator' },
    },
  });
});

test('what it shows of creating, rotating, revealing and revoking works, one after the other', async () => {
  const documents = blocks('graphql');
  expect(documents).toHaveLength(5);
  const answers: Record<string, { errors: unknown[]; data: unknown }> = {};
  const ids: Record<string, unknown> = {};
  for (const document of documents) {
    const [, name = ''] = /mutation (\w+)/.exec(document) ?? [];
    const { errors, data } = await server.ask(document, ids);
    ids['account'] ??= data?.createAccount?.account.id;
    ids['credential'] ??= data?.createCredential?.credential.id;
    answers[name] = { errors, data };
  }
  const secret = expect.any(String) as unknown;
  expect(answers).toMatchObject({
    CreateAccount: { errors: [] },
    CreateCredential: { errors: [], data: { createCredential: { issued: { secret } } } },
    RotateCredential: {
      errors: [],
      data: {
        rotateCredential: {
          credential: { status: 'ROTATING', versions: [{ state: 'CURRENT' }, { state: 'PREVIOUS' }] },
        },
      },
    },
    RevealCredential: { errors: [], data: { revealCredential: { issued: { secret }, other: { secret } } } },
    RevokeCredential: { errors: [], data: { revokeCredential: { credential: { status: 'REVOKED' } } } },
  });
});

test.each([
  ['README.md', readme],
  ['.env.example', read('.env.example')],
])('%s names every variable that the configuration reads, and no other', (_, text) => {
  const named = (source: string) =>
    [...new Set(source.match(/\b(?:KEYWAY_[A-Z]+(?:_[A-Z]+)*|DATABASE_URL|NODE_ENV|PORT|HOST)\b/g))].sort();
  const roles = ['KEYWAY_ADMIN', 'KEYWAY_OPERATOR', 'KEYWAY_READER', 'KEYWAY_AUDITOR', 'KEYWAY_VERIFIER'];
  const others = [...roles, 'TEST_DATABASE_URL'];
  expect(named(text).filter((name) => !others.includes(name))).toEqual(named(read('src/config.ts')));
});

test('names every code that Keyway answers with today', async () => {
  const table = readme.slice(readme.indexOf('## Errors'), readme.indexOf('## Health'));
  for (const code of [
    'UNAUTHENTICATED',
    'NOT_FOUND',
    'FORBIDDEN',
    'BAD_USER_INPUT',
    'CONFLICT',
    'UNSUPPORTED',
  ])
    expect(table).toContain(`\`${code}\``);
  const unknown = await server.ask('{ nothing }');
  const unreadable = await server.ask('{');
  for (const { code } of [unknown, unreadable]) expect(table).toContain(`\`${code}\``);
});
