import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A temporary credential keeps its terms, whichever version of Keyway writes: one from before temporary credentials does
 * not know that it has one in hand, and would prolong it, give it new terms or a second secret.
 */
export class TemporaryTermsKept1796300000000 implements MigrationInterface {
  name = 'TemporaryTermsKept1796300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION keep_temporary_terms() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE parent record;
        BEGIN
          SELECT p.owner_id, p.project_id INTO parent FROM credentials p WHERE p.id = OLD.parent_id;
          -- It goes where its parent goes, and nowhere else.
          IF (NEW.parent_id, NEW.parent_version, NEW.account_id, NEW.allowed_ips, NEW.permissions, NEW.retrievable,
              NEW.rotate_every)
            IS DISTINCT FROM (OLD.parent_id, OLD.parent_version, OLD.account_id, OLD.allowed_ips, OLD.permissions,
              OLD.retrievable, NULL)
            OR coalesce(NEW.expires_at, 'infinity') > coalesce(OLD.expires_at, 'infinity')
            OR NEW.owner_id IS DISTINCT FROM OLD.owner_id AND NEW.owner_id IS DISTINCT FROM parent.owner_id
            OR NEW.project_id IS DISTINCT FROM OLD.project_id AND NEW.project_id IS DISTINCT FROM parent.project_id
          THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'credentials_temporary_terms',
              MESSAGE = 'a temporary credential keeps its terms';
          END IF;
          RETURN NEW;
        END $$;
      CREATE TRIGGER credentials_temporary_terms BEFORE UPDATE ON credentials
        FOR EACH ROW WHEN (OLD.parent_id IS NOT NULL) EXECUTE FUNCTION keep_temporary_terms();

      CREATE FUNCTION keep_temporary_secret() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (SELECT 1 FROM credentials c WHERE c.id = NEW.credential_id AND c.parent_id IS NOT NULL) THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'credential_versions_temporary',
              MESSAGE = 'a temporary credential has one secret';
          END IF;
          RETURN NEW;
        END $$;
      CREATE TRIGGER credential_versions_temporary BEFORE INSERT ON credential_versions
        FOR EACH ROW WHEN (NEW.number > 1) EXECUTE FUNCTION keep_temporary_secret();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER credential_versions_temporary ON credential_versions;
      DROP FUNCTION keep_temporary_secret();
      DROP TRIGGER credentials_temporary_terms ON credentials;
      DROP FUNCTION keep_temporary_terms();
    `);
  }
}
