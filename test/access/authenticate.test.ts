import { sharedServer, type SharedServer } from '../support/server.js';
import { expectData, makeAccount, makeCaller, makeCredential, makeProject } from '../support/make.js';

let server: SharedServer;
/** Four callers that each see one project, with one credential more than the one before. */
let callers: { id: string; token: string; project: string; credentials: string[] }[];

beforeAll(async () => {
  server = await sharedServer();
  const account = await makeAccount(server);
  callers = [];
  for (let count = 1; count <= 4; count++) {
    const project = await makeProject(server, account);
    const { id, token, credential } = await makeCaller(server, ['CREDENTIAL_READ'], { onProject: project });
    const credentials = [credential];
    for (let made = 0; made < count; made++)
      credentials.push((await makeCredential(server, account, { project })).id);
    callers.push({ id, token, project, credentials });
  }
});

type Caller = (typeof callers)[number];

const document = `query ($ids: [ID!]!) {
  viewer { id credentials { totalCount } }
  credentials(orderBy: { direction: ASC }) { totalCount nodes { id account { id } project { id } } }
  projects { nodes { id credentials { totalCount } } }
  nodes(ids: $ids) { id }
}`;

/** Asks for all, also for what the others see, and expects the caller's own. */
async function expectOwn({ id, token, project, credentials }: Caller): Promise<void> {
  const ids = callers.map((caller) => caller.project);
  const data = expectData(await server.ask(document, { ids }, { token }));
  expect(data.viewer).toEqual({ id, credentials: { totalCount: 1 } });
  expect(data.credentials.totalCount).toBe(credentials.length);
  expect(data.credentials.nodes.map((node: { id: string }) => node.id)).toEqual(credentials);
  expect(data.projects.nodes).toEqual([{ id: project, credentials: { totalCount: credentials.length - 1 } }]);
  expect(data.nodes).toEqual(ids.map((other) => (other === project ? { id: other } : null)));
}

describe('S39: each principal sees its own', () => {
  test('one after the other', async () => {
    for (const caller of [...callers, ...[...callers].reverse()]) await expectOwn(caller);
  });

  test('interleaved: the next begins before the one before has its answer', async () => {
    let before = Promise.resolve();
    for (const caller of [...callers, ...callers, ...callers]) {
      const begun = expectOwn(caller);
      await before;
      before = begun;
    }
    await before;
  });

  test('all at once', async () => {
    await Promise.all(Array.from({ length: 10 }, () => callers.map(expectOwn)).flat());
  });

  test('also where a token changes hands to nobody, and to one that is not valid', async () => {
    const [caller] = callers;
    if (!caller) throw new Error('there are callers');
    const answers = await Promise.all([
      expectOwn(caller),
      server.ask('{ viewer { id } }', {}, { token: null }),
      server.ask('{ viewer { id } }', {}, { token: `${caller.token}x` }),
      expectOwn(caller),
    ]);
    for (const answer of [answers[1], answers[2]]) {
      expect([answer.status, answer.code, answer.data]).toEqual([401, 'UNAUTHENTICATED', null]);
    }
  });
});
