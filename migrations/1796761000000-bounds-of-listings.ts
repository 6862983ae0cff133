import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a sync has read of its listing, over all its turns, and for how long: it is not read without end. */
export class BoundsOfListings1796761000000 implements MigrationInterface {
  name = 'BoundsOfListings1796761000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE syncs
        ADD COLUMN parts integer NOT NULL DEFAULT 0,
        ADD COLUMN entries integer NOT NULL DEFAULT 0,
        ADD COLUMN read_ms integer NOT NULL DEFAULT 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE syncs DROP COLUMN parts, DROP COLUMN entries, DROP COLUMN read_ms');
  }
}
