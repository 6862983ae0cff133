import type { Wish } from '../connectors/connector.js';
import { sql, type Tx } from '../database/database.js';
import { newId } from '../ids.js';
import type { Keyring } from '../keyring/keyring.js';
import { durationMs, instant } from '../time.js';
import { CredentialSecret } from './record/credential-version.js';
import { Credential } from './record/credential.js';
import { endOrphans } from './record/end.js';
import { Rotation, RotationState } from './record/rotation.js';
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
