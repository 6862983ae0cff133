import DataLoader from 'dataloader';
import { perRequest, type RequestContext } from '../access/context.js';
import { hasStatus, stoppedAccounts, workingStatuses } from '../access/works.js';
import { expiry } from '../credentials/record/filter.js';
import { rotationState, safeToRetire } from '../credentials/record/find.js';
import { every, condition } from '../database/database.js';
import { dayMs, durationMs, instant } from '../time.js';
import type { Insight, RotationDay, RotationHealth, WeekCount } from './insight.js';
import { keyOf, seenBy } from './seen.js';

const weekMs = 7 * dayMs;

/** The days of UTC that a window has, oldest first; today is the last. */
export function daysBack(at: number, window: string): string[] {
  const count = Math.ceil(durationMs(window) / dayMs);
  const today = Math.floor(at / dayMs);
  return Array.from({ length: count }, (_, index) => dayOf((today - count + 1 + index) * dayMs));
}

const dayOf = (ms: number) => instant(ms).slice(0, 10);

/** How many verifications came out good, and refused, on one day. */
export interface Verified {
  day: string;
  good: number;
  refused: number;
}

/** The verifications of each day of a window, also of credentials that were deleted since. */
export async function verificationsByDay(
  ctx: RequestContext,
  insight: Insight,
  window: string,
): Promise<Verified[]> {
  const days = daysBack(ctx.at, window);
  const loaders = loadersOf(ctx);
  const key = keyOf(insight);
  const loader = loaders.get(key) ?? makeLoader(ctx, insight);
  loaders.set(key, loader);
  const found = await loader.load(days[0] ?? '');
  return days.map((day) => found.get(day) ?? { day, good: 0, refused: 0 });
}

const loadersOf = perRequest(() => new Map<string, DataLoader<string, ReadonlyMap<string, Verified>>>());

/** From days on: what is asked for from several is read from the first of them. */
const makeLoader = (ctx: RequestContext, insight: Insight) =>
  new DataLoader<string, ReadonlyMap<string, Verified>>(async (starts) => {
    const [from] = [...starts].sort();
    const seen = seenBy(ctx, insight);
    const statement = ctx.db.statement(
      `verifications by day:${seen.shape}`,
      () => {
        if (seen.shape === 'all')
          return `${sums} FROM verification_days d WHERE d.day >= CAST(:from AS date) GROUP BY d.day`;
        return `${sums} FROM credentials c JOIN credential_days d ON d.credential_id = c.id
        WHERE ${seen.sql} AND d.day >= CAST(:from AS date) GROUP BY d.day`;
      },
      undefined,
      false,
    );
    const rows = await ctx.db.rows<Verified>(statement, { ...seen.parameters, from });
    const found = new Map(rows.map((row) => [row.day, row]));
    return starts.map(() => found);
  });

const sums = `SELECT CAST(d.day AS text) AS day, CAST(sum(d.good) AS double precision) AS good,
  CAST(sum(d.refused) AS double precision) AS refused`;

/** The rotations that began on each day of a window, also of credentials that were deleted since. */
export async function rotationsByDay(
  ctx: RequestContext,
  insight: Insight,
  window: string,
): Promise<RotationDay[]> {
  const days = daysBack(ctx.at, window);
  const seen = seenBy(ctx, insight);
  const statement = ctx.db.statement(
    `rotations by day:${seen.shape}`,
    () => `SELECT CAST(CAST(o.started_at AT TIME ZONE 'UTC' AS date) AS text) AS day, CAST(count(*) AS integer) AS count,
        CAST(count(*) FILTER (WHERE o.state = 'FAILED') AS integer) AS failed,
        CAST(count(*) FILTER (WHERE o.state = 'OUTCOME_UNKNOWN') AS integer) AS unknown
      FROM rotations o ${seen.shape === 'all' ? '' : 'JOIN credentials c ON c.id = o.credential_id'}
      WHERE ${seen.sql} AND o.started_at >= CAST(:from AS timestamptz) GROUP BY 1`,
    undefined,
    false,
  );
  const from = `${days[0]}T00:00:00Z`;
  const rows = await ctx.db.rows<RotationDay>(statement, { ...seen.parameters, from });
  const found = new Map(rows.map((row) => [row.day, row]));
  return days.map((day) => found.get(day) ?? { day, count: 0, failed: 0, unknown: 0 });
}

/** How the last rotations of credentials stand. */
export async function rotationHealth(ctx: RequestContext, insight: Insight): Promise<RotationHealth> {
  const seen = seenBy(ctx, insight);
  const statement = ctx.db.statement(
    `rotation health:${seen.shape}`,
    () => `SELECT CAST(count(*) FILTER (WHERE state IN ('PLANNED', 'SWITCHED')) AS integer) AS rotating,
        CAST(count(*) FILTER (WHERE state = 'SWITCHED' AND safe) AS integer) AS "safeToRetire",
        CAST(count(*) FILTER (WHERE state = 'FAILED') AS integer) AS failed,
        CAST(count(*) FILTER (WHERE state = 'OUTCOME_UNKNOWN') AS integer) AS unknown
      FROM (SELECT ${rotationState} AS state, (${safeToRetire}) AS safe
        FROM rotations o JOIN credentials c ON c.id = o.credential_id
        JOIN credential_versions f ON f.credential_id = o.credential_id AND f.number = o.from_number
        WHERE o.state <> 'FINISHED' AND c.deleted_at IS NULL AND c.revoked_at IS NULL AND ${seen.sql}
          AND NOT EXISTS (SELECT FROM rotations l WHERE l.credential_id = o.credential_id AND l.started_at > o.started_at)
      ) last`,
    undefined,
    false,
  );
  const [health] = await ctx.db.rows<RotationHealth>(statement, seen.parameters);
  return health ?? { rotating: 0, safeToRetire: 0, failed: 0, unknown: 0 };
}

/** How many credentials that work expire in each week of a window, from the current one on. */
export async function expiriesByWeek(
  ctx: RequestContext,
  insight: Insight,
  window: string,
): Promise<WeekCount[]> {
  const count = Math.ceil(durationMs(window) / weekMs);
  // The first day of 1970 was a Thursday.
  const monday = Math.floor((ctx.at + 3 * dayMs) / weekMs) * weekMs - 3 * dayMs;
  const weeks = Array.from({ length: count }, (_, index) => monday + index * weekMs);
  const seen = every(seenBy(ctx, insight), condition(hasStatus(workingStatuses)));
  const statement = ctx.db.statement(
    `expiries by week:${seen.shape}`,
    () => `SELECT CAST(floor(extract(epoch FROM c.expires_at - CAST(:monday AS timestamptz)) / 604800) AS integer) AS week,
        CAST(count(*) AS integer) AS count
      FROM credentials c WHERE ${seen.sql} AND c.deleted_at IS NULL
        AND ${expiry} >= CAST(:monday AS timestamptz) AND ${expiry} < CAST(:end AS timestamptz) GROUP BY 1`,
    undefined,
    false,
  );
  const rows = await ctx.db.rows<{ week: number; count: number }>(statement, {
    ...seen.parameters,
    stopped: await stoppedAccounts(ctx.db),
    monday: instant(monday),
    end: instant(monday + count * weekMs),
  });
  const found = new Map(rows.map((row) => [row.week, row.count]));
  return weeks.map((week, index) => ({ week: dayOf(week), count: found.get(index) ?? 0 }));
}
