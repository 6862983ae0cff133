import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An identity may be a pattern, and stand for all subjects of its issuer that have a form. Those of a caller are found by
 * what stands before the first star, which its subject begins with.
 */
export class PatternsOfIdentities1796795000000 implements MigrationInterface {
  name = 'PatternsOfIdentities1796795000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE identities
        ADD COLUMN pattern boolean NOT NULL DEFAULT false,
        ADD COLUMN prefix text COLLATE "C",
        ADD COLUMN expression text COLLATE "C",
        ADD CONSTRAINT identities_pattern
          CHECK (pattern = (prefix IS NOT NULL) AND pattern = (expression IS NOT NULL)),
        DROP CONSTRAINT identities_pkey,
        ADD CONSTRAINT identities_pkey PRIMARY KEY (issuer, subject, pattern);
      CREATE INDEX identities_patterns ON identities (issuer, prefix) WHERE pattern;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM identities WHERE pattern;
      ALTER TABLE identities
        DROP CONSTRAINT identities_pkey,
        ADD CONSTRAINT identities_pkey PRIMARY KEY (issuer, subject),
        DROP COLUMN pattern, DROP COLUMN prefix, DROP COLUMN expression;
    `);
  }
}
