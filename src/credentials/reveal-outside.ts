import { rotating } from '../access/works.js';
import type { RequestContext } from '../access/context.js';
import { sql } from '../database/database.js';
import { keepable } from '../connectors/answers.js';
import { notFound } from '../errors.js';
import { storeNamed } from '../stores/find.js';
import { withStore, type OpenStore } from '../stores/open.js';
import type { Credential } from './record/credential.js';
import { IssuedSecret, partsOf } from './secret/issued-secret.js';
import { presentingOf } from './secret/presenting.js';
import { currentOf, secretOfVersion, knownOf, living, type Version } from './outside/work.js';

/**
 * The secret of a credential as its store shows it now; undefined where Keyway's own record is to be shown: of its own
 * store, of stores that show none, and while a rotation is under way.
 * @throws what the store says.
 */
export async function revealedByStore(
  ctx: RequestContext,
  credential: Credential,
): Promise<IssuedSecret | undefined> {
  if (credential.externalId === null) return undefined;
  const [turning] = await ctx.db.rows(underWay, { id: credential.id });
  if (turning) return undefined;
  const versions = await ctx.db.rows<Version>(living, { id: credential.id });
  const read = async ({ connector, upstream }: OpenStore) => {
    if (!connector.reveal) return undefined;
    const held = await secretOfVersion(ctx.keyring, upstream, credential, currentOf({ versions }));
    const shown = await connector.reveal(upstream, knownOf({ credential, versions }), held);
    return shown && keepable(shown);
  };
  const minted = await withStore(ctx, credential.storeId, read, ctx.left);
  if (!minted) return undefined;
  const store = await storeNamed(ctx).load(credential.storeId);
  if (!store) throw notFound();
  const { provider } = credential;
  const parts = partsOf(minted, { expiresAt: minted.expiresAt ?? credential.expiresAt, provider });
  return new IssuedSecret({ ...parts, at: presentingOf(ctx.connectors, store) });
}

const underWay = sql(`SELECT c.id FROM credentials c WHERE c.id = :id AND ${rotating}`);
