import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What has been taken of the limits of a minute. Nothing of it is worth a write to the log of the database, and after a
 * crash it begins anew, so the table is unlogged.
 * https://www.postgresql.org/docs/current/sql-createtable.html#SQL-CREATETABLE-UNLOGGED
 */
export class RateLimits1796830000000 implements MigrationInterface {
  name = 'RateLimits1796830000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE UNLOGGED TABLE rate_limits (
        name text COLLATE "C" NOT NULL CONSTRAINT rate_limits_pkey PRIMARY KEY,
        taken integer NOT NULL CONSTRAINT rate_limits_taken_check CHECK (taken >= 0),
        granted integer NOT NULL CONSTRAINT rate_limits_granted_check CHECK (granted >= 0),
        ends_at timestamptz NOT NULL
      )`);
    await runner.query('CREATE INDEX rate_limits_ends_at ON rate_limits (ends_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE rate_limits');
  }
}
