import type { Permission } from '../../access/principal.js';
import { isAllowedStill, whileAllowed } from '../../access/standing.js';
import { works } from '../../access/works.js';
import { record } from '../../audit/record.js';
import type { RequestContext } from '../../access/context.js';
import { sql, type Tx } from '../../database/database.js';
import type { Answer } from '../../idempotency/answer.js';
import type { OnceOutcome } from '../../idempotency/once.js';
import { authorizeShowing, termsOf } from '../record/allowed.js';
import type { Credential } from '../record/credential.js';
import { lockCredential } from '../record/lock.js';
import { IssuedSecret, type SecretParts } from './issued-secret.js';
import { openSecret } from './keep-secret.js';
import { presentingOf, storeOfSecret } from './presenting.js';
import type { CredentialStore } from '../../stores/store.js';

/** What is left of making a version, to answer with. */
export interface Made extends Answer {
  /** The credential's. */
  id: string;
  version: number;
  /** Its secret; left out where a store is still to be asked, after which the version has it. */
  issued?: SecretParts;
}

/**
 * The secret of a version, for the answer to what made it; null where it must not be shown, as to a caller who has lost
 * something while a store was asked. To a replay it is shown again only while it is the credential's current one and
 * works, and its caller may still do what made it, where the credential is by now; and it is a reveal, which is on record.
 * @param again decides of a replay: `mayStill`, unless it was decided before.
 * @throws NOT_FOUND and FORBIDDEN to a replay whose caller may not.
 */
export async function shown(
  ctx: RequestContext,
  { result, replayed }: OnceOutcome<Made>,
  again: (tx: Tx) => Promise<unknown>,
): Promise<IssuedSecret | null> {
  const { id, version, issued } = result;
  if (!replayed && issued) return new IssuedSecret(issued);
  const held = replayed
    ? await whileAllowed(ctx, async (tx) => {
        await again(tx);
        return revealed(ctx, tx, result);
      })
    : (await ctx.db.rows<Held>(current, { id, version }))[0];
  // The store was asked since it was decided: what was done there stays done.
  if (!replayed && !(await isAllowedStill(ctx))) return null;
  return held ? new IssuedSecret(issued ?? (await opened(ctx, held, version))) : null;
}

/** Decides of a replay: by the permission where the credential is now, and by what its secret may do by now. */
export const mayStill =
  (ctx: RequestContext, { result }: OnceOutcome<Made>, permission: Permission) =>
  async (tx: Tx): Promise<void> => {
    const credential = await lockCredential(ctx, tx, result.id, permission);
    await authorizeShowing(ctx, await termsOf(tx, credential), tx);
  };

/** What may be told of a secret that must not be shown any more: which key it was. */
export const named = (
  { issued }: Made,
  { accessKey, expiresAt }: Pick<Credential, 'accessKey' | 'expiresAt'>,
): IssuedSecret =>
  new IssuedSecret({ accessKey: issued ? issued.accessKey : accessKey, secret: null, keys: null, expiresAt });

type Held = Pick<
  Credential,
  'id' | 'accountId' | 'projectId' | 'kind' | 'provider' | 'accessKey' | 'expiresAt'
> & {
  sealed: Buffer | null;
  store: Pick<CredentialStore, 'kind' | 'addresses' | 'settings'>;
};

async function revealed(
  ctx: RequestContext,
  tx: Tx,
  { id, version, issued }: Made,
): Promise<Held | undefined> {
  const [held] = await tx.rows<Held>(working, { id, version });
  if (!held || !(issued ?? held.sealed)) return undefined;
  const { accountId, projectId } = held;
  const target = { type: 'Credential' as const, id };
  await record(ctx, tx, { action: 'credential:reveal', target, accountId, projectId });
  return held;
}

async function opened(
  { keyring, connectors }: RequestContext,
  { sealed, store, ...held }: Held,
  number: number,
): Promise<SecretParts> {
  if (!sealed) throw new Error('the version has no secret');
  const parts = await openSecret(keyring, store, held, { number, accessKey: held.accessKey, sealed });
  return { ...parts, at: presentingOf(connectors, store) };
}

const versionAsCurrent = `
  SELECT c.id, c.account_id AS "accountId", c.project_id AS "projectId", c.kind, c.provider,
    v.access_key AS "accessKey", c.expires_at AS "expiresAt", v.sealed, ${storeOfSecret}
  FROM credentials c JOIN stores s ON s.id = c.store_id
  JOIN credential_versions v ON v.credential_id = c.id AND v.number = :version AND v.state = 'CURRENT'`;
const current = sql(`${versionAsCurrent} WHERE c.id = :id AND v.sealed IS NOT NULL`);
const working = sql(`${versionAsCurrent} WHERE c.id = :id AND ${works} FOR UPDATE OF c`);
