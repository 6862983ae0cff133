import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Finds what is due without looking at all of it: of everybody, and of each owner, in the order of their turns. Only what
 * could turn is in these indexes, as far as its own row tells.
 */
export class ExpandDueByOwner1796863000000 implements MigrationInterface {
  name = 'ExpandDueByOwner1796863000000';

  async up(runner: QueryRunner): Promise<void> {
    const tried =
      "CASE WHEN rotation_tried_at >= rotation_due_at THEN rotation_tried_at ELSE CAST('-infinity' AS timestamptz) END";
    const mayTurn = `rotation_due_at IS NOT NULL AND retrievable AND kind <> 'PROVIDER_KEYS' AND NOT reaches_store
      AND parent_id IS NULL AND enabled AND standing = 'KNOWN' AND revoked_at IS NULL AND deleted_at IS NULL
      AND gone_at IS NULL AND ending_since IS NULL AND abandoned_at IS NULL
      AND coalesce(expires_at, 'infinity') > rotation_due_at`;
    await runner.query(`
      SET LOCAL statement_timeout = 0;
      CREATE INDEX credentials_due ON credentials ((${tried}), rotation_due_at) WHERE ${mayTurn};
      CREATE INDEX credentials_due_of_owner
        ON credentials (coalesce(owner_id, account_id), (${tried}), rotation_due_at) WHERE ${mayTurn};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX credentials_due_of_owner, credentials_due');
  }
}
