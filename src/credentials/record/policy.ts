import { sql, type Sql, type Tx } from '../../database/database.js';
import type { Connector } from '../../connectors/connector.js';
import { policiesShare, shortestTurnMs } from '../../config/limits.js';
import { badInput } from '../../errors.js';
import { durationMs, instant, instantMs } from '../../time.js';
import type { Credential } from './credential.js';

/** Calls that one rotation takes in a store that limits them. */
const callsOfOne = 4;

/** As `RotationPolicyInput`. */
interface Policy {
  every: string;
  gracePeriod: string;
}

/** How many calls a store allows, in which time. */
interface CallLimit {
  readonly limit: number;
  readonly windowMs: number;
}

/** The columns of a policy: the next rotation is due when the secret, made at `madeMs`, is as old as it may become. */
export const policyColumns = (
  policy: Policy | null | undefined,
  madeMs: number,
): Pick<Credential, 'rotateEvery' | 'rotateGrace' | 'rotationDueAt'> => ({
  rotateEvery: policy?.every ?? null,
  rotateGrace: policy?.gracePeriod ?? null,
  rotationDueAt: policy ? instant(madeMs + durationMs(policy.every)) : null,
});

/**
 * When the secret in use was made, in milliseconds since 1970; of one that has none in use, the newest.
 * Whoever calls holds the row of the credential.
 */
export async function secretMadeMs(tx: Tx, id: string): Promise<number> {
  const [made] = await tx.rows<{ at: string }>(newestInUse, { id });
  if (!made) throw new Error('the credential has no secret');
  return instantMs(made.at);
}

/** Why there is no grace period in a store that knows of one secret. */
export const endsAtOnce = 'must be PT0S: in this store the previous secret ends at once';

/**
 * A policy is only taken if it can be kept, beside those that its owner and its store have already.
 * @param of the credential as it is to be: whoever owns it answers for it, or else the account that it belongs to.
 * @param store what rotations of it are like, and how many calls it allows; undefined for Keyway's own.
 * @throws BAD_USER_INPUT for a grace period that the next rotation would cut short, or that the store does not give, and
 * for more rotations than can be done one after another, or than the store's limit of calls has room for.
 */
export async function expectKeepable(
  tx: Tx,
  policy: Policy,
  { id, ownerId, accountId, storeId }: Pick<Credential, 'id' | 'ownerId' | 'accountId' | 'storeId'>,
  store?: Pick<Connector, 'rotation' | 'budget'>,
): Promise<void> {
  const budget = store?.budget;
  const everyMs = durationMs(policy.every);
  const graceMs = durationMs(policy.gracePeriod);
  if (graceMs > 0 && store?.rotation?.previous === 'dies')
    throw badInput('input.rotationPolicy.gracePeriod', endsAtOnce);
  if (graceMs > everyMs)
    throw badInput(
      'input.rotationPolicy.gracePeriod',
      'must not be longer than the time from one rotation to the next',
    );
  const others = await tx.rows<Others>(othersWithPolicy, {
    id,
    ownerId: ownerId ?? accountId,
    storeId: budget ? storeId : null,
  });
  const perMs = (count: 'ofOwner' | 'ofStore') => rateOf(others, count) + 1 / everyMs;
  if (perMs('ofOwner') > 1 / shortestTurnMs)
    throw badInput(
      'input.rotationPolicy.every',
      `must be longer: with the policies of its owner's other credentials there would be more than one rotation in ${shortestTurnMs / 1_000} seconds`,
    );
  if (budget && perMs('ofStore') > turnsPerMs(budget))
    throw badInput(
      'input.rotationPolicy.every',
      "must be longer: with the store's other policies there would be more rotations than its limit of calls allows",
    );
}

/**
 * A credential keeps its policy with another owner only where that one has the time for it, beside its others.
 * @param of the credential as it is to be.
 * @throws BAD_USER_INPUT
 */
export async function expectTimeOfOwner(
  tx: Tx,
  { id, ownerId, accountId, rotateEvery }: Pick<Credential, 'id' | 'ownerId' | 'accountId' | 'rotateEvery'>,
): Promise<void> {
  if (rotateEvery === null) return;
  const of = { id, ownerId: ownerId ?? accountId, storeId: null };
  const perMs = rateOf(await tx.rows<Others>(othersWithPolicy, of), 'ofOwner') + 1 / durationMs(rotateEvery);
  if (perMs > 1 / shortestTurnMs)
    throw badInput(
      'input.owner',
      `must be another, or the policy a longer one: with those of the owner's other credentials there would be more than one rotation in ${shortestTurnMs / 1_000} seconds`,
    );
}

/** How many rotations policies ask for, in each millisecond. */
const rateOf = (all: readonly Others[], count: 'ofOwner' | 'ofStore'): number =>
  all.reduce((sum, other) => sum + other[count] / durationMs(other.every), 0);

/**
 * How long after one credential of an owner the next may be rotated: half of what their policies ask for on average, so
 * that what is late is caught up with.
 * @param longestMs at most that long.
 */
export async function paceMs(tx: Tx, ownerId: string, longestMs: number): Promise<number> {
  const all = await tx.rows<Others>(othersWithPolicy, { id: null, ownerId, storeId: null });
  const perMs = rateOf(all, 'ofOwner');
  return perMs === 0 ? longestMs : Math.min(longestMs, 0.5 / perMs);
}

/** How many rotations by policies a store has room for, in each millisecond. */
export const turnsPerMs = ({ limit, windowMs }: CallLimit): number =>
  (policiesShare * limit) / windowMs / callsOfOne;

/** SQL for whether the rotation of a credential `c` is late. Null where it has no policy. */
export const overdue = 'c.rotation_due_at <= now() AND c.revoked_at IS NULL';

/** How many rotations are late, and for how many seconds the one that is late the longest. */
export async function overdueNow(db: Sql): Promise<{ count: number; longestS: number }> {
  const [now] = await db.rows<{ count: number; longestS: number }>(countOverdue);
  return now ?? { count: 0, longestS: 0 };
}

interface Others {
  every: string;
  ofOwner: number;
  ofStore: number;
}

const newestInUse = sql(`
  SELECT created_at AS at FROM credential_versions WHERE credential_id = :id
  ORDER BY state = 'CURRENT' DESC, number DESC LIMIT 1`);
const countOverdue = sql(`
  SELECT CAST(count(*) AS integer) AS count,
    coalesce(max(extract(epoch FROM now() - c.rotation_due_at))::double precision, 0) AS "longestS"
  FROM credentials c WHERE ${overdue}`);
// The length is text, since only durationMs says how long a month is: so they are grouped, and summed up by the caller.
const othersWithPolicy = sql(`
  SELECT c.rotate_every AS every, CAST(count(*) FILTER (WHERE coalesce(c.owner_id, c.account_id) = :ownerId) AS integer)
    AS "ofOwner", CAST(count(*) FILTER (WHERE c.store_id = CAST(:storeId AS uuid)) AS integer) AS "ofStore"
  FROM credentials c
  WHERE (coalesce(c.owner_id, c.account_id) = :ownerId OR c.store_id = CAST(:storeId AS uuid))
    AND c.rotation_due_at IS NOT NULL AND c.revoked_at IS NULL AND c.id IS DISTINCT FROM CAST(:id AS uuid)
  GROUP BY c.rotate_every`);
