import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tables of the first release. */
export class FirstTables1795305600000 implements MigrationInterface {
  name = 'FirstTables1795305600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE EXTENSION IF NOT EXISTS pg_trgm;

      CREATE TABLE accounts (
        id uuid NOT NULL CONSTRAINT accounts_pkey PRIMARY KEY,
        kind text NOT NULL CONSTRAINT accounts_kind CHECK (kind IN ('ORGANIZATION', 'PERSON', 'SERVICE')),
        name text COLLATE "C" NOT NULL,
        title text NOT NULL,
        email text,
        enabled boolean NOT NULL DEFAULT true,
        mfa_required boolean NOT NULL DEFAULT false,
        mfa_enrolled boolean NOT NULL DEFAULT false,
        built_in boolean NOT NULL DEFAULT false,
        parent_id uuid CONSTRAINT accounts_parent REFERENCES accounts (id),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      );
      CREATE UNIQUE INDEX accounts_name ON accounts (name) WHERE deleted_at IS NULL;
      CREATE INDEX accounts_by_name ON accounts (name, id);
      CREATE INDEX accounts_by_parent ON accounts (parent_id, name, id);
      CREATE INDEX accounts_by_kind ON accounts (kind, name, id);
      CREATE INDEX accounts_search ON accounts USING gin
        ((E'\\n' || lower((name || E'\\n' || title || E'\\n' || coalesce(email, '')) COLLATE "default")) gin_trgm_ops);

      CREATE TABLE projects (
        id uuid NOT NULL CONSTRAINT projects_pkey PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT projects_account REFERENCES accounts (id),
        name text COLLATE "C" NOT NULL,
        title text NOT NULL,
        description text,
        admin boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      );
      CREATE UNIQUE INDEX projects_name ON projects (name) WHERE deleted_at IS NULL;
      CREATE UNIQUE INDEX projects_admin ON projects (admin) WHERE admin;
      CREATE INDEX projects_by_name ON projects (name, id);
      CREATE INDEX projects_by_account ON projects (account_id, name, id);

