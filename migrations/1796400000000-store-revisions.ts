import type { MigrationInterface, QueryRunner } from 'typeorm';

/** By what a store's own record of a credential goes since Keyway wrote it last: another one was written by others. */
export class StoreRevisions1796400000000 implements MigrationInterface {
  name = 'StoreRevisions1796400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE credentials ADD COLUMN store_revision text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE credentials DROP COLUMN store_revision');
  }
}
