import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is open in each store, in the order that it is due in: the stores are looked at one by one. */
export class IntentsByStore1796760000000 implements MigrationInterface {
  name = 'IntentsByStore1796760000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX intents_open_by_store ON intents (store_id, next_at) WHERE state = 'OPEN';
      DROP INDEX intents_open`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX intents_open ON intents (next_at) WHERE state = 'OPEN';
      DROP INDEX intents_open_by_store`);
  }
}
