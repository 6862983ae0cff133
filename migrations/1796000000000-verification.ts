import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What verification and temporary credentials keep. */
export class Verification1796000000000 implements MigrationInterface {
  name = 'Verification1796000000000';

  async up(runner: QueryRunner): Promise<void> {
    // NOT VALID: every row is new to the column, and none needs to be read for it.
    await runner.query(`
      ALTER TABLE credentials
        -- The one scheme that the key signs requests in; any, where null.
        ADD COLUMN signature_scheme text,
        -- The secret of the parent that a temporary credential was derived from.
        ADD COLUMN parent_version integer;
      ALTER TABLE credentials
        ADD CONSTRAINT credentials_signature_scheme CHECK (signature_scheme IN
          ('VERACODE_HMAC_SHA_256', 'NCP_SIGNATURE_V2', 'LANDSCAPE_HMAC_SHA_256', 'HTTP_MESSAGE_SIGNATURES')) NOT VALID;

      -- What signed requests were taken: none is taken twice. Kept for longer than a request can be told late.
      CREATE TABLE nonces (
        credential_id uuid NOT NULL CONSTRAINT nonces_credential REFERENCES credentials (id),
        nonce bytea NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT nonces_pkey PRIMARY KEY (credential_id, nonce)
      );
      CREATE INDEX nonces_by_expiry ON nonces (expires_at);

      -- Tries at passwords, also of user names that nobody has: counted before a password is looked at.
      CREATE TABLE password_attempts (
        name_hash bytea NOT NULL CONSTRAINT password_attempts_pkey PRIMARY KEY,
        at timestamptz[] NOT NULL,
        granted integer NOT NULL,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX password_attempts_by_expiry ON password_attempts (expires_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE password_attempts;
      DROP TABLE nonces;
      ALTER TABLE credentials DROP CONSTRAINT credentials_signature_scheme,
        DROP COLUMN parent_version, DROP COLUMN signature_scheme;
    `);
  }
}
