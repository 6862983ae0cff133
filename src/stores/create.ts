import { authorize } from '../access/authorize.js';
import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import { accountScope } from '../access/scope.js';
import { record } from '../audit/record.js';
import { sql, violates } from '../database/database.js';
import { conflict, notFound } from '../errors.js';
import { answeredBefore, once } from '../idempotency/once.js';
import { newId } from '../ids.js';
import { decodeId } from '../inputs/decode-id.js';
import { tryConnection } from './check.js';
import { type StoreConnection, connectionOf } from './connection.js';
import { changedStore } from './find.js';
import { sealSecrets } from './open.js';
import { addOwnKey } from './own-key.js';
import type { CreateStoreInput } from './store.input.js';
import { CredentialStore } from './store.js';

/**
 * Connects a store, once it has answered and taken what Keyway proves itself with; that is in the inventory then, as a
 * credential of the store's account.
 * @throws NOT_FOUND for an account that the caller may not see, FORBIDDEN without STORE_MANAGE there, BAD_USER_INPUT for
 * a connection that cannot be one, or that leads to an address that is not public; STORE_REJECTED, UNAVAILABLE and
 * RATE_LIMITED, and nothing is kept; CONFLICT for a name in use.
 */
export async function createStore(ctx: RequestContext, input: CreateStoreInput): Promise<CredentialStore> {
  const accountId = await accountFor(ctx, input.account);
  const earlier = await answeredBefore<{ id: string }>(ctx, 'store:create', input);
  if (earlier) return changedStore(ctx, earlier.id);
  const connection = connectionOf(ctx.connectors, input.connection, ctx.outboundHttp);
  const { addresses, secrets, region, kind, own } = connection;
  try {
    const { settings } = await tryConnection(ctx, connection);
    const { result } = await once(ctx, 'store:create', input, async (tx) => {
      const [account] = await tx.rows(liveAccount, { id: accountId });
      if (!account) throw notFound();
      const id = newId();
      const { sealed, kekId } = await sealSecrets(
        ctx.keyring,
        { id, accountId, secretNumber: 1, addresses },
        secrets,
      );
      try {
        await tx.em.getRepository(CredentialStore).insert({
          id,
          accountId,
          name: input.name,
          kind,
          endpoint: addresses['endpoint'] ?? null,
          region,
          addresses,
          settings,
          sealed,
          kekId,
          secretNumber: 1,
          reachable: true,
          checkedAt: () => 'now()',
        });
      } catch (error) {
        if (violates(error, 'stores_name')) throw conflict('The name of the store is in use.');
        throw error;
      }
      for (const key of own) await addOwnKey(tx, { id, accountId, name: input.name }, key);
      await record(ctx, tx, { action: 'store:create', target: { type: 'CredentialStore', id }, accountId });
      return { id };
    });
    return await changedStore(ctx, result.id);
  } finally {
    wipe(connection);
  }
}

/** What was sealed, or was of no use, is in memory no longer than it must be. */
export function wipe({ secrets }: StoreConnection): void {
  for (const secret of Object.values(secrets)) secret.wipe();
}

async function accountFor(ctx: RequestContext, given: string | null | undefined): Promise<string> {
  const { principal } = ctx;
  const id = given
    ? await seenAccount(ctx, decodeId('Account', given, 'input.account'))
    : principal.accountId;
  authorize(principal, Permission.STORE_MANAGE, { accountId: id, about: { type: 'Account', id } });
  return id;
}

async function seenAccount(ctx: RequestContext, id: string): Promise<string> {
  const scope = accountScope(ctx.principal, Permission.STORE_MANAGE);
  const statement = ctx.db.statement(
    `account of a store:${scope.shape}`,
    () => `SELECT a.id FROM accounts a WHERE a.id = :id AND a.deleted_at IS NULL AND ${scope.sql}`,
  );
  const [account] = await ctx.db.rows(statement, { ...scope.parameters, id });
  if (!account) throw notFound();
  return id;
}

const liveAccount = sql('SELECT id FROM accounts WHERE id = :id AND deleted_at IS NULL FOR SHARE');
