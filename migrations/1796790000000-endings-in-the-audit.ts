import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a deed has left of its target, so that it can be ended again where an older state of the database is put back; and
 * from which event on a chain says so.
 */
export class EndingsInTheAudit1796790000000 implements MigrationInterface {
  name = 'EndingsInTheAudit1796790000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE audit_events ADD COLUMN ended text;
      CREATE INDEX audit_events_ended ON audit_events (account_id, number) WHERE ended IS NOT NULL;
      ALTER TABLE audit_heads ADD COLUMN told_from bigint NOT NULL DEFAULT 0;
      UPDATE audit_heads SET told_from = number
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE audit_heads DROP COLUMN told_from; DROP INDEX audit_events_ended; ALTER TABLE audit_events DROP COLUMN ended',
    );
  }
}
