import { authorize } from '../access/authorize.js';
import { Permission, whoseOf } from '../access/principal.js';
import { accountNamed } from '../accounts/find.js';
import { record } from '../audit/record.js';
import { mint } from '../connectors/built-in.js';
import type { RequestContext } from '../context.js';
import type { Tx } from '../database/database.js';
import { notFound, unsupported } from '../errors.js';
import { once } from '../idempotency/once.js';
import { storeNamed } from '../stores/find.js';
import { StoreKind } from '../stores/store.js';
import { supporting } from '../stores/supporting.js';
import type { Credential } from './record/credential.js';
import { durationMs } from '../time.js';
import type { RotateCredentialInput } from './credential.input.js';
import { changedCredential, findCredential } from './record/find.js';
import { partsOf, type IssuedSecret } from './secret/issued-secret.js';
import { prepare } from './secret/keep-secret.js';
import { expectLiving, expectRevision, lockCredential } from './record/lock.js';
import { authorizeShowing, placeOf, termsOf } from './record/allowed.js';
import { rotateOutside } from './rotate-outside.js';
import { factorFor, type Coded } from './secret/factor.js';
import { mayStill, named, shown, type Made } from './secret/shown.js';
import { expectNewest } from './record/versions.js';
import { wishForNext } from './secret/wish.js';
import { switchTo } from './rotate-here.js';

/**
 * Replaces the secret of a credential; the one before keeps working for the grace period. A second rotation within it
 * retires the oldest.
 * @throws NOT_FOUND; FORBIDDEN, also without the second factor that the caller's account requires; CONFLICT where the
 * credential has ended, has another revision than expected, or was
 * rotated by another request after this one began.
 */
export async function rotateCredential(
  ctx: RequestContext,
  { mfaCode, ...input }: RotateCredentialInput,
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
  if (store.kind !== StoreKind.BUILT_IN) return rotateOutside(ctx, input, mfaCode, found, store.kind);
  const { wish } = wishForNext(found, account, input.secret);
  const prepared = await prepare(ctx.keyring, whoseOf(ctx.principal), found.kind, mint(wish));
  const factor = await factorFor(ctx, mfaCode);

  const turn = async (tx: Tx): Promise<Made & Coded> => {
    const credential = await lockCredential(ctx, tx, found.id, Permission.CREDENTIAL_ROTATE);
    expectLiving(credential);
    expectRevision(credential, input.expectedRevision);
    await expectNewest(ctx, tx, found);
    const graceMs = durationMs(input.gracePeriod ?? 'PT0S');
    const by = principal.accountId;
    const number = await switchTo(ctx.keyring, tx, credential, { wish, prepared, graceMs, by, atMs: ctx.at });
    const code = await factor.prove(tx);
    await record(ctx, tx, {
      action: 'credential:rotate',
      target: { type: 'Credential', id: credential.id },
      accountId: credential.accountId,
      projectId: credential.projectId,
      changed: ['secret'],
    });
    const issued = partsOf(prepared.minted, credential);
    return { id: credential.id, version: number, issued, code };
  };
  const outcome = await factor.during(() => once(ctx, 'credential:rotate', input, turn));
  const credential = await changedCredential(ctx, outcome.result.id);
  const issued = await shown(ctx, outcome, mayStill(ctx, outcome, Permission.CREDENTIAL_ROTATE));
  return { credential, issued: issued ?? named(outcome.result, credential) };
}
