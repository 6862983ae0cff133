import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How often a credential may be verified, and how often it was. Apart from the credential, because it changes with every
 * use.
 */
export class LimitsOfCredentials1796820000000 implements MigrationInterface {
  name = 'LimitsOfCredentials1796820000000';

  async up(runner: QueryRunner): Promise<void> {
    // Room in each page, so that a use writes no index.
    await runner.query(`
      CREATE TABLE credential_limits (
        credential_id uuid NOT NULL CONSTRAINT credential_limits_pkey PRIMARY KEY
          CONSTRAINT credential_limits_credential REFERENCES credentials (id),
        -- At most so many uses within so many seconds; without such a limit, both are null.
        rate_uses integer,
        rate_seconds integer,
        -- The uses in each tenth of that time, oldest first, and the number of the last tenth since 1970.
        slots integer[] NOT NULL DEFAULT array_fill(0, ARRAY[11]),
        slot bigint NOT NULL DEFAULT 0,
        -- The uses that remain; any number, where null.
        uses_left integer,
        -- They are filled up to so many, every so many seconds, and the next time then; never, where all are null.
        refill_amount integer,
        refill_seconds integer,
        refill_at timestamptz,
        CONSTRAINT credential_limits_any CHECK (rate_uses IS NOT NULL OR uses_left IS NOT NULL),
        CONSTRAINT credential_limits_rate CHECK (
          (rate_uses IS NULL) = (rate_seconds IS NULL) AND rate_uses > 0 AND rate_seconds > 0),
        CONSTRAINT credential_limits_slots CHECK (cardinality(slots) = 11),
        CONSTRAINT credential_limits_uses_left CHECK (uses_left >= 0),
        CONSTRAINT credential_limits_refill CHECK (
          (refill_amount IS NULL) = (refill_seconds IS NULL) AND (refill_amount IS NULL) = (refill_at IS NULL)
          AND (refill_amount IS NULL OR uses_left IS NOT NULL) AND refill_amount > 0 AND refill_seconds > 0)
      ) WITH (fillfactor = 50)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE credential_limits');
  }
}
