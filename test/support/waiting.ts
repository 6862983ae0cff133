import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../src/database/database.js';
import type { SharedServer } from './server.js';

/** Has the first one take what it locks and wait for the chain of the audit, and then begins the second one. */
export async function inTurn<One, Other>(
  server: SharedServer,
  first: () => Promise<One>,
  second: () => Promise<Other>,
): Promise<[One, Other]> {
  const answers = await server.db.transaction(async (tx) => {
    await tx.rows(sql('LOCK TABLE audit_heads IN SHARE MODE'));
    let answered = false;
    const until = async (isSo: () => Promise<boolean>) => {
      while (!answered && !(await isSo())) await sleep(5);
    };
    const begin = <Answer>(deed: () => Promise<Answer>) => deed().finally(() => (answered = true));
    const one = begin(first);
    // At the chain, with what it locks: whatever waits elsewhere for a moment may be somebody else's.
    await until(async () => (await server.rows(atTheChain)).length > 0);
    const other = begin(second);
    await until(async () => (await waitingDeeds(server)) > 1);
    // Not awaited: both wait for this transaction.
    return [one, other] as const;
  });
  return Promise.all(answers);
}

/**
 * How many sessions of this database wait for a lock in which somebody does something. The jobs of the server wait as
 * well: one that puts decisions on record begins with the chain of the audit, and holds nothing else, whereas a deed comes
 * to it last; and one counts the calls to stores. In no transaction, where PostgreSQL would tell the same again and again.
 */
export async function waitingDeeds(server: SharedServer): Promise<number> {
  return (await server.rows(waiting)).length;
}

const waits = `
  SELECT a.pid FROM pg_stat_activity a
  WHERE a.datname = current_database() AND a.wait_event_type = 'Lock' AND a.query NOT LIKE '%spent.calls%'`;
const holds = `EXISTS (
  SELECT FROM pg_locks l JOIN pg_class t ON t.oid = l.relation AND t.relkind IN ('r', 'p')
  WHERE l.pid = a.pid AND l.granted AND t.relname NOT LIKE 'audit%'
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))`;
// By the lock and not by the statement: PostgreSQL shows the beginning of a long one alone.
const comesToChain = `EXISTS (
  SELECT FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted AND l.relation = CAST('audit_heads' AS regclass))`;
// A job that had the row of the chain before it was locked is waited for in its place.
const comesBehind = `EXISTS (
  SELECT FROM pg_locks l WHERE NOT l.granted AND l.relation = CAST('audit_heads' AS regclass)
    AND l.pid = ANY(pg_blocking_pids(a.pid)))`;
const waiting = `${waits} AND (NOT (${comesToChain} OR ${comesBehind}) OR ${holds})`;
const atTheChain = `${waits} AND (${comesToChain} OR ${comesBehind}) AND ${holds}`;
