import { record } from '../audit/record.js';
import { authorize, may } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { longestName } from '../config/limits.js';
import { isVisible } from '../connectors/answers.js';
import type { Connector, Scope } from '../connectors/connector.js';
import { StoreError } from '../connectors/store-error.js';
import type { RequestContext } from '../access/context.js';
import { badInput, KeywayError, notFound, unavailable, type Code } from '../errors.js';
import { answeredBefore, once } from '../idempotency/once.js';
import { newId } from '../ids.js';
import { fieldOfAddress, type StoreConnection } from './connection.js';
import { changedStore, findManaged } from './find.js';
import { NotPublic } from './gate.js';
import { noteHealth, problemIn } from './health.js';
import { upstreamOf, withStore, type OpenStore } from './open.js';
import type { CheckStoreInput } from './store.input.js';
import type { CredentialStore } from './store.js';

/**
 * Asks a store now whether it answers and takes what Keyway proves itself with. That it does not is an answer too.
 * @throws NOT_FOUND, FORBIDDEN without STORE_MANAGE, UNSUPPORTED for Keyway's own; RATE_LIMITED where too much is tried.
 */
export async function checkStore(ctx: RequestContext, input: CheckStoreInput): Promise<CredentialStore> {
  const { id, accountId } = await findManaged(ctx, input.id);
  if (accountId === null) throw notFound();
  if (await answeredBefore(ctx, 'store:check', input)) return changedStore(ctx, id);
  const ask = ({ connector, upstream }: OpenStore) => connector.check(upstream);
  const problem = await problemOf(() =>
    ctx.gates.trial(ctx.principal.tenantId, () => withStore(ctx, id, ask, ctx.left)),
  );
  // What was given up in the middle tells nothing of the store.
  if (ctx.left.aborted) throw unavailable();
  await once(ctx, 'store:check', input, async (tx) => {
    if (!(await noteHealth(tx, id, problem))) throw notFound();
    await record(ctx, tx, { action: 'store:check', target: { type: 'CredentialStore', id }, accountId });
    return { id };
  });
  return changedStore(ctx, id);
}

/**
 * Tries a connection before it is kept, apart from all that is known of the store that it may be of. Returns it with
 * what was found out by that.
 * @throws BAD_USER_INPUT, naming the field, for an address that Keyway may not call; STORE_REJECTED, UNAVAILABLE,
 * RATE_LIMITED.
 */
export async function tryConnection(
  ctx: RequestContext,
  connection: StoreConnection,
): Promise<StoreConnection> {
  const connector = connectorOf(ctx, connection);
  const id = newId();
  try {
    const opened = upstreamOf(ctx, { id, ...connection }, connector, connection.secrets, ctx.left);
    const found = await ctx.gates.trial(ctx.principal.tenantId, () => connector.check(opened));
    return { ...connection, settings: { ...connection.settings, ...found } };
  } catch (error) {
    if (error instanceof NotPublic && connector.connection)
      throw badInput(fieldOfAddress(connector.connection, error.at), notPublic);
    // A check finds nothing and conflicts with nothing: an answer that says so is not that of such a store.
    if (error instanceof StoreError && problemIn(error) !== error.code)
      throw new StoreError('INVALID_INPUT', { cause: error });
    throw error;
  } finally {
    ctx.gates.forget(id);
  }
}

const mostScopes = 1_000;

/**
 * The parts of a store that a credential may be made in, as the store shows them now; null for Keyway's own.
 * @throws FORBIDDEN without STORE_MANAGE or CREDENTIAL_CREATE there; what the store says.
 */
export async function scopesOf(
  ctx: RequestContext,
  { id, accountId }: CredentialStore,
): Promise<readonly Scope[] | null> {
  if (accountId === null) return null;
  const about = { type: 'CredentialStore' as const, id };
  if (!may(ctx.principal, Permission.STORE_MANAGE, { accountId }))
    authorize(ctx.principal, Permission.CREDENTIAL_CREATE, { accountId, about });
  const ask = async ({ connector, upstream }: OpenStore) => connector.scopes?.(upstream) ?? null;
  const scopes = await withStore(ctx, id, ask, ctx.left);
  // One that cannot be shown as it is could not be given either.
  return (
    scopes &&
    scopes
      .filter((scope) => isVisible(scope.id, 1, longestName))
      .slice(0, mostScopes)
      .map(shown)
  );
}

const shown = ({ id, name }: Scope): Scope => ({ id, name: isVisible(name, 1, longestName) ? name : id });

function connectorOf({ connectors }: RequestContext, { kind }: StoreConnection): Connector {
  const connector = connectors[kind];
  if (!connector) throw new KeywayError('INTERNAL_SERVER_ERROR');
  return connector;
}

/** Why a store does not answer as it should; null where it does. What goes wrong here is thrown. */
async function problemOf(work: () => Promise<unknown>): Promise<Code | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return problemIn(error);
  }
}

const notPublic =
  'must lead to a public address by https, or to one that the settings KEYWAY_OUTBOUND_RANGES or KEYWAY_OUTBOUND_HTTP_RANGES let Keyway call';
