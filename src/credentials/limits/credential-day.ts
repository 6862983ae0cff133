import { Column, Entity, PrimaryColumn } from 'typeorm';
import { daysKept } from '../../config/limits.js';
import { sql, type Database } from '../../database/database.js';

/** How often a credential was verified on one day of UTC. A day on which it was not has no row. */
@Entity('credential_days')
export class CredentialDay {
  @PrimaryColumn('uuid', { name: 'credential_id' })
  credentialId: string;

  @PrimaryColumn('date')
  day: string;

  /** Verifications that were good. */
  @Column('bigint')
  good: string;

  /** Verifications that were refused, also for a wrong secret. */
  @Column('bigint')
  refused: string;
}

/** The same of all credentials together. */
@Entity('verification_days')
export class VerificationDay {
  @PrimaryColumn('date')
  day: string;

  @Column('bigint')
  good: string;

  @Column('bigint')
  refused: string;
}

const batch = 5_000;

/** Deletes what is older than `daysKept`, a few thousand rows at a time. */
export async function forgetOldDays(db: Database): Promise<void> {
  await db.rows(forgetSums, { days: daysKept });
  for (;;) {
    const rows = await db.rows(forget, { days: daysKept, batch });
    if (rows.length < batch) return;
  }
}

const firstKept = "CAST(now() AT TIME ZONE 'UTC' AS date) - CAST(:days AS integer)";

const forgetSums = sql(`DELETE FROM verification_days WHERE day < ${firstKept}`);
const forget = sql(`
  DELETE FROM credential_days WHERE (credential_id, day) IN (
    SELECT credential_id, day FROM credential_days WHERE day < ${firstKept}
    ORDER BY day LIMIT CAST(:batch AS integer) FOR UPDATE SKIP LOCKED)
  RETURNING 1 AS forgotten`);
