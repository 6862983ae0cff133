import type { Minted } from '../connectors/connector.js';
import { sql, type Tx } from '../database/database.js';
import { unsupported } from '../errors.js';
import type { Keyring } from '../keyring/keyring.js';
import { lockedStore, openSecrets, sealSecrets, type OpenStore } from './open.js';

/**
 * Has Keyway reach a store with the new secret of a credential that it reached it with, from this commit on. Another of
 * its ways in may have been changed since the store was opened: that stays as it is by now.
 * @param before the access key that the credential had
 */
export async function adoptSecret(
  keyring: Keyring,
  tx: Tx,
  { store: { id }, connector }: Pick<OpenStore, 'store' | 'connector'>,
  before: string | null,
  minted: Minted,
): Promise<void> {
  const store = await lockedStore(tx, id);
  const adopted = connector.adoption?.(store.settings, before)?.(minted);
  if (!adopted) throw unsupported();
  const secrets = await openSecrets(keyring, store);
  try {
    const next = { ...store, secretNumber: store.secretNumber + 1 };
    const { sealed, kekId } = await sealSecrets(keyring, next, { ...secrets, ...adopted.secrets });
    const settings = JSON.stringify({ ...store.settings, ...adopted.settings });
    await tx.rows(keep, { id, number: next.secretNumber, settings, sealed, kekId });
  } finally {
    for (const secret of Object.values(secrets)) secret.wipe();
  }
}

const keep = sql(`
  UPDATE stores SET settings = CAST(:settings AS jsonb), sealed = :sealed, kek_id = :kekId, secret_number = :number,
    updated_at = now() WHERE id = :id`);
