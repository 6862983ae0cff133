import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A rotation is PLANNED until it is settled, whatever its store has done by then: nothing was ever APPLIED. */
export class RotationsWithoutApplied1796220000000 implements MigrationInterface {
  name = 'RotationsWithoutApplied1796220000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE rotations DROP CONSTRAINT rotations_state, ADD CONSTRAINT rotations_state
        CHECK (state IN ('PLANNED', 'SWITCHED', 'FINISHED', 'FAILED', 'OUTCOME_UNKNOWN'));
      DROP INDEX rotations_one_open;
      CREATE UNIQUE INDEX rotations_one_open ON rotations (credential_id) WHERE state IN ('PLANNED', 'SWITCHED');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX rotations_one_open;
      CREATE UNIQUE INDEX rotations_one_open ON rotations (credential_id)
        WHERE state IN ('PLANNED', 'APPLIED', 'SWITCHED');
      ALTER TABLE rotations DROP CONSTRAINT rotations_state, ADD CONSTRAINT rotations_state
        CHECK (state IN ('PLANNED', 'APPLIED', 'SWITCHED', 'FINISHED', 'FAILED', 'OUTCOME_UNKNOWN'));
    `);
  }
}
