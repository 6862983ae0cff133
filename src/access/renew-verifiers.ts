import { sql, type Sql } from '../database/database.js';
import { KeywayError } from '../errors.js';
import type { Keyring } from '../keyring/keyring.js';
import type { Secret } from '../secret.js';
import type { PresentedKey } from './presented-key.js';

/** A generated secret that was proven just now, and what it was proven by. */
export type ProvenSecret = Pick<PresentedKey, 'id' | 'number' | 'verifier' | 'verifierKeyId'> & {
  /** The text that it is known by. */
  lookupId: string;
  secret: Secret;
};

/**
 * Keeps verifiers by the current key, where they were made with an older one, so that the older one can go some day. It
 * changes nothing where the secret was replaced meanwhile.
 */
export async function renewVerifiers(
  db: Sql,
  keyring: Keyring,
  proven: readonly ProvenSecret[],
): Promise<void> {
  const stale = proven.filter(
    ({ verifier, verifierKeyId }) =>
      verifier !== null && verifierKeyId !== null && keyring.isStaleVerifier(verifierKeyId),
  );
  if (stale.length === 0) return;
  await ifPossible(async () => {
    const made = stale.map(({ lookupId, secret }) => keyring.verifier(lookupId, secret));
    await db.rows(remade, {
      ids: stale.map(({ id }) => id),
      numbers: stale.map(({ number }) => number),
      olds: stale.map(({ verifier }) => verifier),
      verifiers: made.map(({ verifier }) => verifier),
      keyIds: made.map(({ keyId }) => keyId),
    });
  });
}

/** Does what can as well be done at the next use: what was proven stays proven where the database takes no writes. */
export async function ifPossible(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof KeywayError)) throw error;
  }
}

const remade = sql(`
  UPDATE credential_versions v SET verifier = made.verifier, verifier_key_id = made.key_id
  FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:olds AS bytea[]), CAST(:verifiers AS bytea[]),
    CAST(:keyIds AS text[])) AS made (id, number, old, verifier, key_id)
  WHERE v.credential_id = made.id AND v.number = made.number AND v.verifier = made.old`);
