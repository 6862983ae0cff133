import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who calls as an account by the word of somebody else: a subject, as an issuer of tokens names it. */
export class Identities1796000000002 implements MigrationInterface {
  name = 'Identities1796000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE identities (
        account_id uuid NOT NULL CONSTRAINT identities_account REFERENCES accounts (id),
        issuer text COLLATE "C" NOT NULL,
        subject text COLLATE "C" NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT identities_pkey PRIMARY KEY (issuer, subject)
      );
      CREATE INDEX identities_by_account ON identities (account_id, issuer, subject);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE identities');
  }
}
