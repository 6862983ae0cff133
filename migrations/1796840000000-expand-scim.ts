import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What an identity provider says of people and groups by SCIM. Only added: a version that does not know these tables leaves
 * rows of accounts that it deletes, which the next one takes out of the way.
 */
export class ExpandScim1796840000000 implements MigrationInterface {
  name = 'ExpandScim1796840000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE scim_users (
        account_id uuid NOT NULL CONSTRAINT scim_users_pkey PRIMARY KEY
          CONSTRAINT scim_users_account REFERENCES accounts (id),
        directory_id uuid NOT NULL CONSTRAINT scim_users_directory REFERENCES accounts (id),
        user_name text NOT NULL,
        user_key text COLLATE "C" NOT NULL,
        external_id text COLLATE "C",
        given_name text,
        family_name text,
        CONSTRAINT scim_users_once UNIQUE (directory_id, user_key)
      );
      CREATE INDEX scim_users_by_external_id ON scim_users (directory_id, external_id);
      CREATE INDEX scim_users_by_account ON scim_users (directory_id, account_id);

      CREATE TABLE scim_groups (
        id uuid NOT NULL CONSTRAINT scim_groups_pkey PRIMARY KEY,
        directory_id uuid NOT NULL CONSTRAINT scim_groups_directory REFERENCES accounts (id),
        display_name text NOT NULL,
        name_key text COLLATE "C" NOT NULL,
        external_id text COLLATE "C",
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT scim_groups_once UNIQUE (directory_id, name_key)
      );
      CREATE INDEX scim_groups_by_external_id ON scim_groups (directory_id, external_id);

      CREATE TABLE scim_members (
        group_id uuid NOT NULL CONSTRAINT scim_members_group REFERENCES scim_groups (id) ON DELETE CASCADE,
        account_id uuid NOT NULL
          CONSTRAINT scim_members_user REFERENCES scim_users (account_id) ON DELETE CASCADE,
        CONSTRAINT scim_members_pkey PRIMARY KEY (group_id, account_id)
      );
      CREATE INDEX scim_members_by_account ON scim_members (account_id, group_id);

      CREATE TABLE scim_grants (
        grant_id uuid NOT NULL CONSTRAINT scim_grants_pkey PRIMARY KEY
          CONSTRAINT scim_grants_grant REFERENCES grants (id) ON DELETE CASCADE,
        directory_id uuid NOT NULL CONSTRAINT scim_grants_directory REFERENCES accounts (id)
      );
      CREATE INDEX scim_grants_by_directory ON scim_grants (directory_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE scim_grants, scim_members, scim_groups, scim_users');
  }
}
