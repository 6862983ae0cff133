import { sql, type Tx } from '../../database/database.js';
import { secretPlace, type SealedTo } from '../../keyring/envelope.js';
import type { Keyring } from '../../keyring/keyring.js';

/** The sealed secret of a version, and where its credential was and is to be. */
export interface Moving {
  /** The credential's. */
  readonly id: string;
  readonly number: number;
  readonly sealed: Buffer;
  readonly from: SealedTo;
  readonly to: SealedTo;
}

/** Seals the same secrets to other places, and keeps them by one statement. @throws as `Keyring.open` does */
export async function reseal(keyring: Keyring, tx: Tx, moving: readonly Moving[]): Promise<void> {
  if (moving.length === 0) return;
  const sealed: string[] = [];
  const keks: string[] = [];
  for (const { number, from, to, ...version } of moving) {
    const plain = await keyring.open(Buffer.from(version.sealed), secretPlace(from, number));
    try {
      const next = await keyring.seal(plain, secretPlace(to, number));
      sealed.push(next.sealed.toString('hex'));
      keks.push(next.kekId);
    } finally {
      plain.wipe();
    }
  }
  const ids = moving.map(({ id }) => id);
  const numbers = moving.map(({ number }) => number);
  await tx.rows(keep, { ids, numbers, sealed, keks });
}

// What was wiped since it was read stays wiped.
const keep = sql(`
  UPDATE credential_versions v SET sealed = decode(moved.sealed, 'hex'), kek_id = moved.kek_id
  FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:sealed AS text[]), CAST(:keks AS text[]))
    AS moved (id, number, sealed, kek_id)
  WHERE v.credential_id = moved.id AND v.number = moved.number AND v.sealed IS NOT NULL`);
