import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The second factors of accounts. */
export class SecondFactor1796000000001 implements MigrationInterface {
  name = 'SecondFactor1796000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- One device an account; its row says how often codes were tried, so that all who try them meet there.
      CREATE TABLE mfa_devices (
        account_id uuid NOT NULL CONSTRAINT mfa_devices_pkey PRIMARY KEY
          CONSTRAINT mfa_devices_account REFERENCES accounts (id),
        id uuid NOT NULL,
        label text,
        sealed bytea NOT NULL,
        kek_id text NOT NULL,
        confirmed_at timestamptz,
        -- The last time step whose code was accepted: no code of it, or from before it, is accepted any more.
        last_step bigint NOT NULL DEFAULT -1,
        failures integer NOT NULL DEFAULT 0,
        locked_until timestamptz,
        recovery bytea[] NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now()
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE mfa_devices;
      UPDATE accounts SET mfa_enrolled = false WHERE mfa_enrolled;
    `);
  }
}
