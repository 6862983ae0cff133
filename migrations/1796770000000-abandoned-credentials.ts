import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a credential was let go of with its store, which had not ended it: nobody may take it for one that is dead. */
export class AbandonedCredentials1796770000000 implements MigrationInterface {
  name = 'AbandonedCredentials1796770000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE credentials ADD COLUMN abandoned_at timestamptz;
      CREATE INDEX credentials_abandoned ON credentials (created_at, id) WHERE abandoned_at IS NOT NULL
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX credentials_abandoned; ALTER TABLE credentials DROP COLUMN abandoned_at');
  }
}
