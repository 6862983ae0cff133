import { DatabaseUnavailable } from '../../src/errors.js';
import { unique } from '../support/make.js';
import { isOfRequest, tellRequests } from '../support/of-requests.js';
import { isCounted } from '../support/statements.js';
import { groupSchema, patchOf, startDirectories, userSchema, type Directories } from './directories.js';

let all: Directories;
beforeAll(async () => (all = await startDirectories()));
afterAll(() => all.stop());

/**
 * Loses the database after the next change of a request, where so many statements have read what is to be answered; what
 * jobs do meanwhile is no matter.
 */
function losingIt(statements: number): () => void {
  const { db } = all.server;
  const [rows, transaction] = [db.rows.bind(db), db.transaction.bind(db)];
  const untold = tellRequests();
  let left = Infinity;
  db.transaction = async (work) => {
    const done = await transaction(work);
    if (isOfRequest()) left = statements;
    return done;
  };
  db.rows = async (statement, parameters) => {
    if (isCounted(statement.text) && left-- <= 0) throw new DatabaseUnavailable('lost');
    return rows(statement, parameters);
  };
  return () => {
    untold();
    Object.assign(db, { rows, transaction });
  };
}

const user = () => ({ schemas: [userSchema], userName: `${unique('bob')}@example.com` });
const group = () => ({ schemas: [groupSchema], displayName: unique('Group') });
const made = async (path: string, body: object): Promise<string> =>
  `${path}/${(await all.acme.ask('POST', path, body)).body.id}`;

type Change = [method: string, path: () => Promise<string> | string, body: object, statements?: number];
const changes: Record<string, Change> = {
  'a new user, at once': ['POST', () => '/Users', user()],
  'a new user, while it is read again': ['POST', () => '/Users', user(), 1],
  'a user that is replaced': ['PUT', () => made('/Users', user()), user(), 1],
  'a user that is changed': [
    'PATCH',
    () => made('/Users', user()),
    patchOf({ op: 'replace', path: 'displayName', value: 'Bob' }),
    1,
  ],
  'a new group': ['POST', () => '/Groups', group()],
  'a group that is replaced': ['PUT', () => made('/Groups', group()), group(), 1],
  'a group that is changed': [
    'PATCH',
    () => made('/Groups', group()),
    patchOf({ op: 'replace', path: 'displayName', value: unique('Group') }),
  ],
};

test.each(Object.entries(changes))(
  'nobody is told that nothing was changed where the answer is lost to %s',
  async (_, [method, path, body, statements = 0]) => {
    const at = await path();
    const end = losingIt(statements);
    const answer = await all.acme.ask(method, at, body).finally(end);
    expect([answer.status, answer.body.detail]).toEqual([
      500,
      expect.stringMatching(/^The database was lost after the change was on record/),
    ]);
  },
);
