import { authorize } from '../access/authorize.js';
import { Permission, whoseOf } from '../access/principal.js';
import { accountKept } from '../accounts/find.js';
import { atOnce, type AtOnce } from '../audit/at-once.js';
import { mint } from '../connectors/built-in.js';
import type { RequestContext } from '../access/context.js';
import { unsupported } from '../errors.js';
import { StoreKind } from '../stores/store.js';
import { supporting } from '../stores/supporting.js';
import type { Role } from '../roles/role.js';
import type { Credential } from './record/credential.js';
import { durationMs } from '../time.js';
import type { RotateCredentialInput } from './credential.input.js';
import { changedCredential, credentialChanged, findSurrounded, rolesCarried, tellOf } from './record/find.js';
import { partsOf, type IssuedSecret } from './secret/issued-secret.js';
import { keepSecret, prepare, type Kept } from './secret/keep-secret.js';
import { expectLiving, expectRevision, lockOf } from './record/lock.js';
import { authorizeShowing, placeOf, termsBy } from './record/allowed.js';
import { rotateOutside } from './rotate-outside.js';
import { factorFor, type Coded } from './secret/factor.js';
import { mayStill, named, shown, type Made } from './secret/shown.js';
import { expectNoNewer, newerAsked } from './record/versions.js';
import { wishForNext } from './secret/wish.js';
import { heldTurn, switching, switchTo, turnHeld } from './rotate-here.js';

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
  const by = Permission.CREDENTIAL_ROTATE;
  const { found, store, account, owner, project, allowed, held } = await findSurrounded(
    ctx,
    input.id,
    'input.id',
    by,
  );
  authorize(ctx.principal, by, placeOf(found));
  await authorizeShowing(ctx, termsBy(found, allowed), ctx.db, held);
  if (found.parentId !== null) throw unsupported('A temporary credential is not rotated: issue another one.');

  supporting(ctx.connectors, store, 'rotate');
  if (store.kind !== StoreKind.BUILT_IN) return rotateOutside(ctx, input, mfaCode, found, store.kind);
  const { wish } = wishForNext(found, account, input.secret);
  const prepared = await prepare(ctx.keyring, whoseOf(ctx.principal), found.kind, mint(wish));
  const factor = await factorFor(ctx, mfaCode);
  const lock = lockOf(ctx, found.id, by);
  let code: string | null = null;
  let kept: Kept;

  const rotate: AtOnce<Made & Coded> = {
    holds: [accountKept(ctx.principal.accountId), lock.part],
    last: async (tx, [, locked = []]) => {
      const credential = lock.read(locked);
      expectLiving(credential);
      expectRevision(credential, input.expectedRevision);
      code = await factor.prove(tx);
      // Before others wait for the chain: a provider of keys may take its time.
      kept = await keepSecret(
        ctx,
        credential,
        found.newest + 1,
        found.kind,
        credential.retrievable,
        prepared,
      );
      return { holds: [newerAsked(ctx, found), ...turnHeld(found.id)], accounts: [credential.accountId] };
    },
    decide: async (tx, [, locked = [], newer = [], ...held]) => {
      expectNoNewer(newer);
      const credential = lock.read(locked);
      const { id, accountId, projectId } = credential;
      const graceMs = durationMs(input.gracePeriod ?? 'PT0S');
      const { minted } = prepared;
      const { turn, isParent } = heldTurn(held);
      const next = { ...turn, wish, minted, kept, graceMs, by: ctx.principal.accountId, atMs: ctx.at };
      if (isParent) await switchTo(ctx.db, tx, credential, next);
      return {
        writes: [
          ...(isParent ? [credentialChanged(ctx.db, id)] : switching(ctx.db, credential, next)),
          rolesCarried(ctx, id),
        ],
        deeds: [
          {
            action: 'credential:rotate',
            target: { type: 'Credential', id },
            accountId,
            projectId,
            changed: ['secret'],
            ends: { secretsBefore: turn.to },
          },
        ],
        result: { id, version: turn.to, issued: partsOf(minted, credential), code },
      };
    },
  };
  const outcome = await factor.during(() => atOnce(ctx, 'credential:rotate', input, rotate));
  const [changed] = (outcome.brought[0] ?? []) as unknown as Credential[];
  const credential = changed ?? (await changedCredential(ctx, outcome.result.id));
  if (changed) {
    const roles = outcome.brought.at(-1) as unknown as Role[];
    tellOf(ctx, changed, { store, accounts: owner ? [account, owner] : [account], project, roles });
  }
  const issued = await shown(ctx, outcome, mayStill(ctx, outcome, by));
  return { credential, issued: issued ?? named(outcome.result, credential) };
}
