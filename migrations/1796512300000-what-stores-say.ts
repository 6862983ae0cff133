import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a store says of a credential, and what it does not say: a switch or addresses that nothing is known of are not
 * «enabled» and «any address».
 */
export class WhatStoresSay1796512300000 implements MigrationInterface {
  name = 'WhatStoresSay1796512300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE credentials
        ADD COLUMN unsaid text[] NOT NULL DEFAULT '{}',
        ADD COLUMN problem text,
        ADD COLUMN base_url text,
        ADD COLUMN trust jsonb,
        DROP CONSTRAINT credentials_standing,
        ADD CONSTRAINT credentials_standing CHECK (standing IN ('KNOWN', 'PENDING', 'UNKNOWN', 'INVALID'));
      UPDATE credentials c SET unsaid = ARRAY(
          SELECT name FROM (VALUES ('enabled', 'enabled'), ('allowed_ips', 'allowedIps')) AS of (said, name)
          WHERE NOT coalesce(c.observed, '{}') ? of.said)
        FROM stores s WHERE s.id = c.store_id AND s.kind <> 'BUILT_IN'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      UPDATE credentials SET standing = 'KNOWN' WHERE standing = 'INVALID';
      ALTER TABLE credentials
        DROP COLUMN unsaid,
        DROP COLUMN problem,
        DROP COLUMN base_url,
        DROP COLUMN trust,
        DROP CONSTRAINT credentials_standing,
        ADD CONSTRAINT credentials_standing CHECK (standing IN ('KNOWN', 'PENDING', 'UNKNOWN'))`);
  }
}
