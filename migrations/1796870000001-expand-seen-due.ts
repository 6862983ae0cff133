import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What an index computes is estimated from what was seen of it, which nobody may look at for long by itself. In a
 * transaction of its own, as it takes seconds on a million rows: with the indexes, nobody could write meanwhile.
 */
export class ExpandSeenDue1796870000001 implements MigrationInterface {
  name = 'ExpandSeenDue1796870000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL statement_timeout = 0; ANALYZE credentials, projects, roles');
  }

  async down(): Promise<void> {}
}
