import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which rows name which key, so that those of an older one are found, and that its id is never another key's. */
export class KeysThatChange1796780000000 implements MigrationInterface {
  name = 'KeysThatChange1796780000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE keyring_keys ADD COLUMN retired_at timestamptz;
      CREATE INDEX credential_versions_by_kek ON credential_versions (kek_id, credential_id, number)
        WHERE sealed IS NOT NULL;
      CREATE INDEX credential_versions_by_verifier_key ON credential_versions (verifier_key_id)
        WHERE verifier IS NOT NULL;
      CREATE INDEX credential_versions_by_pepper ON credential_versions (pepper_id)
        WHERE password_hash IS NOT NULL;
      CREATE INDEX stores_by_kek ON stores (kek_id, id) WHERE sealed IS NOT NULL;
      CREATE INDEX mfa_devices_by_kek ON mfa_devices (kek_id, account_id);

      -- Read from the record, which is also written by versions that know nothing of this column: its id ends nine bytes
      -- before the length that the byte at 5 says.
      ALTER TABLE idempotency_keys
        ADD COLUMN kek_id text GENERATED ALWAYS AS (CASE WHEN octet_length(sealed) > 6
          THEN encode(substring(sealed FROM 7 FOR greatest(get_byte(sealed, 5) - 9, 0)), 'escape') END) STORED,
        ADD COLUMN verifier_key_id text;
      CREATE INDEX idempotency_keys_by_kek ON idempotency_keys (kek_id, id) WHERE sealed IS NOT NULL;

      ALTER TABLE mfa_devices ADD COLUMN recovery_key_id text;
      UPDATE mfa_devices SET recovery_key_id =
        (SELECT min(id) FROM keyring_keys WHERE kind = 'verifier' HAVING count(*) = 1) WHERE recovery <> '{}'
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mfa_devices DROP COLUMN recovery_key_id;
      ALTER TABLE idempotency_keys DROP COLUMN kek_id, DROP COLUMN verifier_key_id;
      DROP INDEX mfa_devices_by_kek, stores_by_kek, credential_versions_by_pepper,
        credential_versions_by_verifier_key, credential_versions_by_kek;
      -- An earlier version would ask for them.
      DELETE FROM keyring_keys WHERE retired_at IS NOT NULL;
      ALTER TABLE keyring_keys DROP COLUMN retired_at
    `);
  }
}
