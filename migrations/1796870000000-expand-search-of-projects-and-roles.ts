import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds projects and roles by a part of what they are called, as accounts and credentials are. */
export class ExpandSearchOfProjectsAndRoles1796870000000 implements MigrationInterface {
  name = 'ExpandSearchOfProjectsAndRoles1796870000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      SET LOCAL statement_timeout = 0;
      -- What they compute is kept in no column: that would write the tables anew, and nobody could read them meanwhile.
      CREATE INDEX projects_search ON projects
        USING gin ((E'\\n' || keyway_words(name || E'\\n' || title COLLATE "C")) gin_trgm_ops);
      CREATE INDEX roles_search ON roles USING gin ((E'\\n' || keyway_words(name)) gin_trgm_ops);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX projects_search, roles_search');
  }
}
