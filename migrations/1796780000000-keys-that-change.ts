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
        (SELECT min(id) FROM keyring_keys WHERE kind = 'verifier' HAVING count(*) = 1) WHERE recovery <> '{}';

      -- Whoever retires a key has its lock for itself: it waits for all that name the key and are not committed yet, and
      -- what comes after sees that the key is retired, also where a version writes it that knows nothing of this.
      CREATE FUNCTION expect_key_in_use(key_kind text, key_id text) RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        IF key_id IS NULL THEN RETURN; END IF;
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('keyway key ' || key_kind || ' ' || key_id, 0));
        IF EXISTS (SELECT FROM keyring_keys k WHERE k.kind = key_kind AND k.id = key_id AND k.retired_at IS NOT NULL) THEN
          RAISE EXCEPTION 'the key % % is retired', key_kind, key_id USING ERRCODE = 'serialization_failure';
        END IF;
      END $$;
      CREATE FUNCTION expect_keys_of_version() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'INSERT' OR NEW.kek_id IS DISTINCT FROM OLD.kek_id THEN
          PERFORM expect_key_in_use('kek', NEW.kek_id);
        END IF;
        IF TG_OP = 'INSERT' OR NEW.verifier_key_id IS DISTINCT FROM OLD.verifier_key_id THEN
          PERFORM expect_key_in_use('verifier', NEW.verifier_key_id);
        END IF;
        IF TG_OP = 'INSERT' OR NEW.pepper_id IS DISTINCT FROM OLD.pepper_id THEN
          PERFORM expect_key_in_use('pepper', NEW.pepper_id);
        END IF;
        RETURN NULL;
      END $$;
      CREATE FUNCTION expect_kek() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM expect_key_in_use('kek', NEW.kek_id);
        RETURN NULL;
      END $$;
      CREATE FUNCTION expect_verifier_of_codes() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM expect_key_in_use('verifier', NEW.recovery_key_id);
        RETURN NULL;
      END $$;
      CREATE FUNCTION expect_verifier_of_digests() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM expect_key_in_use('verifier', NEW.verifier_key_id);
        RETURN NULL;
      END $$;
      CREATE TRIGGER credential_versions_keys AFTER INSERT OR UPDATE OF kek_id, verifier_key_id, pepper_id
        ON credential_versions FOR EACH ROW
        WHEN (NEW.kek_id IS NOT NULL OR NEW.verifier_key_id IS NOT NULL OR NEW.pepper_id IS NOT NULL)
        EXECUTE FUNCTION expect_keys_of_version();
      CREATE TRIGGER stores_kek AFTER INSERT OR UPDATE OF kek_id ON stores
        FOR EACH ROW WHEN (NEW.kek_id IS NOT NULL) EXECUTE FUNCTION expect_kek();
      CREATE TRIGGER mfa_devices_kek AFTER INSERT OR UPDATE OF kek_id ON mfa_devices
        FOR EACH ROW EXECUTE FUNCTION expect_kek();
      CREATE TRIGGER mfa_devices_verifier AFTER INSERT OR UPDATE OF recovery_key_id ON mfa_devices
        FOR EACH ROW WHEN (NEW.recovery_key_id IS NOT NULL) EXECUTE FUNCTION expect_verifier_of_codes();
      CREATE TRIGGER idempotency_keys_kek AFTER INSERT OR UPDATE OF sealed ON idempotency_keys
        FOR EACH ROW WHEN (NEW.sealed IS NOT NULL) EXECUTE FUNCTION expect_kek();
      CREATE TRIGGER idempotency_keys_verifier AFTER INSERT OR UPDATE OF verifier_key_id ON idempotency_keys
        FOR EACH ROW WHEN (NEW.verifier_key_id IS NOT NULL) EXECUTE FUNCTION expect_verifier_of_digests()
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER idempotency_keys_verifier ON idempotency_keys;
      DROP TRIGGER idempotency_keys_kek ON idempotency_keys;
      DROP TRIGGER mfa_devices_verifier ON mfa_devices;
      DROP TRIGGER mfa_devices_kek ON mfa_devices;
      DROP TRIGGER stores_kek ON stores;
      DROP TRIGGER credential_versions_keys ON credential_versions;
      DROP FUNCTION expect_verifier_of_digests(), expect_verifier_of_codes(), expect_kek(), expect_keys_of_version(),
        expect_key_in_use(text, text);
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
