import type { Wish } from '../connectors/connector.js';
import type { Tx } from '../database/database.js';
import type { Keyring } from '../keyring/keyring.js';
import { durationMs, instant } from '../time.js';
import { Credential } from './record/credential.js';
import { endOrphans } from './record/end.js';
import { RotationState } from './record/rotation.js';
import { beginRotation, finishEarlier, noteRotating } from './record/rotations.js';
import { beginVersion, demoteCurrent, nextVersion, retireCurrent, retireOthers } from './record/versions.js';
import { keepSecret, type Prepared } from './secret/keep-secret.js';

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
  const { id, kind, retrievable, rotateEvery } = credential;
  const { from, to } = await nextVersion(tx, id);
  await retireOthers(tx, id, from);
  await finishEarlier(tx, id, null);
  const finished = graceMs === 0;
  // Without grace the old secret is not kept at all.
  if (finished) await retireCurrent(tx, id);
  else await demoteCurrent(tx, id, graceMs);
  const kept = await keepSecret({ keyring }, credential, to, kind, retrievable, prepared);
  const { accessKey } = prepared.minted;
  await beginVersion(tx, { credentialId: id, number: to, state: 'CURRENT', accessKey, ...kept });
  await beginRotation(tx, {
    credentialId: id,
    state: finished ? RotationState.FINISHED : RotationState.SWITCHED,
    startedById: by,
    from,
    to,
  });
  await noteRotating(tx, id);
  await tx.em.getRepository(Credential).update(
    { id },
    {
      ...('prefix' in wish && { secretPrefix: wish.prefix }),
      ...(wish.kind === 'ACCESS_KEY' && { secretFormat: wish.format }),
      ...(rotateEvery && { rotationDueAt: instant(atMs + durationMs(rotateEvery)) }),
      revision: () => 'revision + 1',
      updatedAt: () => 'now()',
    },
  );
  await endOrphans(tx, [id]);
  return to;
}
