import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { accountNamed } from '../accounts/find.js';
import { record } from '../audit/record.js';
import { mint } from '../connectors/built-in.js';
import type { Wish } from '../connectors/connector.js';
import type { RequestContext } from '../context.js';
import { sql, type Tx } from '../database/database.js';
import { notFound, unsupported } from '../errors.js';
import { once } from '../idempotency/once.js';
import { newId } from '../ids.js';
import type { Keyring } from '../keyring/keyring.js';
import { durationMs } from '../inputs/scalars.js';
import { storeNamed } from '../stores/find.js';
import { StoreKind } from '../stores/store.js';
import { supporting } from '../stores/supporting.js';
import { instant } from '../time.js';
import { CredentialSecret } from './record/credential-version.js';
import { Credential } from './record/credential.js';
import type { RotateCredentialInput } from './credential.input.js';
import { endOrphans } from './record/end.js';
import { changedCredential, findCredential } from './record/find.js';
import { pack, type IssuedSecret } from './secret/issued-secret.js';
import { keepSecret, prepare, type Prepared } from './secret/keep-secret.js';
import { expectLiving, expectRevision, lockCredential } from './record/lock.js';
import { authorizeShowing, placeOf, termsOf } from './record/allowed.js';
import { rotateOutside } from './rotate-outside.js';
import { Rotation, RotationState } from './record/rotation.js';
import { shownOrNamed } from './secret/shown.js';
import { expectNewest } from './record/versions.js';
import { wishForNext } from './secret/wish.js';

/**
 * Replaces the secret of a credential; the one before keeps working for the grace period. A second rotation within it
 * retires the oldest.
 * @throws NOT_FOUND, FORBIDDEN; CONFLICT where the credential has ended, has another revision than expected, or was
 * rotated by another request after this one began.
 */
export async function rotateCredential(
  ctx: RequestContext,
  input: RotateCredentialInput,
): Promise<{ credential: Credential; issued: IssuedSecret }> {
  const { principal } = ctx;
  const found = await findCredential(ctx, input.id, 'input.id', Permission.CREDENTIAL_ROTATE);
  authorize(principal, Permission.CREDENTIAL_ROTATE, placeOf(found));
  await authorizeShowing(ctx, await termsOf(ctx.db, found));
  if (found.parentId !== null) throw unsupported('A temporary credential is not rotated: issue another one.');
  const [store, account] = await Promise.all([
    storeNamed(ctx).load(found.storeId),
    accountNamed(ctx).load(found.accountId),
  ]);
  if (!store || !account) throw notFound();

  supporting(ctx.connectors, store, 'rotate');
  if (store.kind !== StoreKind.BUILT_IN) return rotateOutside(ctx, input, found, store.kind);
  const { wish } = wishForNext(found, account, input.secret);
  const prepared = await prepare(ctx.keyring, found.kind, mint(wish));

  const outcome = await once(ctx, 'credential:rotate', input, async (tx) => {
    const credential = await lockCredential(ctx, tx, found.id, Permission.CREDENTIAL_ROTATE);
    expectLiving(credential);
    expectRevision(credential, input.expectedRevision);
    await expectNewest(tx, found);
    const graceMs = durationMs(input.gracePeriod ?? 'PT0S');
    const by = principal.accountId;
    const number = await switchTo(ctx.keyring, tx, credential, { wish, prepared, graceMs, by, atMs: ctx.at });
    await record(ctx, tx, {
      action: 'credential:rotate',
      target: { type: 'Credential', id: credential.id },
      accountId: credential.accountId,
      projectId: credential.projectId,
      changed: ['secret'],
    });
    const issued = pack({ ...prepared.minted, expiresAt: credential.expiresAt });
    return { id: credential.id, version: number, issued };
  });

  const credential = await changedCredential(ctx, outcome.result.id);
  return { credential, issued: await shownOrNamed(ctx, outcome, credential) };
}

/** The next secret of a credential of Keyway's own store. */
interface Next {
  wish: Wish;
  prepared: Prepared;
  graceMs: number;
  /** The account that wants it; nobody, where a policy does. */
  by: string | null;
  atMs: number;
}

/** Brings in the new secret and sends the one before into its grace period. Returns the new version's number. */
export async function switchTo(
  keyring: Keyring,
  tx: Tx,
  credential: Credential,
  { wish, prepared, graceMs, by, atMs }: Next,
): Promise<number> {
  const { id } = credential;
  await tx.rows(retirePrevious, { id });
  await tx.rows(finishOldest, { id });
  const [from] = await tx.rows<{ number: number; next: number }>(replaceCurrent, { id, graceMs });
  if (!from) throw new Error('the credential has no current version');
  const finished = graceMs === 0;
  // Without grace the old secret is not kept at all.
  if (finished) await tx.rows(retirePrevious, { id });
  const kept = await keepSecret(
    { keyring },
    credential,
    from.next,
    credential.kind,
    credential.retrievable,
    prepared,
  );
  await tx.em.getRepository(CredentialSecret).insert({
    credentialId: id,
    number: from.next,
    state: 'CURRENT',
    accessKey: prepared.minted.accessKey,
    ...kept,
  });
  await tx.em.getRepository(Rotation).insert({
    id: newId(),
    credentialId: id,
    state: finished ? RotationState.FINISHED : RotationState.SWITCHED,
    startedById: by,
    startedAt: () => 'clock_timestamp()',
    finishedAt: finished ? () => 'clock_timestamp()' : null,
    fromNumber: from.number,
    toNumber: from.next,
  });
  await tx.rows(rotatingUntil, { id });
  await tx.em.getRepository(Credential).update(
    { id },
    {
      ...('prefix' in wish && { secretPrefix: wish.prefix }),
      ...(wish.kind === 'ACCESS_KEY' && { secretFormat: wish.format }),
      ...(credential.rotateEvery && { rotationDueAt: instant(atMs + durationMs(credential.rotateEvery)) }),
      revision: () => 'revision + 1',
      updatedAt: () => 'now()',
    },
  );
  await endOrphans(tx, [id]);
  return from.next;
}

const retirePrevious = sql(`
  UPDATE credential_versions SET state = 'RETIRED', valid_until = least(valid_until, now()),
    verifier = NULL, verifier_key_id = NULL, password_hash = NULL, pepper_id = NULL, sealed = NULL, kek_id = NULL
  WHERE credential_id = :id AND state = 'PREVIOUS'`);

const finishOldest = sql(`
  UPDATE rotations SET state = 'FINISHED', finished_at = clock_timestamp()
  WHERE credential_id = :id AND state = 'SWITCHED'`);

const replaceCurrent = sql(`
  UPDATE credential_versions SET state = 'PREVIOUS',
    valid_until = now() + CAST(:graceMs AS double precision) * interval '1 millisecond'
  WHERE credential_id = :id AND state = 'CURRENT'
  RETURNING number, (SELECT max(number) + 1 FROM credential_versions WHERE credential_id = :id) AS next`);

const rotatingUntil = sql(`
  UPDATE credentials SET rotating_until =
    (SELECT valid_until FROM credential_versions WHERE credential_id = :id AND state = 'PREVIOUS')
  WHERE id = :id`);
