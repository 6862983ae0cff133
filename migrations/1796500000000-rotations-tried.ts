import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * When a rotation that is due was last begun: what cannot be rotated keeps nothing else of its owner's waiting. And the
 * policies of one owner, which say how fast that owner's credentials have to be rotated.
 */
export class RotationsTried1796500000000 implements MigrationInterface {
  name = 'RotationsTried1796500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE credentials ADD COLUMN rotation_tried_at timestamptz;
      CREATE INDEX credentials_by_policy_of ON credentials (coalesce(owner_id, account_id))
        WHERE rotation_due_at IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP INDEX credentials_by_policy_of; ALTER TABLE credentials DROP COLUMN rotation_tried_at',
    );
  }
}
