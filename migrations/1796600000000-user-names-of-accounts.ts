import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A user name of the built-in store belongs to the account of its credential: whether another account has the same is
 * nobody's business. The other access keys are random, or their store's, and stay unique in their store.
 */
export class UserNamesOfAccounts1796600000000 implements MigrationInterface {
  name = 'UserNamesOfAccounts1796600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX credentials_access_key;
      CREATE UNIQUE INDEX credentials_access_key ON credentials (store_id, access_key)
        WHERE deleted_at IS NULL AND NOT (kind = 'PASSWORD' AND store_id = '00000000-0000-7000-8000-000000000003');
      CREATE UNIQUE INDEX credentials_username ON credentials (account_id, access_key)
        WHERE deleted_at IS NULL AND kind = 'PASSWORD' AND store_id = '00000000-0000-7000-8000-000000000003';
      CREATE INDEX credentials_presented ON credentials (store_id, access_key) WHERE deleted_at IS NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX credentials_presented;
      DROP INDEX credentials_username;
      DROP INDEX credentials_access_key;
      CREATE UNIQUE INDEX credentials_access_key ON credentials (store_id, access_key) WHERE deleted_at IS NULL;
    `);
  }
}
