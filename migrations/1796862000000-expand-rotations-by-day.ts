import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds the rotations that began within some days, and those that are not finished, whatever else there is. */
export class ExpandRotationsByDay1796862000000 implements MigrationInterface {
  name = 'ExpandRotationsByDay1796862000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      SET LOCAL statement_timeout = 0;
      CREATE INDEX rotations_by_start ON rotations (started_at, state, credential_id);
      CREATE INDEX rotations_unfinished ON rotations (credential_id, started_at) WHERE state <> 'FINISHED';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX rotations_unfinished, rotations_by_start');
  }
}
