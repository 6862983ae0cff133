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
 * @returns the names of the fields that have changed.
 */
export async function changeLimits(tx: Tx, id: string, asked: Asked): Promise<(keyof Asked)[]> {
  if (asked.rateLimit === undefined && asked.remainingUses === undefined) return [];
  const [held = none] = await tx.rows<Terms>(hold, { id });
  const wanted = { ...held, ...termsOf(asked) };
  const changed = names.filter((name) => columns[name].some((column) => wanted[column] !== held[column]));
  if (changed.length > 0) await (isNone(wanted) ? tx.rows(remove, { id }) : tx.rows(keep, { id, ...wanted }));
  return changed;
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

const remove = sql('DELETE FROM credential_limits WHERE credential_id = :id');
