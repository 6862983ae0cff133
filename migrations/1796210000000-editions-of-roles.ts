import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which edition of Keyway's own roles each of them was brought to. */
export class EditionsOfRoles1796210000000 implements MigrationInterface {
  name = 'EditionsOfRoles1796210000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE roles ADD COLUMN edition integer NOT NULL DEFAULT 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE roles DROP COLUMN edition');
  }
}
