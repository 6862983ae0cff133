import type { Database, Tx } from '../../src/database/database.js';

interface Way {
  /** Runs ahead of each transaction; where it throws, there is none. */
  before?: () => Promise<void> | void;
  /** Runs in each attempt at one, and gets what it runs on. */
  within?: (tx: Tx) => Tx | void;
}

/** The same database, for what writes by transactions, with something on the way to it. */
export const onTheWay = (db: Database, { before, within }: Way): Database => {
  const transaction = async <Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> => {
    await before?.();
    return db.transaction((tx) => work(within?.(tx) ?? tx));
  };
  return Object.create(db, { transaction: { value: transaction } }) as Database;
};

/** The same database, counting its transactions, the attempts at them and the statements in them. */
export function counting(db: Database) {
  const count = { transactions: 0, attempts: 0, statements: 0 };
  const counted = onTheWay(db, {
    before: () => void count.transactions++,
    within: (tx) => {
      count.attempts++;
      const rows: Tx['rows'] = (statement, parameters) => {
        count.statements++;
        return tx.rows(statement, parameters);
      };
      return { ...tx, rows };
    },
  });
  return { count, db: counted };
}

/** A gate that is shut until it is opened. */
export function gate(): { opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}
