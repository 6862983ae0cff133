import type { Statement } from '../../src/database/database.js';
import type { SharedServer } from './server.js';

// What runs by itself now and then, whoever asks for what: the clock, the checkpoints, what jobs count, forget and take
// up.
const ofJobs = new RegExp(
  [
    String.raw`clock_timestamp\(\)\) \* 1000 AS ms|audit_heads|UPDATE keyring_keys|AS grown`,
    String.raw`^\s*DELETE FROM (nonces|password_attempts|idempotency_keys)`,
    String.raw`^\s*UPDATE (intents|leftovers|syncs) SET fence = fence \+ 1`,
    String.raw`^\s*SELECT s\.id FROM stores s WHERE s\.deleted_at IS NULL AND s\.sealed`,
    String.raw`^\s*SELECT id, "ownerId", "storeId", "storeKind", "accountKind" FROM \(`,
    String.raw`^\s*UPDATE credentials SET rotation_tried_at`,
  ].join('|'),
);

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
    if (!ofJobs.test(statement.text)) statements.push(statement);
    return rows(statement, parameters);
  };
  try {
    return { result: await work(), statements };
  } finally {
    db.rows = rows;
  }
}