      CREATE TABLE roles (
        id uuid NOT NULL CONSTRAINT roles_pkey PRIMARY KEY,
        name text COLLATE "C" NOT NULL,
        description text,
        permissions text[] NOT NULL,
        built_in boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX roles_name ON roles (name);

      CREATE TABLE grants (
        id uuid NOT NULL CONSTRAINT grants_pkey PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT grants_account REFERENCES accounts (id),
        role_id uuid NOT NULL CONSTRAINT grants_role REFERENCES roles (id),
        on_account_id uuid CONSTRAINT grants_on_account REFERENCES accounts (id),
        on_project_id uuid CONSTRAINT grants_on_project REFERENCES projects (id),
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT grants_one_place CHECK (on_account_id IS NULL OR on_project_id IS NULL)
      );
      CREATE UNIQUE INDEX grants_once ON grants (
        account_id, role_id,
        coalesce(on_account_id, '00000000-0000-0000-0000-000000000000'::uuid),
        coalesce(on_project_id, '00000000-0000-0000-0000-000000000000'::uuid)
      );
      CREATE INDEX grants_by_role ON grants (role_id);
      CREATE INDEX grants_by_on_account ON grants (on_account_id);
      CREATE INDEX grants_by_on_project ON grants (on_project_id);

      CREATE TABLE stores (
        id uuid NOT NULL CONSTRAINT stores_pkey PRIMARY KEY,
        name text COLLATE "C" NOT NULL,
        kind text NOT NULL CONSTRAINT stores_kind
          CHECK (kind IN ('BUILT_IN', 'LANDSCAPE', 'SEQERA', 'VERACODE', 'APINIZER', 'NCLOUD')),
        endpoint text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX stores_name ON stores (name);

      CREATE TABLE credentials (
        id uuid NOT NULL CONSTRAINT credentials_pkey PRIMARY KEY,
        store_id uuid NOT NULL CONSTRAINT credentials_store REFERENCES stores (id),
        external_id text,
        account_id uuid NOT NULL CONSTRAINT credentials_account REFERENCES accounts (id),
        owner_id uuid CONSTRAINT credentials_owner REFERENCES accounts (id),
        project_id uuid CONSTRAINT credentials_project REFERENCES projects (id),
        parent_id uuid CONSTRAINT credentials_parent REFERENCES credentials (id),
        kind text NOT NULL CONSTRAINT credentials_kind
          CHECK (kind IN ('ACCESS_KEY', 'TOKEN', 'PASSWORD', 'PROVIDER_KEYS')),
        name text COLLATE "C" NOT NULL,
        description text,
        access_key text COLLATE "C",
        provider text,
        category text,
        full_name text,
        email text,
        enabled boolean NOT NULL DEFAULT true,
        allowed_ips text[] NOT NULL DEFAULT '{}',
        mfa_authenticated boolean NOT NULL DEFAULT false,
        retrievable boolean NOT NULL DEFAULT false,
        -- What a token of Keyway's own may do at most; all that its account may, where null.
        permissions text[],
        -- How the generated halves look, so that a rotation makes them alike.
        secret_prefix text,
        secret_format text,
        -- Whether the store's last word on it is known: PENDING and UNKNOWN are shown as its status.
        standing text NOT NULL DEFAULT 'KNOWN' CONSTRAINT credentials_standing
          CHECK (standing IN ('KNOWN', 'PENDING', 'UNKNOWN')),
        -- Until when it counts as rotating: the end of the previous secret, infinity while a rotation is under way.
        rotating_until timestamptz,
        rotate_every text,
        rotate_grace text,
        rotation_due_at timestamptz,
        revision integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz,
        revoked_at timestamptz,
        revoke_reason text,
        deleted_at timestamptz,
        observed_at timestamptz,
        search_text text NOT NULL GENERATED ALWAYS AS (
          E'\\n' || lower((name || E'\\n' || coalesce(description, '') || E'\\n' || coalesce(access_key, '') || E'\\n' ||
          coalesce(full_name, '') || E'\\n' || coalesce(email, '')) COLLATE "default")
        ) STORED,
        CONSTRAINT credentials_provider CHECK ((kind = 'PROVIDER_KEYS') = (provider IS NOT NULL)),
        CONSTRAINT credentials_policy CHECK ((rotate_every IS NULL) = (rotation_due_at IS NULL)
          AND (rotate_every IS NULL) = (rotate_grace IS NULL))
      );
      CREATE UNIQUE INDEX credentials_access_key ON credentials (store_id, access_key) WHERE deleted_at IS NULL;
      CREATE INDEX credentials_by_creation ON credentials (created_at, id);
      CREATE INDEX credentials_by_name ON credentials (name, id);
      CREATE INDEX credentials_by_expiry ON credentials (coalesce(expires_at, 'infinity'), id, created_at);
      CREATE INDEX credentials_by_store ON credentials (store_id, created_at, id);
      CREATE INDEX credentials_by_account ON credentials (account_id, created_at, id);
      CREATE INDEX credentials_by_account_name ON credentials (account_id, name, id);
      CREATE INDEX credentials_by_owner ON credentials (owner_id, created_at, id);
      CREATE INDEX credentials_by_project ON credentials (project_id, created_at, id);
      CREATE INDEX credentials_by_project_name ON credentials (project_id, name, id);
      CREATE INDEX credentials_by_parent ON credentials (parent_id, created_at, id) WHERE parent_id IS NOT NULL;
      CREATE INDEX credentials_by_kind ON credentials (kind, created_at, id);
      CREATE INDEX credentials_by_provider ON credentials (provider, created_at, id) WHERE provider IS NOT NULL;
      CREATE INDEX credentials_without_owner ON credentials (created_at, id) WHERE owner_id IS NULL;
      CREATE INDEX credentials_disabled ON credentials (created_at, id) WHERE NOT enabled;
      CREATE INDEX credentials_revoked ON credentials (created_at, id) WHERE revoked_at IS NOT NULL;
      CREATE INDEX credentials_deleted ON credentials (created_at, id) WHERE deleted_at IS NOT NULL;
      CREATE INDEX credentials_rotating ON credentials (rotating_until, id) WHERE rotating_until IS NOT NULL;
      CREATE INDEX credentials_unsettled ON credentials (standing, created_at, id) WHERE standing <> 'KNOWN';
      CREATE INDEX credentials_by_rotation_due ON credentials (rotation_due_at, id) WHERE rotation_due_at IS NOT NULL;
      CREATE INDEX credentials_search ON credentials USING gin (search_text gin_trgm_ops);
      -- How rare a search is decides how it is served; the usual hundred samples tell no less than one in a hundred.
      ALTER TABLE credentials ALTER COLUMN search_text SET STATISTICS 1000;

      CREATE TABLE credential_roles (
        credential_id uuid NOT NULL CONSTRAINT credential_roles_credential REFERENCES credentials (id),
        role_id uuid NOT NULL CONSTRAINT credential_roles_role REFERENCES roles (id),
        CONSTRAINT credential_roles_pkey PRIMARY KEY (credential_id, role_id)
      );
      CREATE INDEX credential_roles_by_role ON credential_roles (role_id, credential_id);

      -- Apart from the credentials, because it changes with every use and they have many indexes.
      CREATE TABLE credential_uses (
        credential_id uuid NOT NULL CONSTRAINT credential_uses_credential REFERENCES credentials (id),
        last_used_at timestamptz NOT NULL DEFAULT '-infinity',
        unused_since timestamptz NOT NULL,
        CONSTRAINT credential_uses_pkey PRIMARY KEY (credential_id) INCLUDE (last_used_at, unused_since)
      );
      CREATE INDEX credential_uses_by_last_use ON credential_uses (last_used_at, credential_id);
      CREATE INDEX credential_uses_by_unused ON credential_uses (unused_since, credential_id);

      CREATE TABLE credential_versions (
        credential_id uuid NOT NULL CONSTRAINT credential_versions_credential REFERENCES credentials (id),
        number integer NOT NULL CONSTRAINT credential_versions_number CHECK (number > 0),
        state text NOT NULL CONSTRAINT credential_versions_state
          CHECK (state IN ('PENDING', 'CURRENT', 'PREVIOUS', 'RETIRED', 'FAILED', 'UNKNOWN')),
        access_key text,
        created_at timestamptz NOT NULL DEFAULT now(),
        valid_until timestamptz,
        last_used_at timestamptz,
        verifier bytea,
        verifier_key_id text,
        password_hash text,
        pepper_id text,
        sealed bytea,
        kek_id text,
        CONSTRAINT credential_versions_pkey PRIMARY KEY (credential_id, number)
      );
      CREATE UNIQUE INDEX credential_versions_one_current ON credential_versions (credential_id) WHERE state = 'CURRENT';
      CREATE UNIQUE INDEX credential_versions_one_previous ON credential_versions (credential_id) WHERE state = 'PREVIOUS';
      CREATE UNIQUE INDEX credential_versions_one_pending ON credential_versions (credential_id) WHERE state = 'PENDING';
      CREATE INDEX credential_versions_ending ON credential_versions (valid_until) WHERE state = 'PREVIOUS';

      CREATE TABLE rotations (
        id uuid NOT NULL CONSTRAINT rotations_pkey PRIMARY KEY,
        credential_id uuid NOT NULL CONSTRAINT rotations_credential REFERENCES credentials (id),
        state text NOT NULL CONSTRAINT rotations_state
          CHECK (state IN ('PLANNED', 'APPLIED', 'SWITCHED', 'FINISHED', 'FAILED', 'OUTCOME_UNKNOWN')),
        started_by uuid CONSTRAINT rotations_started_by REFERENCES accounts (id),
        started_at timestamptz NOT NULL,
        finished_at timestamptz,
        from_number integer NOT NULL,
        to_number integer,
        failure text,
        CONSTRAINT rotations_from FOREIGN KEY (credential_id, from_number)
          REFERENCES credential_versions (credential_id, number),
        CONSTRAINT rotations_to FOREIGN KEY (credential_id, to_number)
          REFERENCES credential_versions (credential_id, number)
      );
      CREATE UNIQUE INDEX rotations_one_open ON rotations (credential_id)
        WHERE state IN ('PLANNED', 'APPLIED', 'SWITCHED');
      CREATE INDEX rotations_by_credential ON rotations (credential_id, started_at);

      CREATE TABLE audit_heads (
        account_id uuid NOT NULL CONSTRAINT audit_heads_pkey PRIMARY KEY,
        number bigint NOT NULL,
        epoch text NOT NULL,
        hash bytea NOT NULL
      );

      -- Holds ids without foreign keys: it outlives what it tells of.
      CREATE TABLE audit_events (
        id uuid NOT NULL CONSTRAINT audit_events_pkey PRIMARY KEY,
        account_id uuid NOT NULL,
        number bigint NOT NULL,
        epoch text NOT NULL,
        at timestamptz NOT NULL,
        actor_id uuid,
        actor_credential_id uuid,
        action text NOT NULL,
        outcome text NOT NULL CONSTRAINT audit_events_outcome CHECK (outcome IN ('DONE', 'REFUSED', 'FAILED')),
        code text,
        target_type text,
        target_id uuid,
        project_id uuid,
        changed text[] NOT NULL DEFAULT '{}',
        times integer NOT NULL DEFAULT 1,
        ip text,
        request_id text NOT NULL,
        hash bytea NOT NULL
      );
      CREATE UNIQUE INDEX audit_events_chain ON audit_events (account_id, number);
      CREATE INDEX audit_events_by_time ON audit_events (at, id);
      CREATE INDEX audit_events_by_account ON audit_events (account_id, at, id);
      CREATE INDEX audit_events_by_actor ON audit_events (actor_id, at, id);
      CREATE INDEX audit_events_by_target ON audit_events (target_id, at, id);
      CREATE INDEX audit_events_by_project ON audit_events (project_id, at, id);
      CREATE INDEX audit_events_by_action ON audit_events (action, at, id);
      CREATE INDEX audit_events_not_done ON audit_events (outcome, at, id) WHERE outcome <> 'DONE';

      CREATE FUNCTION audit_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'audit events are never changed';
      END $$;
      CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
        FOR EACH STATEMENT EXECUTE FUNCTION audit_events_append_only();

      CREATE TABLE idempotency_keys (
        account_id uuid NOT NULL CONSTRAINT idempotency_keys_account REFERENCES accounts (id),
        key_hash bytea NOT NULL,
        id uuid NOT NULL,
        operation text NOT NULL,
        input_hash bytea NOT NULL,
        sealed bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        CONSTRAINT idempotency_keys_pkey PRIMARY KEY (account_id, key_hash)
      );
      CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

      -- Which keys this database was written with: their ids and check values, never the keys.
      CREATE TABLE keyring_keys (
        kind text NOT NULL CONSTRAINT keyring_keys_kind CHECK (kind IN ('kek', 'verifier', 'pepper', 'audit')),
        id text NOT NULL,
        fingerprint text NOT NULL,
        wraps bigint NOT NULL DEFAULT 0,
        CONSTRAINT keyring_keys_pkey PRIMARY KEY (kind, id)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE keyring_keys, idempotency_keys, audit_events, audit_heads, rotations, credential_versions,
        credential_uses, credential_roles, credentials, stores, grants, roles, projects, accounts;
      DROP FUNCTION audit_events_append_only;
    `);
  }
}
