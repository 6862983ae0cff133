import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which accounts may create credentials in which scopes of a store, without managing it. */
export class ScopeGrants1796750000001 implements MigrationInterface {
  name = 'ScopeGrants1796750000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE scope_grants (
        store_id uuid NOT NULL CONSTRAINT scope_grants_store REFERENCES stores (id),
        -- Empty for where a store puts what names no scope.
        scope text COLLATE "C" NOT NULL,
        account_id uuid NOT NULL CONSTRAINT scope_grants_account REFERENCES accounts (id),
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT scope_grants_pkey PRIMARY KEY (store_id, account_id, scope)
      );
      CREATE INDEX scope_grants_by_account ON scope_grants (account_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE scope_grants');
  }
}
