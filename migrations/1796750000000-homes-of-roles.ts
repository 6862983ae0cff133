import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Roles live where they are given: for all accounts, in an account (usable in it and below), or in a store, whose
 * credentials carry no others. What was one table of names for all becomes that: a role of which only the credentials of
 * one store made use is that store's; the credentials of each other store carry a role of theirs by the same name; one
 * that was used in one organization alone is that organization's; the others stay for all. Who could give roles before,
 * by managing them, has the permission to give them; a temporary credential keeps the terms that it was issued with.
 */
export class HomesOfRoles1796750000000 implements MigrationInterface {
  name = 'HomesOfRoles1796750000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE roles
        ADD COLUMN account_id uuid CONSTRAINT roles_account REFERENCES accounts (id),
        ADD COLUMN store_id uuid CONSTRAINT roles_store REFERENCES stores (id),
        ADD CONSTRAINT roles_home CHECK (account_id IS NULL OR store_id IS NULL),
        ADD CONSTRAINT roles_of_stores CHECK (store_id IS NULL OR permissions = '{}');
      DROP INDEX roles_name;
      CREATE UNIQUE INDEX roles_name ON roles (name) WHERE account_id IS NULL AND store_id IS NULL;
      CREATE UNIQUE INDEX roles_name_in_account ON roles (account_id, name) WHERE account_id IS NOT NULL;
      CREATE UNIQUE INDEX roles_name_in_store ON roles (store_id, name) WHERE store_id IS NOT NULL;
      -- A role is found by its name, wherever it lives.
      CREATE INDEX roles_by_name ON roles (name);
      ALTER TABLE syncs ADD COLUMN roles_left integer NOT NULL DEFAULT 0;
    `);
    await runner.query(`
      CREATE TABLE roles_carried AS
        SELECT cr.role_id, c.id AS credential_id, c.store_id, c.account_id, c.deleted_at IS NULL AS lives,
          s.kind <> 'BUILT_IN' AS outside
        FROM credential_roles cr JOIN credentials c ON c.id = cr.credential_id JOIN stores s ON s.id = c.store_id;

      CREATE TABLE roles_of_one_store AS
        SELECT r.id, CAST(min(CAST(u.store_id AS text)) AS uuid) AS store_id
        FROM roles r JOIN roles_carried u ON u.role_id = r.id
        WHERE NOT r.built_in AND r.permissions = '{}' AND NOT EXISTS (SELECT FROM grants g WHERE g.role_id = r.id)
        GROUP BY r.id HAVING bool_and(u.outside) AND count(DISTINCT u.store_id) = 1;
      UPDATE roles r SET store_id = o.store_id FROM roles_of_one_store o WHERE o.id = r.id;

      CREATE TABLE roles_copied AS
        SELECT u.role_id, u.store_id, gen_random_uuid() AS id
        FROM (SELECT DISTINCT role_id, store_id FROM roles_carried WHERE outside) u
        WHERE NOT EXISTS (SELECT FROM roles_of_one_store o WHERE o.id = u.role_id);
      INSERT INTO roles (id, name, description, permissions, store_id)
        SELECT n.id, r.name, r.description, '{}', n.store_id FROM roles_copied n JOIN roles r ON r.id = n.role_id;
      UPDATE credential_roles cr SET role_id = n.id FROM roles_carried u JOIN roles_copied n USING (role_id, store_id)
        WHERE cr.credential_id = u.credential_id AND cr.role_id = u.role_id;
    `);
    await runner.query(`
      WITH RECURSIVE above (id, top, parent_id) AS (
        SELECT id, id, parent_id FROM accounts
        UNION
        SELECT b.id, a.id, a.parent_id FROM above b JOIN accounts a ON a.id = b.parent_id
      ), uses (role_id, account_id) AS (
        SELECT role_id, account_id FROM roles_carried WHERE lives AND NOT outside
        UNION
        -- Everywhere, where it is null.
        SELECT g.role_id, CASE WHEN NOT coalesce(p.admin, false) THEN coalesce(g.on_account_id, p.account_id) END
        FROM grants g LEFT JOIN projects p ON p.id = g.on_project_id
      ), homes AS (
        SELECT u.role_id, CAST(min(CAST(t.top AS text)) AS uuid) AS account_id
        FROM uses u LEFT JOIN above t ON t.id = u.account_id AND t.parent_id IS NULL
        GROUP BY u.role_id HAVING count(DISTINCT t.top) = 1 AND bool_and(t.top IS NOT NULL)
      )
      UPDATE roles r SET account_id = h.account_id FROM homes h JOIN accounts a ON a.id = h.account_id
      WHERE h.role_id = r.id AND NOT r.built_in AND r.store_id IS NULL AND NOT a.built_in;

      UPDATE roles SET permissions = permissions || '{ROLE_GIVE}', updated_at = now()
        WHERE NOT built_in AND 'ROLE_MANAGE' = ANY (permissions) AND NOT 'ROLE_GIVE' = ANY (permissions);
      UPDATE credentials SET permissions = permissions || '{ROLE_GIVE}'
        WHERE 'ROLE_MANAGE' = ANY (permissions) AND NOT 'ROLE_GIVE' = ANY (permissions) AND parent_id IS NULL;
      DROP TABLE roles_copied, roles_of_one_store, roles_carried;
    `);
  }

  /** Roles of one name become one again: the one that is for all, or else the oldest. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE syncs DROP COLUMN roles_left;
      CREATE TABLE roles_merged AS
        SELECT id, first_value(id) OVER (
          PARTITION BY name ORDER BY account_id IS NOT NULL OR store_id IS NOT NULL, id) AS kept
        FROM roles;
      DELETE FROM roles_merged WHERE id = kept;
      INSERT INTO credential_roles (credential_id, role_id)
        SELECT cr.credential_id, m.kept FROM credential_roles cr JOIN roles_merged m ON m.id = cr.role_id
        ON CONFLICT DO NOTHING;
      DELETE FROM credential_roles cr USING roles_merged m WHERE m.id = cr.role_id;
      -- What was given by one of them would be given by another.
      DELETE FROM grants g USING roles_merged m WHERE m.id = g.role_id;
      DELETE FROM roles r USING roles_merged m WHERE m.id = r.id;
      DROP TABLE roles_merged;
      DROP INDEX roles_by_name;
      DROP INDEX roles_name_in_store;
      DROP INDEX roles_name_in_account;
      DROP INDEX roles_name;
      ALTER TABLE roles DROP COLUMN store_id, DROP COLUMN account_id;
      CREATE UNIQUE INDEX roles_name ON roles (name);
    `);
  }
}
