import type { Database, Parameters, Statement, Tx } from '../../src/database/database.js';

/** Has `hear` told of each statement that a transaction is about to run; what it throws fails the transaction. */
export function overhear(
  db: Database,
  hear: (statement: Statement, parameters: Parameters, tx: Tx) => void,
): { stop(): void } {
  const original = db.transaction.bind(db);
  db.transaction = (work) =>
    original((tx) =>
      work({
        ...tx,
        rows: async (statement, parameters = {}) => {
          hear(statement, parameters, tx);
          return tx.rows(statement, parameters);
        },
      }),
    );
  return { stop: () => void (db.transaction = original) };
}
