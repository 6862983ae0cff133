import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is left in outside stores and is to end there: one list, where each intent had its own copy of it. */
export class LeftoversInStores1796740000010 implements MigrationInterface {
  name = 'LeftoversInStores1796740000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE leftovers (
        id uuid NOT NULL CONSTRAINT leftovers_pkey PRIMARY KEY,
        credential_id uuid NOT NULL CONSTRAINT leftovers_credential REFERENCES credentials (id),
        store_id uuid NOT NULL CONSTRAINT leftovers_store REFERENCES stores (id),
        -- The key that is to end; null where it is to be looked for what a call may have made.
        access_key text,
        version integer,
        rotation_id uuid CONSTRAINT leftovers_rotation REFERENCES rotations (id),
        -- What was there before the call.
        before text[],
        due_at timestamptz NOT NULL,
        -- When it is looked for the last time.
        until_at timestamptz,
        fence integer NOT NULL DEFAULT 0,
        lease_until timestamptz NOT NULL DEFAULT now(),
        attempts integer NOT NULL DEFAULT 0,
        failure text,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT leftovers_kind CHECK ((access_key IS NULL) = (until_at IS NOT NULL))
      );
      CREATE INDEX leftovers_due ON leftovers (due_at);
      CREATE INDEX leftovers_by_credential ON leftovers (credential_id);
      CREATE INDEX leftovers_by_store ON leftovers (store_id);

      -- What was to be ended later by intents of its own.
      INSERT INTO leftovers (id, credential_id, store_id, access_key, version, rotation_id, due_at)
      SELECT gen_random_uuid(), i.credential_id, i.store_id, k.key, i.version, i.rotation_id, i.next_at
      FROM intents i, jsonb_array_elements_text(i.details -> 'keys') AS k (key)
      WHERE i.state = 'OPEN' AND i.verb = 'RETIRE';
      INSERT INTO leftovers (id, credential_id, store_id, before, due_at, until_at)
      SELECT gen_random_uuid(), credential_id, store_id,
        CASE WHEN details ? 'before' THEN ARRAY(SELECT jsonb_array_elements_text(details -> 'before')) END,
        next_at, next_at + interval '2 minutes'
      FROM intents WHERE state = 'OPEN' AND details ? 'sweep';
      UPDATE intents SET state = 'DROPPED', fence = fence + 1, finished_at = now()
      WHERE state = 'OPEN' AND (verb = 'RETIRE' OR details ? 'sweep')
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      INSERT INTO intents (id, credential_id, store_id, verb, version, rotation_id, details, lease_until, next_at, request_id)
      SELECT id, credential_id, store_id, 'RETIRE', version, rotation_id,
        jsonb_build_object('keys', jsonb_build_array(access_key)), now(), due_at, CAST(id AS text)
      FROM leftovers WHERE access_key IS NOT NULL;
      DROP TABLE leftovers
    `);
  }
}
