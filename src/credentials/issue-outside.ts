import { keepable } from '../connectors/answers.js';
import type { Minted } from '../connectors/connector.js';
import type { RequestContext } from '../access/context.js';
import { sql } from '../database/database.js';
import { conflict, unsupported } from '../errors.js';
import { Secret } from '../secret.js';
import { withStore } from '../stores/open.js';
import type { Credential } from './record/credential.js';
import type { IssueTemporaryCredentialInput } from './credential.input.js';
import { authorizeOwnKey } from './rotate-outside.js';
import { currentOf, secretOfVersion, type Version } from './outside/work.js';

/**
 * A temporary credential that an outside store makes, out of the secret of its parent. A lost answer does no harm: what
 * it made ends by itself, and nobody has it.
 * @throws CONFLICT where Keyway does not have the parent's secret; UNSUPPORTED for roles and addresses of its own, since
 * the store gives it all that the parent may; what the store says.
 */
export async function issueOutside(
  ctx: RequestContext,
  input: IssueTemporaryCredentialInput,
  parent: Credential,
  lengthMs: number,
): Promise<Minted> {
  if (input.roles || input.allowedIps)
    throw unsupported('In this store a temporary credential may do all that its parent may.');
  authorizeOwnKey(ctx, parent);
  const { storeMfa: mfa } = input;
  const versions = await ctx.db.rows<Version>(current, { id: parent.id });
  return withStore(ctx, parent.storeId, async ({ store, connector, upstream }) => {
    const held = parent.reachesStore
      ? ownSecret(store.settings['accessKey'], upstream.secrets['secretKey'])
      : await secretOfVersion(ctx.keyring, upstream, parent, currentOf({ versions }));
    if (!held) throw conflict('Keyway does not have the secret of this credential: rotate it first.');
    if (!connector.issue) throw unsupported();
    const minted = await connector.issue(upstream, held, {
      durationMs: lengthMs,
      mfa: mfa ? { device: mfa.device, code: Secret.of(mfa.code) } : null,
    });
    return keepable(minted);
  });
}

/** What Keyway reaches the store with is kept with the store. */
const ownSecret = (accessKey: unknown, secret: Secret | undefined): Minted | null =>
  typeof accessKey === 'string' && secret ? { accessKey, secret, keys: null, proof: secret } : null;

const current = sql(`
  SELECT number, state, access_key AS "accessKey", sealed FROM credential_versions
  WHERE credential_id = :id AND state = 'CURRENT'`);
