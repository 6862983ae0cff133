import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../context.js';
import { sql, type Tx } from '../database.js';
import { forbidden, unsupported } from '../errors.js';
import type { Credential } from './credential.js';
import type { RevealCredentialInput } from './credential.input.js';
import { changedCredential, findCredential } from './find.js';
import { IssuedSecret } from './issued-secret.js';
import { openSecret } from './keep-secret.js';
import { expectLiving, lockCredential } from './lock.js';
import { authorizeShowing, placeOf } from './place.js';

export interface Revealed {
  credential: Credential;
  issued: IssuedSecret;
  other: IssuedSecret | null;
}

/**
 * Shows a retrievable secret again, and the previous or pending one beside it. It is on record before it is answered.
 * @throws NOT_FOUND; FORBIDDEN without CREDENTIAL_REVEAL, which owning alone does not give; UNSUPPORTED for a secret
 * that is only verified; CONFLICT for one that has ended.
 */
export async function revealCredential(ctx: RequestContext, input: RevealCredentialInput): Promise<Revealed> {
  const found = await findCredential(ctx, input.id, 'input.id', Permission.CREDENTIAL_REVEAL);
  authorize(ctx.principal, Permission.CREDENTIAL_REVEAL, placeOf(found));
  if (ctx.principal.mfaRequired) throw forbidden('This account must prove a second factor first.');
  await authorizeShowing(ctx, found);
  if (!found.retrievable) throw unsupported('This secret was shown once and is only verified since.');
  const [issued, other] = await ctx.db.transaction(async (tx) => {
    const credential = await lockCredential(ctx, tx, found.id, Permission.CREDENTIAL_REVEAL);
    expectLiving(credential);
    const secrets = await openVersions(ctx, tx, credential);
    await record(ctx, tx, {
      action: 'credential:reveal',
      target: { type: 'Credential', id: credential.id },
      accountId: credential.accountId,
      projectId: credential.projectId,
    });
    return secrets;
  });
  if (!issued) throw unsupported('This secret is not kept.');
  return { credential: await changedCredential(ctx, found.id), issued, other: other ?? null };
}

async function openVersions(ctx: RequestContext, tx: Tx, credential: Credential): Promise<IssuedSecret[]> {
  const versions = await tx.rows<{ number: number; accessKey: string | null; sealed: Buffer }>(living, {
    id: credential.id,
  });
  return Promise.all(
    versions.map(async (version) => new IssuedSecret(await openSecret(ctx.keyring, credential, version))),
  );
}

const living = sql(`
  SELECT number, access_key AS "accessKey", sealed FROM credential_versions
  WHERE credential_id = :id AND sealed IS NOT NULL
    AND (state IN ('CURRENT', 'PENDING') OR state = 'PREVIOUS' AND valid_until > now())
  ORDER BY CASE state WHEN 'CURRENT' THEN 0 ELSE 1 END`);
