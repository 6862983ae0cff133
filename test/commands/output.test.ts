/** @embedded the command line */
import { execFileSync } from 'node:child_process';
import { keyway } from '../support/command-line.js';
import { expectData, makeAccount, makeCredential, unique } from '../support/make.js';
import { playGraph } from '../support/played-graph.js';
import { sharedServer, type SharedServer } from '../support/server.js';

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});
const at = () => ({ url: server.url, token: server.adminToken });

test('a table has a line for each credential, aligned, and is whole where it goes to a pipe', async () => {
  const account = await makeAccount(server);
  const long = `${unique('long')} ${'x'.repeat(100)}`;
  await makeCredential(server, account, { name: long });
  await makeCredential(server, account, { name: '短い名前' });
  const { code, out } = await keyway(['credential', 'list', '--account', account], at());
  expect(code).toBe(0);
  const [titles = '', ...lines] = out.trimEnd().split('\n');
  expect(titles).toMatch(/^ID +NAME +KIND +STATUS/);
  expect(lines).toHaveLength(2);
  expect(out).toContain(long);
  expect(out).not.toContain('\u001b');
});

test('at a terminal no line is longer than it is wide, ids stay whole, and NO_COLOR takes the colours away', async () => {
  const account = await makeAccount(server);
  const { id } = await makeCredential(server, account, { name: 'y'.repeat(90) });
  const list = ['credential', 'list', '--account', account];
  const coloured = await keyway(list, { ...at(), columns: 120 });
  expect(coloured.out).toContain('\u001b[1m');
  const { out } = await keyway(list, { ...at(), columns: 120, isPlain: true });
  expect(out).not.toContain('\u001b');
  expect(out).toContain(id);
  expect(out).toContain('…');
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
});

test('what a name says to a terminal does not reach it, whatever a server lets into names', async () => {
  const viewer = { id: 'x', name: 'a\u202eb\u001b]0;title\u0007\nsecond\tline\u009b2J' };
  const played = await playGraph(() => ({ body: { data: { viewer } } }));
  try {
    for (const form of ['table', 'json', 'csv', 'env']) {
      const { code, out } = await keyway(['whoami', '--output', form], {
        url: played.url,
        token: 'token',
        columns: 80,
        isPlain: true,
      });
      expect(code).toBe(0);
      expect(out.replaceAll('\r\n', '\n')).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
      expect(out).toContain('202e');
    }
  } finally {
    await played.stop();
  }
});

test('CSV is that of RFC 4180, and no cell is a formula', async () => {
  const account = await makeAccount(server);
  const name = '=HYPERLINK("https://example.com","a, b")';
  await makeCredential(server, account, { name });
  const { out } = await keyway(['credential', 'list', '--account', account, '--output', 'csv'], at());
  const [titles, line = '', rest] = out.split('\r\n');
  expect(titles).toBe('id,name,kind,status,account,project,store,owner,expiresAt,lastUsedAt');
  expect(line).toContain(`,"'=HYPERLINK(""https://example.com"",""a, b"")",`);
  expect(rest).toBe('');
});

test('env is taken by a shell to exactly what it says', async () => {
  const account = await makeAccount(server);
  const description = `it's $HOME \`id\` "x" \\ ; rm`;
  const { id } = await makeCredential(server, account, { description });
  const { out } = await keyway(['credential', 'show', id, '--output', 'env'], at());
  const said = execFileSync('sh', ['-c', `${out}printf %s "$KEYWAY_DESCRIPTION"`], { encoding: 'utf8' });
  expect(said).toBe(description);
});

test('env is for one thing', async () => {
  const { code, err } = await keyway(['credential', 'list', '--output', 'env'], at());
  expect(code).toBe(2);
  expect(err).toContain('env is for one thing');
});

test('a list goes on to as many as are wanted, over several pages', async () => {
  const account = await makeAccount(server);
  const one = (at: number) =>
    `c${at}: createCredential(input: { account: "${account}", name: "one", secret: { accessKey: {} } }) { credential { id } }`;
  const ten = `mutation { ${Array.from({ length: 10 }, (_, at) => one(at)).join(' ')} }`;
  for (let made = 0; made < 110; made += 10) expectData(await server.ask(ten));
  const list = async (...more: string[]) => {
    const { out } = await keyway(['credential', 'list', '--account', account, '--json', ...more], at());
    return (JSON.parse(out) as { id: string }[]).map(({ id }) => id);
  };
  expect(await list()).toHaveLength(100);
  expect(new Set(await list('--all')).size).toBe(110);
  expect(await list('--limit', '102')).toHaveLength(102);
  const { err } = await keyway(['credential', 'list', '--account', account, '--all'], {
    ...at(),
    columns: 100,
  });
  expect(err).toContain('100 so far…');
});

test('a credential is found by its id, its name, its access key, and looked at by a text that it alone has', async () => {
  const account = await makeAccount(server);
  const name = unique('named');
  const { id, accessKey } = await makeCredential(server, account, { name });
  for (const said of [id, name, accessKey, name.slice(0, -1)].filter(Boolean) as string[]) {
    const { code, out } = await keyway(['credential', 'show', said, '--json'], at());
    expect([code, (JSON.parse(out) as { id: string }).id]).toEqual([0, id]);
  }
});

test('where several have a name, their ids are told; where none has, that is', async () => {
  const account = await makeAccount(server);
  const name = unique('twice');
  const ids = [
    await makeCredential(server, account, { name }),
    await makeCredential(server, account, { name }),
  ].map(({ id }) => id);
  const several = await keyway(['credential', 'show', name], at());
  expect(several.code).toBe(2);
  for (const id of ids) expect(several.err).toContain(id);
  const none = await keyway(['credential', 'show', unique('nobody')], at());
  expect(none.code).toBe(5);
});

test('errors have a code, the field, the id of the request, and no value', async () => {
  const { code, err } = await keyway(['credential', 'list', '--unused-for', 'secret-value'], at());
  expect(code).toBe(2);
  expect(err).toMatch(/^BAD_USER_INPUT: .*unusedFor/);
  expect(err).toMatch(/ {2}request: \S+\n/);
  expect(err).not.toContain('secret-value');
  const json = await keyway(['credential', 'list', '--unused-for', 'secret-value', '--json'], at());
  expect(JSON.parse(json.err)).toMatchObject({
    error: { code: 'BAD_USER_INPUT', fields: [{ path: expect.stringContaining('unusedFor') as unknown }] },
  });
});
