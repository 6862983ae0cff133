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
  const current = keyring.currentVerifierId();
  const made = proven.flatMap(({ id, number, verifier: old, verifierKeyId, lookupId, secret }) =>
    old === null || verifierKeyId === current
      ? []
      : [{ id, number, old, verifier: keyring.verifier(lookupId, secret).verifier }],
  );
  if (made.length === 0) return;
  await ifPossible(() =>
    db.rows(remade, {
      ids: made.map(({ id }) => id),
      numbers: made.map(({ number }) => number),
      olds: made.map(({ old }) => old),
      verifiers: made.map(({ verifier }) => verifier),
      keyId: current,
    }),
  );
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
  UPDATE credential_versions v SET verifier = made.verifier, verifier_key_id = :keyId
  FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:olds AS bytea[]), CAST(:verifiers AS bytea[]))
    AS made (id, number, old, verifier)
  WHERE v.credential_id = made.id AND v.number = made.number AND v.verifier = made.old`);
