import type { Ending } from '../../audit/ending.js';
import { sql, type Tx } from '../../database/database.js';
import type { Part } from '../../database/joined.js';
import { badInput } from '../../errors.js';
import { durationMs } from '../../time.js';
import { refillAfter, usesLeftAt, type LimitsNow } from './limits.js';
import type { RateLimitInput, RemainingUsesInput } from './limits.input.js';

/** What inputs say of limits: left out, they stay as they are; null takes them away. */
interface Asked {
  rateLimit?: RateLimitInput | null;
  remainingUses?: RemainingUsesInput | null;
}

type Terms = Omit<LimitsNow, 'refillAt'>;

/** @throws BAD_USER_INPUT for limits of what Keyway does not verify itself, so that nobody would hold it to them. */
export function expectNoLimits({ rateLimit, remainingUses }: Asked): void {
  for (const [name, asked] of Object.entries({ rateLimit, remainingUses }))
    if (asked)
      throw badInput(`input.${name}`, 'must be left out: only what Keyway itself verifies has limits');
}

/** The statements that write the limits of a credential which is made with them: none, without limits. */
export function limitsBegun(id: string, asked: Asked): Part[] {
  const terms = { ...none, ...termsOf(asked) };
  return isNone(terms) ? [] : [{ statement: keep, parameters: { id, ...terms } }];
}

/**
 * Changes the limits of a credential whose row is locked. What was used within a window counts as long as the window is as
 * long as it was.
 * @returns the names of the fields that have changed, and the limits as they are since; null where there are none.
 */
export async function changeLimits(
  tx: Tx,
  id: string,
  asked: Asked,
): Promise<{ changed: (keyof Asked)[]; limits?: Terms | null }> {
  if (asked.rateLimit === undefined && asked.remainingUses === undefined) return { changed: [] };
  const [held = none] = await tx.rows<Terms>(hold, { id });
  const wanted = { ...held, ...termsOf(asked) };
  const changed = names.filter((name) => columns[name].some((column) => wanted[column] !== held[column]));
  if (changed.length === 0) return { changed };
  const limits = isNone(wanted) ? null : wanted;
  await (limits ? tx.rows(keep, { id, ...limits }) : tx.rows(remove, { id }));
  return { changed, limits };
}

/**
 * Limits credentials once more as they were limited when an older state of the database was put back, wherever that is
 * tighter: of uses the fewer, of two rates the lower one, of two refills the slower one.
 * @param endings by the ids of credentials whose rows are locked
 */
export async function limitAgain(tx: Tx, endings: readonly (readonly [string, Ending])[]): Promise<void> {
  const limits = endings.flatMap(([id, ending]) => (ending.limits ? [{ id, ...ending.limits }] : []));
  if (limits.length > 0) await tx.rows(tighten, { limits: JSON.stringify(limits) });
}

/** The columns that are asked for. */
const termsOf = ({ rateLimit, remainingUses }: Asked): Partial<Terms> => ({
  ...(rateLimit !== undefined && {
    rateUses: rateLimit?.uses ?? null,
    rateSeconds: seconds(rateLimit?.window),
  }),
  ...(remainingUses !== undefined && {
    usesLeft: remainingUses?.count ?? null,
    refillAmount: remainingUses?.refill?.amount ?? null,
    refillSeconds: seconds(remainingUses?.refill?.every),
  }),
});

const seconds = (length: string | undefined) => (length === undefined ? null : durationMs(length) / 1_000);

const isNone = ({ rateUses, usesLeft }: Terms): boolean => rateUses === null && usesLeft === null;

const none: Terms = {
  rateUses: null,
  rateSeconds: null,
  usesLeft: null,
  refillAmount: null,
  refillSeconds: null,
};

const names = ['rateLimit', 'remainingUses'] as const;
const columns: Record<keyof Asked, (keyof Terms)[]> = {
  rateLimit: ['rateUses', 'rateSeconds'],
  remainingUses: ['usesLeft', 'refillAmount', 'refillSeconds'],
};

const hold = sql(`
  SELECT l.rate_uses AS "rateUses", l.rate_seconds AS "rateSeconds", ${usesLeftAt('now()')} AS "usesLeft",
    l.refill_amount AS "refillAmount", l.refill_seconds AS "refillSeconds"
  FROM credential_limits l WHERE l.credential_id = :id FOR UPDATE`);

const sameWindow = 'l.rate_seconds = excluded.rate_seconds';
const keep = sql(`
  INSERT INTO credential_limits AS l
    (credential_id, rate_uses, rate_seconds, uses_left, refill_amount, refill_seconds, refill_at)
  VALUES (CAST(:id AS uuid), CAST(:rateUses AS integer), CAST(:rateSeconds AS integer), CAST(:usesLeft AS integer),
    CAST(:refillAmount AS integer), CAST(:refillSeconds AS integer),
    now() + CAST(:refillSeconds AS integer) * interval '1 second')
  ON CONFLICT (credential_id) DO UPDATE SET
    rate_uses = excluded.rate_uses, rate_seconds = excluded.rate_seconds,
    slots = CASE WHEN ${sameWindow} THEN l.slots ELSE excluded.slots END,
    slot = CASE WHEN ${sameWindow} THEN l.slot ELSE excluded.slot END,
    uses_left = excluded.uses_left, refill_amount = excluded.refill_amount, refill_seconds = excluded.refill_seconds,
    refill_at = CASE WHEN l.refill_seconds = excluded.refill_seconds THEN ${refillAfter('now()')}
      ELSE excluded.refill_at END`);

const isLowerRate = `(excluded.rate_uses IS NOT NULL AND (l.rate_uses IS NULL
  OR excluded.rate_uses::float8 / excluded.rate_seconds < l.rate_uses::float8 / l.rate_seconds))`;
const isSlowerRefill = `(excluded.uses_left IS NOT NULL AND (l.uses_left IS NULL
  OR l.refill_amount IS NOT NULL AND (excluded.refill_amount IS NULL
    OR excluded.refill_amount::float8 / excluded.refill_seconds < l.refill_amount::float8 / l.refill_seconds)))`;
const whichever = (is: string, ...names: string[]) =>
  names.map((name) => `${name} = CASE WHEN ${is} THEN excluded.${name} ELSE l.${name} END`).join(', ');
const tighten = sql(`
  INSERT INTO credential_limits AS l
    (credential_id, rate_uses, rate_seconds, uses_left, refill_amount, refill_seconds, refill_at)
  SELECT id, "rateUses", "rateSeconds", "usesLeft", "refillAmount", "refillSeconds",
    now() + "refillSeconds" * interval '1 second'
  FROM json_to_recordset(CAST(:limits AS json)) AS e (id uuid, "rateUses" integer, "rateSeconds" integer,
    "usesLeft" integer, "refillAmount" integer, "refillSeconds" integer)
  ON CONFLICT (credential_id) DO UPDATE SET
    ${whichever(isLowerRate, 'rate_uses', 'rate_seconds')},
    ${whichever(`${isLowerRate} AND NOT ${sameWindow}`, 'slots', 'slot')},
    uses_left = least(l.uses_left, excluded.uses_left),
    ${whichever(isSlowerRefill, 'refill_amount', 'refill_seconds', 'refill_at')}`);

const remove = sql('DELETE FROM credential_limits WHERE credential_id = :id');
