import type { Ending } from '../../audit/ending.js';
import { inEach, type Deed } from '../../audit/record.js';
import { sql, type Tx } from '../../database/database.js';

/** A scope that an account has, as far as its events tell. */
export interface GivenScope {
  storeId: string;
  /** The account of the store. */
  at: string;
  accountId: string;
  scope: string;
}

/** SQL that withdraws scopes `g` of stores `s`, and returns them as `GivenScope`; `which` says which. */
export const withdrawingScopes = (which: string): string => `
  DELETE FROM scope_grants g USING stores s WHERE s.id = g.store_id AND (${which})
  RETURNING g.store_id AS "storeId", s.account_id AS at, g.account_id AS "accountId", g.scope`;

/** What is done to a grant of a scope is on record with its store, and with the account that has it. */
export const deedsOfScope = (
  action: 'scope:grant' | 'scope:withdraw',
  { storeId, at, accountId, scope }: GivenScope,
): Deed[] =>
  inEach([at, accountId], {
    action,
    target: { type: 'CredentialStore', id: storeId },
    recipientId: accountId,
    ends: action === 'scope:withdraw' ? { lostScopes: [{ account: accountId, scope }] } : undefined,
  });

/**
 * Withdraws once more the scopes that accounts had lost when an older state of the database was put back.
 * @param endings by the ids of the stores
 * @returns the ids of those that are in the database
 */
export async function withdrawScopesAgain(tx: Tx, endings: ReadonlyMap<string, Ending>): Promise<string[]> {
  const lost = [...endings].flatMap(([id, { lostScopes = [] }]) =>
    lostScopes.map(({ account, scope }) => ({ id, account, scope })),
  );
  await tx.rows(withdraw, {
    ids: lost.map(({ id }) => id),
    accounts: lost.map(({ account }) => account),
    scopes: lost.map(({ scope }) => scope),
  });
  return (await tx.rows<{ id: string }>(known, { ids: [...endings.keys()] })).map(({ id }) => id);
}

const withdraw = sql(`
  DELETE FROM scope_grants g
  USING unnest(CAST(:ids AS uuid[]), CAST(:accounts AS uuid[]), CAST(:scopes AS text[])) AS lost (id, account, scope)
  WHERE g.store_id = lost.id AND g.account_id = lost.account AND g.scope = lost.scope`);
const known = sql('SELECT id FROM stores WHERE id = ANY(CAST(:ids AS uuid[]))');
