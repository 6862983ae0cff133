import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who created a credential. Only added: of what was there before, and of what a version that does not know the column
 * creates, it is not known.
 */
export class ExpandCreatorsOfCredentials1796861000000 implements MigrationInterface {
  name = 'ExpandCreatorsOfCredentials1796861000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE credentials ADD COLUMN created_by uuid CONSTRAINT credentials_created_by REFERENCES accounts (id);
      CREATE INDEX credentials_by_creator ON credentials (created_by, created_at, id) WHERE created_by IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE credentials DROP COLUMN created_by');
  }
}
