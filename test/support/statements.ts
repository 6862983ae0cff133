import type { Statement, Tx } from '../../src/database/database.js';
import { asRequest, isOfRequest } from './of-requests.js';
import type { SharedServer } from './server.js';

// What a request asks now and then for many others: whether the keys are still those, and a block of points.
const nowAndThen = /(UPDATE|FROM) keyring_keys|^\s*INSERT INTO rate_limits/;

/** Whether a statement that is sent just now is counted: it is a request's, and not asked for others too. */
export const isCounted = (text: string) => isOfRequest() && !nowAndThen.test(text);

/**
 * The statements that run while something is done, apart from those of jobs. What is in a transaction is not among
 * them.
 */
export async function statementsOf<Result>(
  server: SharedServer,
  work: () => Promise<Result>,
): Promise<{ result: Result; statements: Statement[] }> {
  const { db } = server;
  const statements: Statement[] = [];
  const rows = db.rows.bind(db);
  db.rows = (statement, parameters) => {
    if (isCounted(statement.text)) statements.push(statement);
    return rows(statement, parameters);
  };
  try {
    return { result: await asRequest(work), statements };
  } finally {
    db.rows = rows;
  }
}

/**
 * Which limits of a minute are taken from meanwhile, a statement each: `points`, `guesses`; and how many of them at once at
 * most.
 */
export async function takingsOf<Result>(
  server: SharedServer,
  work: () => Promise<Result>,
): Promise<{ result: Result; takings: string[]; atOnce: number }> {
  const { db } = server;
  const takings: string[] = [];
  let [underWay, atOnce] = [0, 0];
  const rows = db.rows.bind(db);
  db.rows = (statement, parameters) => {
    const answer = rows<never>(statement, parameters);
    if (!/^\s*INSERT INTO rate_limits/.test(statement.text)) return answer;
    takings.push(String(parameters?.['name']).replace(/:.*/, ''));
    atOnce = Math.max(atOnce, ++underWay);
    return answer.finally(() => underWay--);
  };
  try {
    return { result: await work(), takings, atOnce };
  } finally {
    db.rows = rows;
  }
}

/** How many statements the longest transaction has that is done meanwhile, apart from those of jobs. */
export async function longestTransactionOf<Result>(
  server: SharedServer,
  work: () => Promise<Result>,
): Promise<{ result: Result; longest: number }> {
  const { db } = server;
  const transaction = db.transaction.bind(db);
  let longest = 0;
  db.transaction = (inside) => {
    if (!isOfRequest()) return transaction(inside);
    return transaction((tx) => {
      let count = 0;
      const rows: Tx['rows'] = (statement, parameters) => {
        longest = Math.max(longest, ++count);
        return tx.rows(statement, parameters);
      };
      return inside({ ...tx, rows });
    });
  };
  try {
    return { result: await asRequest(work), longest };
  } finally {
    db.transaction = transaction;
  }
}
