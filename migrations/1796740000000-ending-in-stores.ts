import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Since when a credential is being ended in its store: it counts as not working, whatever its store says meanwhile. */
export class EndingInStores1796740000000 implements MigrationInterface {
  name = 'EndingInStores1796740000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE credentials ADD COLUMN ending_since timestamptz;
      UPDATE credentials c SET ending_since = i.created_at FROM intents i
      WHERE i.credential_id = c.id AND i.state = 'OPEN' AND i.verb IN ('REVOKE', 'DELETE') AND c.revoked_at IS NULL;
      CREATE INDEX credentials_ending ON credentials (created_at, id) WHERE ending_since IS NOT NULL
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX credentials_ending; ALTER TABLE credentials DROP COLUMN ending_since');
  }
}
