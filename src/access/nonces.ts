import { Column, Entity, PrimaryColumn } from 'typeorm';
import { sql, type Sql } from '../database/database.js';
import { windowMs } from '../signatures/scheme.js';

/** A signed request that was taken: what told it from every other of its key. */
@Entity('nonces')
export class Nonce {
  @PrimaryColumn('uuid', { name: 'credential_id' })
  credentialId: string;

  @PrimaryColumn('bytea')
  nonce: Buffer;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: string;
}

/** A nonce, and the key that it was used with. */
export interface Use {
  credentialId: string;
  nonce: Buffer;
}

/**
 * Takes these nonces, each once: of two that are alike, wherever and whenever they come, one is taken.
 * @returns for each whether it was taken now.
 */
export async function takeNonces(db: Sql, uses: readonly Use[]): Promise<boolean[]> {
  const wanted = new Map(uses.map((use) => [nameOf(use), use]));
  // In one order everywhere, so that two requests never wait for each other.
  const sorted = [...wanted].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, use]) => use);
  const taken = new Set(
    (
      await db.rows<Use>(take, {
        credentials: sorted.map(({ credentialId }) => credentialId),
        nonces: sorted.map(({ nonce }) => nonce),
      })
    ).map(nameOf),
  );
  return uses.map((use) => taken.delete(nameOf(use)));
}

/** Forgets nonces that no request could come with any more. Returns how many there were. */
export async function forgetNonces(db: Sql): Promise<number> {
  for (let forgotten = 0; ;) {
    const rows = await db.rows(forget, { batch });
    forgotten += rows.length;
    if (rows.length < batch) return forgotten;
  }
}

const batch = 1_000;

const nameOf = ({ credentialId, nonce }: Use) => `${credentialId} ${Buffer.from(nonce).toString('base64')}`;

// A request is taken for as long after the instant it was signed at as that may lie ahead.
const take = {
  ...sql(`
  INSERT INTO nonces AS n (credential_id, nonce, expires_at)
  SELECT used.credential_id, used.nonce, now() + interval '${2 * windowMs + 1_000} milliseconds'
  FROM unnest(CAST(:credentials AS uuid[]), CAST(:nonces AS bytea[])) AS used (credential_id, nonce)
  ON CONFLICT (credential_id, nonce) DO UPDATE SET expires_at = excluded.expires_at WHERE n.expires_at <= now()
  RETURNING n.credential_id AS "credentialId", n.nonce`),
  name: 'take-nonces',
};

const forget = sql(`
  DELETE FROM nonces WHERE (credential_id, nonce) IN (
    SELECT credential_id, nonce FROM nonces WHERE expires_at <= now() ORDER BY expires_at
    LIMIT CAST(:batch AS integer) FOR UPDATE SKIP LOCKED)
  RETURNING 1`);
