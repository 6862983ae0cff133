import { codes, DatabaseUnavailable } from '../../src/errors.js';
import { expectData, makeAccount, makeCredential, makeProject, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';

// What is said of one deed of a request is true of the request.

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** Asks for two accounts at once, and loses the database as the work on one of them begins. */
async function askForTwo(lost: number) {
  const names = [unique('first'), unique('second')];
  const { db } = server;
  const transaction = db.transaction.bind(db);
  let begun = 0;
  db.transaction = async (work) => {
    // Those of jobs are not made by a request.
    if (!String(new Error().stack).includes('standing')) return transaction(work);
    begun += 1;
    if (begun === lost) throw new DatabaseUnavailable('the database was lost');
    return transaction(work);
  };
  try {
    const { data, errors } = await server.ask(
      `mutation ($a: String!, $b: String!) {
        a: createAccount(input: { name: $a, title: "One", kind: ORGANIZATION }) { account { id } }
        b: createAccount(input: { name: $b, title: "Two", kind: ORGANIZATION }) { account { id } } }`,
      { a: names[0], b: names[1] },
    );
    const made = await server.rows('SELECT name FROM accounts WHERE name = ANY(:names)', { names });
    return {
      data,
      made: made.length,
      errors: errors.map(({ extensions, message }) => [extensions.code, message]),
    };
  } finally {
    db.transaction = transaction;
  }
}

test('nobody is told that nothing was changed where a deed before it in the request was done', async () => {
  const answer = await askForTwo(2);
  expect(answer).toEqual({
    data: null,
    made: 1,
    errors: [
      [
        'UNAVAILABLE',
        'A part cannot be reached just now; this was not done, but something before it in the request was.',
      ],
    ],
  });
});

test('nothing was changed where the first deed of a request cannot be done', async () => {
  expect(await askForTwo(1)).toEqual({ data: null, made: 0, errors: [['UNAVAILABLE', codes.UNAVAILABLE]] });
});

test('what a deed of a request has changed is read by the answers after it', async () => {
  const account = await makeAccount(server);
  const project = await makeProject(server, account);
  const { id } = await makeCredential(server, account, { project });
  const [accountTitle, projectTitle] = [unique('account'), unique('project')];
  const named = 'credential { account { title } project { title } }';
  const { before, after, rotated, made } = expectData(
    await server.ask(
      `mutation ($id: ID!, $account: ID!, $project: ID!, $accountTitle: String!, $projectTitle: String!) {
        before: updateCredential(input: { id: $id, description: "One" }) { ${named} }
        updateAccount(input: { id: $account, title: $accountTitle }) { account { title } }
        updateProject(input: { id: $project, title: $projectTitle }) { project { title } }
        after: updateCredential(input: { id: $id, description: "Two" }) { ${named} }
        rotated: rotateCredential(input: { id: $id }) { ${named} }
        made: createCredential(input: { account: $account, project: $project, name: "Three", secret: { token: {} } }) {
          ${named} } }`,
      { id, account, project, accountTitle, projectTitle },
    ),
  );
  expect(before.credential.account.title).not.toBe(accountTitle);
  const now = { account: { title: accountTitle }, project: { title: projectTitle } };
  expect([after, rotated, made].map(({ credential }) => credential as unknown)).toEqual([now, now, now]);
});
