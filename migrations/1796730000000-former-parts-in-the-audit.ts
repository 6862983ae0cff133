import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Up to which event the chain of an account that was handed over is part of the history of the one that it was part of. */
export class FormerPartsInTheAudit1796730000000 implements MigrationInterface {
  name = 'FormerPartsInTheAudit1796730000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Holds ids without foreign keys, as the events do: it outlives what it tells of.
      CREATE TABLE audit_former_parts (
        account_id uuid NOT NULL,
        of_account_id uuid NOT NULL,
        number bigint NOT NULL,
        CONSTRAINT audit_former_parts_pkey PRIMARY KEY (of_account_id, account_id)
      );
      -- What was deleted below an account is looked for by those who read its log.
      CREATE INDEX accounts_ended_by_parent ON accounts (parent_id) WHERE deleted_at IS NOT NULL
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX accounts_ended_by_parent; DROP TABLE audit_former_parts');
  }
}
