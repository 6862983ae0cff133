import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Temporary credentials by their end: few of them live, and whether those work is also a matter of their parents. */
export class TemporaryByEnd1796200000000 implements MigrationInterface {
  name = 'TemporaryByEnd1796200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX credentials_temporary ON credentials (coalesce(expires_at, 'infinity'), id)
        WHERE parent_id IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX credentials_temporary');
  }
}
