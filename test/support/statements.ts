import type { Statement, Tx } from '../../src/database/database.js';
import type { SharedServer } from './server.js';

// What runs by itself now and then, whoever asks for what: the clock, the checkpoints, what jobs count, forget and take
// up, and the block of points that a process takes for many requests.
const ofJobs = new RegExp(
  [
    String.raw`clock_timestamp\(\)\) \* 1000 AS ms|(UPDATE|FROM) keyring_keys|AS grown`,
    String.raw`FROM audit_heads WHERE number > 0`,
    String.raw`^\s*DELETE FROM (nonces|password_attempts|idempotency_keys|rate_limits)`,
    String.raw`^\s*INSERT INTO rate_limits`,
    String.raw`^\s*WITH next AS MATERIALIZED`,
    String.raw`^\s*SELECT 1 AS one FROM syncs y`,
    String.raw`^\s*SELECT s\.id FROM stores s WHERE s\.deleted_at IS NULL AND s\.sealed`,
    String.raw`^\s*SELECT c\.id, next\.tenant`,
    String.raw`^\s*UPDATE credentials SET rotation_tried_at`,
    String.raw`e\.hash IS DISTINCT FROM decode\(line\.hash`,
  ].join('|'),
);

/** Whether a statement is one that runs by itself. @param text with its line breaks or without */
export const isOfJobs = (text: string) => ofJobs.test(text);

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
    if (!isOfJobs(statement.text)) statements.push(statement);
    return rows(statement, parameters);
  };
  try {
    return { result: await work(), statements };
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

/** How many statements the longest transaction has that is done meanwhile: those of jobs are short. */
export async function longestTransactionOf<Result>(
  server: SharedServer,
  work: () => Promise<Result>,
): Promise<{ result: Result; longest: number }> {
  const { db } = server;
  const transaction = db.transaction.bind(db);
  let longest = 0;
  db.transaction = (inside) =>
    transaction((tx) => {
      let count = 0;
      const rows: Tx['rows'] = (statement, parameters) => {
        longest = Math.max(longest, ++count);
        return tx.rows(statement, parameters);
      };
      return inside({ ...tx, rows });
    });
  try {
    return { result: await work(), longest };
  } finally {
    db.transaction = transaction;
  }
}
