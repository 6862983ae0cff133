import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds projects and roles by a part of what they are called, as accounts and credentials are. */
export class ExpandSearchOfProjectsAndRoles1796870000000 implements MigrationInterface {
  name = 'ExpandSearchOfProjectsAndRoles1796870000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The tables are written anew: that takes as long as there are rows.
      SET LOCAL statement_timeout = 0;
      ALTER TABLE projects
        ADD COLUMN search_text text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
          E'\\n' || keyway_words(name || E'\\n' || title COLLATE "C")) STORED;
      CREATE INDEX projects_search ON projects USING gin (search_text gin_trgm_ops);
      ALTER TABLE roles
        ADD COLUMN search_text text COLLATE "C" NOT NULL GENERATED ALWAYS AS (E'\\n' || keyway_words(name)) STORED;
      CREATE INDEX roles_search ON roles USING gin (search_text gin_trgm_ops);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      SET LOCAL statement_timeout = 0;
      ALTER TABLE projects DROP COLUMN search_text;
      ALTER TABLE roles DROP COLUMN search_text;
    `);
  }
}
