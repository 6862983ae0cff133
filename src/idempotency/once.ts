import type { RequestContext } from '../context.js';
import { sql, type Tx } from '../database.js';
import { conflict } from '../errors.js';
import { newId } from '../ids.js';
import type { Place } from '../keyring/envelope.js';
import { Secret } from '../secret.js';

/** What an effect leaves to answer with: plain JSON, which may hold a secret, so it is kept sealed. */
export type Answer = Record<string, unknown>;

export interface Outcome<Result> {
  result: Result;
  /** Whether this is the answer to an earlier request with the same key. */
  replayed: boolean;
}

/**
 * Has an effect once: with an idempotency key, the same input answers again what it answered first, for 24 hours. The
 * key's claim, the effect and its answer are one transaction. Authorize before calling; what depends on the state of
 * things belongs into the effect.
 * @throws CONFLICT for the same key with another input; what the effect throws, after undoing it.
 */
export async function once<Result extends Answer>(
  ctx: RequestContext,
  operation: string,
  input: object & { idempotencyKey?: string | null | undefined },
  effect: (tx: Tx) => Promise<Result>,
): Promise<Outcome<Result>> {
  const { idempotencyKey, ...rest } = input;
  if (typeof idempotencyKey !== 'string') {
    return { result: await ctx.db.transaction(effect), replayed: false };
  }
  const { accountId } = ctx.principal;
  const keyHash = ctx.keyring.mac('idempotency-key', accountId, idempotencyKey);
  const inputHash = ctx.keyring.mac('idempotency-input', operation, canonical(rest));
  return ctx.db.transaction(async (tx) => {
    const id = newId();
    const [claimed] = await tx.rows<{ id: string }>(claim, { accountId, keyHash, id, operation, inputHash });
    if (claimed) {
      const result = await effect(tx);
      const { sealed } = await ctx.keyring.seal(Secret.of(JSON.stringify(result)), placeOf(accountId, id));
      await tx.rows(keep, { accountId, keyHash, sealed });
      return { result, replayed: false };
    }
    const [known] = await tx.rows<{ id: string; inputHash: Buffer; sealed: Buffer }>(recall, {
      accountId,
      keyHash,
    });
    if (!known || !inputHash.equals(known.inputHash))
      throw conflict('This idempotency key was used with another input.');
    const secret = await ctx.keyring.open(Buffer.from(known.sealed), placeOf(accountId, known.id));
    try {
      return { result: JSON.parse(secret.expose()) as Result, replayed: true };
    } finally {
      secret.wipe();
    }
  });
}

const placeOf = (accountId: string, id: string): Place => ({
  accountId,
  projectId: null,
  credentialId: id,
  version: 0,
  field: 'idempotency',
});

/** The same text for the same input, whatever the order of its members. */
function canonical(value: unknown): string {
  if (value === undefined) return 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join()}}`;
}

const claim = sql(`
  INSERT INTO idempotency_keys AS k (account_id, key_hash, id, operation, input_hash, expires_at)
  VALUES (:accountId, :keyHash, :id, :operation, :inputHash, now() + interval '24 hours')
  ON CONFLICT (account_id, key_hash) DO UPDATE SET id = excluded.id, operation = excluded.operation,
    input_hash = excluded.input_hash, sealed = NULL, created_at = now(), expires_at = excluded.expires_at
    WHERE k.expires_at <= now()
  RETURNING k.id`);

const keep = sql(`
  UPDATE idempotency_keys SET sealed = :sealed WHERE account_id = :accountId AND key_hash = :keyHash`);

const recall = sql(`
  SELECT id, input_hash AS "inputHash", sealed FROM idempotency_keys
  WHERE account_id = :accountId AND key_hash = :keyHash`);
