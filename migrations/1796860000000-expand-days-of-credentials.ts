import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How often credentials were verified, by the day. Only added: what a version that does not know these tables verifies is
 * not counted.
 */
export class ExpandDaysOfCredentials1796860000000 implements MigrationInterface {
  name = 'ExpandDaysOfCredentials1796860000000';

  async up(runner: QueryRunner): Promise<void> {
    // Room in each page, so that a verification writes no index. Whoever counts has the row of the uses already, which is
    // named here: a row of the credential itself would be waited for.
    await runner.query(`
      CREATE TABLE credential_days (
        credential_id uuid NOT NULL CONSTRAINT credential_days_credential REFERENCES credential_uses (credential_id),
        day date NOT NULL,
        good bigint NOT NULL,
        refused bigint NOT NULL,
        CONSTRAINT credential_days_pkey PRIMARY KEY (credential_id, day)
      ) WITH (fillfactor = 70);
      CREATE INDEX credential_days_by_day ON credential_days (day);

      -- The sums over all credentials, for whoever sees all of them.
      CREATE TABLE verification_days (
        day date NOT NULL CONSTRAINT verification_days_pkey PRIMARY KEY,
        good bigint NOT NULL,
        refused bigint NOT NULL
      ) WITH (fillfactor = 10);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE verification_days, credential_days');
  }
}
