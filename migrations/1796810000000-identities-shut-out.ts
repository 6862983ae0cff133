import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Users of issuers who are to get no account at first sight: those of accounts that an older state of the database does not
 * know, and that were disabled or deleted since. As tags, since nobody is to read whose they are.
 */
export class IdentitiesShutOut1796810000000 implements MigrationInterface {
  name = 'IdentitiesShutOut1796810000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE TABLE identities_shut_out (tag text COLLATE "C" NOT NULL CONSTRAINT identities_shut_out_pkey PRIMARY KEY)',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE identities_shut_out');
  }
}
