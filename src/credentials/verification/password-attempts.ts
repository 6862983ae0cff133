import { Column, Entity, PrimaryColumn } from 'typeorm';
import { sql, type Sql } from '../../database/database.js';
import { lockedMs, mostTries } from '../../config/limits.js';

/** The latest tries at the password of one user name, whether somebody has that name or not. */
@Entity('password_attempts')
export class PasswordAttempts {
  @PrimaryColumn('bytea', { name: 'name_hash' })
  nameHash: Buffer;

  @Column('timestamptz', { array: true })
  at: string[];

  /** How many the last asking was granted. */
  @Column('integer')
  granted: number;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: string;
}

/**
 * Counts a try for each of these user names, before any password is looked at: at most `mostTries` in `lockedMs`,
 * whoever asks, and however many at once.
 * @returns for each whether it may be looked at.
 */
export async function takeAttempts(db: Sql, names: readonly Buffer[]): Promise<boolean[]> {
  const wanted = new Map<string, number>();
  for (const name of names) wanted.set(keyOf(name), (wanted.get(keyOf(name)) ?? 0) + 1);
  const keys = [...wanted.keys()].sort();
  const rows = await db.rows<{ name: Buffer; granted: number }>(take, {
    names: keys.map((key) => Buffer.from(key, 'base64')),
    counts: keys.map((key) => wanted.get(key) ?? 0),
  });
  const granted = new Map(rows.map((row) => [keyOf(row.name), row.granted]));
  return names.map((name) => {
    const left = granted.get(keyOf(name)) ?? 0;
    granted.set(keyOf(name), left - 1);
    return left > 0;
  });
}

/** Takes back the tries of those who knew the password: they were no guesses. */
export async function giveBackAttempts(db: Sql, names: readonly Buffer[]): Promise<void> {
  if (names.length === 0) return;
  const counts = new Map<string, number>();
  for (const name of names) counts.set(keyOf(name), (counts.get(keyOf(name)) ?? 0) + 1);
  const keys = [...counts.keys()].sort();
  await db.rows(giveBack, {
    names: keys.map((key) => Buffer.from(key, 'base64')),
    counts: keys.map((key) => counts.get(key) ?? 0),
  });
}

/** Deletes tries that no longer count. Returns how many names there were. */
export async function forgetAttempts(db: Sql): Promise<number> {
  for (let forgotten = 0; ;) {
    const rows = await db.rows(forget, { batch });
    forgotten += rows.length;
    if (rows.length < batch) return forgotten;
  }
}

const batch = 1_000;

const keyOf = (name: Uint8Array) => Buffer.from(name).toString('base64');

// A row's own lock makes tries at the same moment one after the other, over all replicas.
const locked = `(${lockedMs} * interval '1 millisecond')`;
const recent = `ARRAY(SELECT t FROM unnest(p.at) AS t WHERE t > now() - ${locked} ORDER BY t)`;
const open = `least(excluded.granted, ${mostTries} - cardinality(${recent}))`;
const take = {
  ...sql(`
  INSERT INTO password_attempts AS p (name_hash, at, granted, expires_at)
  SELECT asked.name, array_fill(now(), ARRAY[least(asked.count, ${mostTries})]), least(asked.count, ${mostTries}),
    now() + ${locked}
  FROM unnest(CAST(:names AS bytea[]), CAST(:counts AS integer[])) AS asked (name, count)
  ON CONFLICT (name_hash) DO UPDATE SET at = ${recent} || array_fill(now(), ARRAY[${open}]), granted = ${open},
    expires_at = CASE WHEN ${open} > 0 THEN excluded.expires_at ELSE p.expires_at END
  RETURNING p.name_hash AS name, p.granted`),
  name: 'take-attempts',
};

const giveBack = {
  ...sql(`
  UPDATE password_attempts p SET at = p.at[: greatest(cardinality(p.at) - asked.count, 0)]
  FROM unnest(CAST(:names AS bytea[]), CAST(:counts AS integer[])) AS asked (name, count)
  WHERE p.name_hash = asked.name`),
  name: 'give-back-attempts',
};

const forget = sql(`
  DELETE FROM password_attempts WHERE name_hash IN (
    SELECT name_hash FROM password_attempts WHERE expires_at <= now() ORDER BY expires_at
    LIMIT CAST(:batch AS integer) FOR UPDATE SKIP LOCKED)
  RETURNING 1`);
