import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { whileAllowed } from '../access/standing.js';
import { attemptIfNeeded } from '../accounts/second-factor.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { sql, type Tx } from '../database/database.js';
import { conflict, unsupported } from '../errors.js';
import type { Credential } from './record/credential.js';
import type { RevealCredentialInput } from './credential.input.js';
import { faultOfCredential } from './record/fault.js';
import { changedCredential, findCredential } from './record/find.js';
import { IssuedSecret } from './secret/issued-secret.js';
import { openSecret } from './secret/keep-secret.js';
import { presentingOf, storeOfSecret } from './secret/presenting.js';
import type { CredentialStore } from '../stores/store.js';
import { expectLiving, lockCredential } from './record/lock.js';
import { revealedByStore } from './reveal-outside.js';
import { authorizeShowing, isHolder, placeOf, termsOf } from './record/allowed.js';

export interface Revealed {
  credential: Credential;
  issued: IssuedSecret;
  other: IssuedSecret | null;
  others: IssuedSecret[];
}

/**
 * Shows a retrievable secret again, and the previous or pending ones beside it. It is on record before it is answered.
 * @throws NOT_FOUND; FORBIDDEN without CREDENTIAL_REVEAL, which owning alone gives of temporary credentials only, and
 * without the second factor that the account requires; UNSUPPORTED for a secret that is only verified; CONFLICT for one
 * that has ended; RATE_LIMITED while the factor is locked.
 */
export async function revealCredential(ctx: RequestContext, input: RevealCredentialInput): Promise<Revealed> {
  const found = await findCredential(ctx, input.id, 'input.id', Permission.CREDENTIAL_REVEAL);
  authorizeRevealing(ctx, found);
  if (!isHolder(ctx.principal, found)) await authorizeShowing(ctx, await termsOf(ctx.db, found));
  if (found.reachesStore)
    throw unsupported('Keyway itself uses this credential to reach a store, so it is never shown.');
  if (!found.retrievable) throw notKept(found);
  expectLiving(found);
  const attempt = await attemptIfNeeded(ctx, input.mfaCode);
  const reveal = async () => {
    const shownByStore = await revealedByStore(ctx, found);
    return whileAllowed(ctx, async (tx) => {
      const credential = await lockCredential(ctx, tx, found.id, Permission.CREDENTIAL_REVEAL, (locked) =>
        authorizeRevealing(ctx, locked),
      );
      expectLiving(credential);
      if (credential.parentId !== null) await expectUnended(tx, credential);
      await attempt?.prove(tx);
      const secrets = shownByStore ? [shownByStore] : await openVersions(ctx, tx, credential);
      await record(ctx, tx, {
        action: 'credential:reveal',
        target: { type: 'Credential', id: credential.id },
        accountId: credential.accountId,
        projectId: credential.projectId,
      });
      return secrets;
    });
  };
  const [issued, ...others] = await (attempt ? attempt.during(reveal) : reveal());
  if (!issued) throw unsupported('This secret is not kept, so it cannot be shown.');
  return { credential: await changedCredential(ctx, found.id), issued, other: others[0] ?? null, others };
}

const notKept = ({ externalId }: Credential) =>
  unsupported(
    externalId === null
      ? 'This secret was shown once, when it was made; Keyway has kept only what it needs to verify it.'
      : 'Keyway does not have this secret. Rotate the credential: Keyway keeps the new one.',
  );

/** By CREDENTIAL_REVEAL there; what is temporary also as its owner, or by having signed with it. @throws FORBIDDEN */
function authorizeRevealing({ principal }: RequestContext, credential: Credential): void {
  const { limits, accountId } = principal;
  const place = placeOf(credential);
  const owns =
    place.owner === accountId && (limits === null || limits.includes(Permission.CREDENTIAL_REVEAL));
  if (credential.parentId !== null && (owns || isHolder(principal, credential))) return;
  authorize(principal, Permission.CREDENTIAL_REVEAL, place);
}

/** @throws CONFLICT for a temporary credential that has ended by itself, or with its parent. */
async function expectUnended(tx: Tx, { id }: Credential): Promise<void> {
  const fault = await faultOfCredential(tx, id);
  if (fault === 'EXPIRED' || fault === 'REVOKED') throw conflict('The temporary credential has ended.');
}

interface SealedVersion {
  number: number;
  accessKey: string | null;
  sealed: Buffer;
  store: Pick<CredentialStore, 'kind' | 'addresses' | 'settings'>;
  expiresAt: string | null;
}

async function openVersions(ctx: RequestContext, tx: Tx, credential: Credential): Promise<IssuedSecret[]> {
  const versions = await tx.rows<SealedVersion>(living, { id: credential.id });
  return Promise.all(
    versions.map(
      async ({ store, expiresAt, ...version }) =>
        new IssuedSecret({
          ...(await openSecret(ctx.keyring, store, credential, version)),
          expiresAt,
          at: presentingOf(ctx.connectors, store),
        }),
    ),
  );
}

// In an outside store the previous one works until the store has ended it.
const living = sql(`
  SELECT v.number, v.access_key AS "accessKey", v.sealed, ${storeOfSecret},
    least(v.valid_until, c.expires_at) AS "expiresAt" FROM credential_versions v
  JOIN credentials c ON c.id = v.credential_id JOIN stores s ON s.id = c.store_id
  WHERE v.credential_id = :id AND v.sealed IS NOT NULL
    AND (v.state IN ('CURRENT', 'PENDING', 'UNKNOWN')
      OR v.state = 'PREVIOUS' AND (v.valid_until > now() OR c.external_id IS NOT NULL))
  ORDER BY CASE v.state WHEN 'CURRENT' THEN 0 WHEN 'PENDING' THEN 1 ELSE 2 END`);
