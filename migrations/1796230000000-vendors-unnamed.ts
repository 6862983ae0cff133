import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A vendor more is no change of the tables: they know how the names of kinds and of schemes look, and not which there are. */
export class VendorsUnnamed1796230000000 implements MigrationInterface {
  name = 'VendorsUnnamed1796230000000';

  async up(runner: QueryRunner): Promise<void> {
    // NOT VALID where the table is large: what the checks before took, these take too.
    await runner.query(`
      ALTER TABLE stores DROP CONSTRAINT stores_kind;
      -- The graph has it as a value of an enum.
      ALTER TABLE stores ADD CONSTRAINT stores_kind CHECK (kind ~ '^[A-Z][A-Z0-9_]{0,63}$');
      ALTER TABLE credentials DROP CONSTRAINT credentials_signature_scheme;
      ALTER TABLE credentials ADD CONSTRAINT credentials_signature_scheme
        CHECK (signature_scheme ~ '^[A-Z][A-Z0-9_]{0,63}$') NOT VALID;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    // NOT VALID: stores of other kinds may be there, and stay.
    await runner.query(`
      ALTER TABLE credentials DROP CONSTRAINT credentials_signature_scheme;
      ALTER TABLE credentials ADD CONSTRAINT credentials_signature_scheme CHECK (signature_scheme IN
        ('VERACODE_HMAC_SHA_256', 'NCP_SIGNATURE_V2', 'LANDSCAPE_HMAC_SHA_256', 'HTTP_MESSAGE_SIGNATURES')) NOT VALID;
      ALTER TABLE stores DROP CONSTRAINT stores_kind;
      ALTER TABLE stores ADD CONSTRAINT stores_kind
        CHECK (kind IN ('BUILT_IN', 'LANDSCAPE', 'SEQERA', 'VERACODE', 'APINIZER', 'NCLOUD')) NOT VALID;
    `);
  }
}
