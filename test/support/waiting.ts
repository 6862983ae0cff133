import type { SharedServer } from './server.js';

/**
 * How many sessions of this database wait for a lock in which somebody does something. The jobs of the server wait as
 * well: one that puts decisions on record begins with the chain of the audit, and holds nothing else, whereas a deed comes
 * to it last; and one counts the calls to stores. In no transaction, where PostgreSQL would tell the same again and again.
 */
export async function waitingDeeds(server: SharedServer): Promise<number> {
  return (await server.rows(waiting)).length;
}

const waiting = `
  SELECT a.pid FROM pg_stat_activity a
  WHERE a.datname = current_database() AND a.wait_event_type = 'Lock' AND a.query NOT LIKE '%spent.calls%'
    AND (a.query NOT LIKE '%audit_heads%' OR EXISTS (
      SELECT FROM pg_locks l JOIN pg_class t ON t.oid = l.relation AND t.relkind IN ('r', 'p')
      WHERE l.pid = a.pid AND l.granted AND t.relname NOT LIKE 'audit%'
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))`;
