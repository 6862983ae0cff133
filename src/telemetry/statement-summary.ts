/** What a statement does, and to which table first. */
interface StatementSummary {
  readonly operation: string;
  /** `SELECT credentials` */
  readonly summary: string;
}

/**
 * What may be told of a statement: its first word and the first table that it names, both of Keyway's own (S63). Texts of
 * statements have no values in them, but nothing else of them is told.
 */
export function summaryOf(text: string): StatementSummary {
  const [, first = 'OTHER'] = /^\s*([a-z]+)/i.exec(text) ?? [];
  const word = first.toUpperCase();
  const operation = words.has(word) ? word : 'OTHER';
  const [, table] = /\b(?:FROM|INTO|UPDATE|JOIN)\s+(?:ONLY\s+)?"?([a-z_]{1,40})\b/i.exec(text) ?? [];
  return { operation, summary: table === undefined ? operation : `${operation} ${table.toLowerCase()}` };
}

const words = new Set([
  ...['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'WITH', 'VALUES', 'SET', 'LOCK'],
  ...['START', 'COMMIT', 'ROLLBACK', 'SAVEPOINT', 'RELEASE'],
]);
