/**
 * SQL for the tenant of an account: the account at the top of its tree. Whoever manages an account can make more below
 * it, and connect more stores, but nobody below the top makes another top: a share by anything less could be had as often
 * as one likes.
 * @param account SQL for its id
 */
export const tenantOf = (account: string): string => `(
  WITH RECURSIVE up (id, parent_id) AS (
    SELECT t.id, t.parent_id FROM accounts t WHERE t.id = ${account}
    UNION
    SELECT t.id, t.parent_id FROM up JOIN accounts t ON t.id = up.parent_id
  )
  SELECT up.id FROM up WHERE up.parent_id IS NULL)`;

/**
 * SQL for the `id` and `tenant` of what comes next of that which waits: of each tenant one, then of each a second, and
 * what a tenant has under way counts as had; within a tenant the same among its accounts. Parameters are those of
 * `Slots.asked()`.
 * @param waiting SQL for rows of `id`, `account_id` and `at`, from when on it waits
 */
export const nextInTurn = (waiting: string): string => `
  SELECT turns.id, turns.tenant FROM (
    SELECT own.id, own.tenant, own.at, row_number() OVER (PARTITION BY own.tenant ORDER BY own.turn, own.at)
      + (SELECT count(*) FROM unnest(CAST(:had AS uuid[])) AS had (tenant) WHERE had.tenant = own.tenant) AS turn
    FROM (
      SELECT each.id, each.at, each.turn, ${tenantOf('each.account_id')} AS tenant
      FROM (
        SELECT waiting.id, waiting.at, waiting.account_id,
          row_number() OVER (PARTITION BY waiting.account_id ORDER BY waiting.at) AS turn
        FROM (${waiting}) waiting
      ) each WHERE each.turn <= CAST(:share AS integer)
    ) own
  ) turns WHERE turns.turn <= CAST(:share AS integer) ORDER BY turns.turn, turns.at LIMIT CAST(:free AS integer)`;
