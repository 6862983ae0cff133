import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores outside of Keyway, what is known of their credentials, and what is under way with them. */
export class OutsideStores1796100000000 implements MigrationInterface {
  name = 'OutsideStores1796100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE stores
        -- Whose it is, and whose its credentials are; nobody's, for Keyway's own.
        ADD COLUMN account_id uuid CONSTRAINT stores_account REFERENCES accounts (id),
        ADD COLUMN region text,
        ADD COLUMN addresses jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN settings jsonb NOT NULL DEFAULT '{}',
        -- What Keyway proves itself with there; the number grows with every other secret.
        ADD COLUMN sealed bytea,
        ADD COLUMN kek_id text,
        ADD COLUMN secret_number integer NOT NULL DEFAULT 0,
        ADD COLUMN reachable boolean,
        ADD COLUMN checked_at timestamptz,
        ADD COLUMN problem text CONSTRAINT stores_problem
          CHECK (problem IN ('STORE_REJECTED', 'UNAVAILABLE', 'RATE_LIMITED')),
        ADD COLUMN calls_in_window integer NOT NULL DEFAULT 0,
        ADD COLUMN window_ends_at timestamptz,
        ADD COLUMN deleted_at timestamptz;
      DROP INDEX stores_name;
      CREATE UNIQUE INDEX stores_name ON stores (name) WHERE deleted_at IS NULL;
      CREATE INDEX stores_by_account ON stores (account_id);

      ALTER TABLE credentials
        -- Where in its store: a workspace, project, user or account of the vendor's.
        ADD COLUMN scope text,
        -- What the store said of it last, by which a later listing tells what changed.
        ADD COLUMN observed jsonb,
        -- Since when its store has it no more.
        ADD COLUMN gone_at timestamptz,
        -- Whether its store has the last change, but not in every environment.
        ADD COLUMN partial boolean NOT NULL DEFAULT false,
        -- Whether it is what Keyway reaches its store with.
        ADD COLUMN reaches_store boolean NOT NULL DEFAULT false;
      CREATE UNIQUE INDEX credentials_external ON credentials (store_id, external_id)
        WHERE external_id IS NOT NULL AND deleted_at IS NULL;
      -- A store may have keys of a provider that Keyway does not know.
      ALTER TABLE credentials DROP CONSTRAINT credentials_provider;
      ALTER TABLE credentials ADD CONSTRAINT credentials_provider CHECK (kind = 'PROVIDER_KEYS' OR provider IS NULL);
      CREATE INDEX credentials_gone ON credentials (created_at, id) WHERE gone_at IS NOT NULL;

      -- A write to an outside store: on record before the store hears of it, until its outcome is settled.
      CREATE TABLE intents (
        id uuid NOT NULL CONSTRAINT intents_pkey PRIMARY KEY,
        credential_id uuid NOT NULL CONSTRAINT intents_credential REFERENCES credentials (id),
        store_id uuid NOT NULL CONSTRAINT intents_store REFERENCES stores (id),
        verb text NOT NULL CONSTRAINT intents_verb
          CHECK (verb IN ('CREATE', 'UPDATE', 'ROTATE', 'RETIRE', 'REVOKE', 'DELETE')),
        state text NOT NULL DEFAULT 'OPEN' CONSTRAINT intents_state
          CHECK (state IN ('OPEN', 'DONE', 'FAILED', 'UNKNOWN', 'DROPPED')),
        rotation_id uuid CONSTRAINT intents_rotation REFERENCES rotations (id),
        -- The version that it brings in, or takes away.
        version integer,
        details jsonb NOT NULL DEFAULT '{}',
        -- Who may act on it, and until when: whoever comes after has a higher number, and settles alone.
        fence integer NOT NULL DEFAULT 1,
        lease_until timestamptz NOT NULL,
        next_at timestamptz NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        failure text,
        -- For the audit: who wanted it, in which request.
        actor_id uuid,
        actor_credential_id uuid,
        ip text,
        request_id text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
      );
      CREATE UNIQUE INDEX intents_one_open ON intents (credential_id) WHERE state = 'OPEN' AND verb <> 'RETIRE';
      CREATE INDEX intents_open ON intents (next_at) WHERE state = 'OPEN';
      CREATE INDEX intents_by_credential ON intents (credential_id, created_at);

      -- When the next of the credentials that one owner answers for may be rotated by itself.
      CREATE TABLE rotation_turns (
        owner_id uuid NOT NULL CONSTRAINT rotation_turns_pkey PRIMARY KEY
          CONSTRAINT rotation_turns_owner REFERENCES accounts (id),
        next_at timestamptz NOT NULL
      );

      CREATE TABLE syncs (
        id uuid NOT NULL CONSTRAINT syncs_pkey PRIMARY KEY,
        store_id uuid NOT NULL CONSTRAINT syncs_store REFERENCES stores (id),
        started_at timestamptz NOT NULL,
        finished_at timestamptz,
        -- Where the listing goes on; from its beginning, where null.
        resume_from text,
        -- Scopes that the store did not show: what is in them is not taken for gone.
        unread text[] NOT NULL DEFAULT '{}',
        added integer NOT NULL DEFAULT 0,
        changed integer NOT NULL DEFAULT 0,
        gone integer NOT NULL DEFAULT 0,
        error text,
        fence integer NOT NULL DEFAULT 1,
        lease_until timestamptz NOT NULL,
        next_at timestamptz NOT NULL
      );
      CREATE UNIQUE INDEX syncs_one_open ON syncs (store_id) WHERE finished_at IS NULL;
      CREATE INDEX syncs_by_store ON syncs (store_id, started_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE syncs;
      DROP TABLE rotation_turns;
      DROP TABLE intents;
      DROP INDEX credentials_gone;
      DROP INDEX credentials_external;
      ALTER TABLE credentials DROP CONSTRAINT credentials_provider;
      ALTER TABLE credentials ADD CONSTRAINT credentials_provider
        CHECK ((kind = 'PROVIDER_KEYS') = (provider IS NOT NULL));
      ALTER TABLE credentials DROP COLUMN scope, DROP COLUMN observed, DROP COLUMN gone_at, DROP COLUMN partial,
        DROP COLUMN reaches_store;
      DROP INDEX stores_by_account;
      DROP INDEX stores_name;
      CREATE UNIQUE INDEX stores_name ON stores (name);
      ALTER TABLE stores DROP COLUMN account_id, DROP COLUMN region, DROP COLUMN addresses, DROP COLUMN settings,
        DROP COLUMN sealed, DROP COLUMN kek_id, DROP COLUMN secret_number, DROP COLUMN reachable,
        DROP COLUMN checked_at, DROP COLUMN problem, DROP COLUMN calls_in_window, DROP COLUMN window_ends_at, DROP COLUMN deleted_at;
    `);
  }
}
