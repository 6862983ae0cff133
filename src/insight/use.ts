import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import { credentialScope } from '../access/scope.js';
import { anyOfIds } from '../database/among.js';
import { loadLists } from '../lists/loading.js';
import { duration, dayMs } from '../time.js';
import { daysBack, type Verified } from './days.js';
import type { UseOfCredential } from './insight.js';

/** How often each credential was verified within a window; null where the caller may not see the credential. */
export const useOf = loadLists<string, UseOfCredential | null>(
  (window) => window,
  async (ctx, credentials, window) => {
    const days = daysBack(ctx.at, window);
    const found = await verifiedOf(ctx, credentials, days[0] ?? '');
    return credentials.map((id) => {
      const verified = found.get(id);
      if (!verified) return null;
      const byDay = days.map((day) => ({ day, count: verified.find((one) => one.day === day)?.good ?? 0 }));
      return {
        window: duration(days.length * dayMs),
        total: byDay.reduce((sum, { count }) => sum + count, 0),
        refused: verified.reduce((sum, { refused }) => sum + refused, 0),
        byDay,
      };
    });
  },
);

async function verifiedOf(
  { db, principal }: RequestContext,
  ids: readonly string[],
  from: string,
): Promise<Map<string, Verified[]>> {
  // Who verifies a credential is told of its last use as well.
  const scope = credentialScope(principal, Permission.CREDENTIAL_VERIFY);
  const statement = db.statement(
    `uses by day:${scope.shape}`,
    () => `SELECT CAST(c.id AS text) AS of, CAST(d.day AS text) AS day, CAST(d.good AS double precision) AS good,
        CAST(d.refused AS double precision) AS refused
      FROM credentials c LEFT JOIN credential_days d ON d.credential_id = c.id AND d.day >= CAST(:from AS date)
      WHERE c.id = ${anyOfIds} AND ${scope.sql}`,
  );
  const rows = await db.rows<Verified & { of: string }>(statement, { ...scope.parameters, ids, from });
  const found = new Map<string, Verified[]>();
  for (const row of rows) found.set(row.of, [...(found.get(row.of) ?? []), row]);
  return found;
}
