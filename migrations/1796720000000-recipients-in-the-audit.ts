import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whom something was given to. An event without a recipient has the hash that it had before there were any, so the
 * chains of before stay whole, and the column gets no value in them.
 */
export class RecipientsInTheAudit1796720000000 implements MigrationInterface {
  name = 'RecipientsInTheAudit1796720000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE audit_events ADD COLUMN recipient_id uuid');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE audit_events DROP COLUMN recipient_id');
  }
}
