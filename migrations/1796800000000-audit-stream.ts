import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far each chain of the audit log was handed to who collects it, and which process does so. */
export class AuditStream1796800000000 implements MigrationInterface {
  name = 'AuditStream1796800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit_streamed (
        account_id uuid NOT NULL CONSTRAINT audit_streamed_pkey PRIMARY KEY,
        number bigint NOT NULL
      );
      CREATE TABLE audit_stream_lease (
        id integer NOT NULL CONSTRAINT audit_stream_lease_pkey PRIMARY KEY CONSTRAINT audit_stream_lease_one CHECK (id = 1),
        owner uuid NOT NULL,
        until_at timestamptz NOT NULL
      )
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE audit_stream_lease; DROP TABLE audit_streamed');
  }
}
