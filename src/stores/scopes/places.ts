import { inEach, type Deed } from '../../audit/record.js';

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
  { storeId, at, accountId }: GivenScope,
): Deed[] =>
  inEach([at, accountId], {
    action,
    target: { type: 'CredentialStore', id: storeId },
    recipientId: accountId,
  });
