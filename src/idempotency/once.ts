import { setTimeout as sleep } from 'node:timers/promises';
import { expectWaiting, whileAllowed } from '../access/standing.js';
import type { RequestContext } from '../access/context.js';
import { sql, type Sql, type Tx } from '../database/database.js';
import type { Part } from '../database/joined.js';
import { conflict } from '../errors.js';
import { newId } from '../ids.js';
import type { RecordPlace } from '../keyring/envelope.js';
import { idempotencyMs } from '../config/limits.js';
import { packAnswer, unpackAnswer, type Answer } from './answer.js';

/** Longer than a store takes to answer, with all that is before and after. */
const reachingMs = 15_000;
const glanceMs = 100;

export interface OnceOutcome<Result> {
  result: Result;
  /** Whether this is the answer to an earlier request with the same key. */
  replayed: boolean;
}

/**
 * Has an effect once: with an idempotency key, the same input answers again what it answered first, for 24 hours. The
 * key's claim, the effect and its answer are one transaction. The answer is kept sealed, for it may hold secrets; they
 * are `Secret`s in what the effect returns, and in what is answered again. Authorize before calling; what depends on the
 * state of things belongs into the effect.
 * @throws CONFLICT for the same key with another input; what the effect throws, after undoing it; as `whileAllowed` does.
 */
export async function once<Result extends Answer>(
  ctx: RequestContext,
  operation: string,
  input: Keyed,
  effect: (tx: Tx) => Promise<Result>,
): Promise<OnceOutcome<Result>> {
  const key = keyOf(ctx, operation, input);
  if (!key) return { result: await whileAllowed(ctx, effect), replayed: false };
  return whileAllowed(ctx, (tx) => firstOrAgain(ctx, tx, operation, key, effect));
}

/** What reaches out of the database: nobody can undo it, and where its answer is lost that does no harm. */
export interface Reaching<Reached, Result extends Answer> {
  /** Whether it may be, in the transaction that claims the key. */
  readonly before?: (tx: Tx) => Promise<void>;
  /** In no transaction. */
  readonly reach: () => Promise<Reached>;
  /** Keeps what it brought, in one transaction with the answer. */
  readonly keep: (tx: Tx, reached: Reached) => Promise<Result>;
}

/**
 * The same for what reaches out of the database: the key is claimed before it does, for as long as that may take, so
 * that of requests at once one reaches out and the others have its answer.
 * @throws CONFLICT also where the other takes too long.
 */
export async function onceReaching<Reached, Result extends Answer>(
  ctx: RequestContext,
  operation: string,
  input: Keyed,
  { before = allowed, reach, keep: keepReached }: Reaching<Reached, Result>,
): Promise<OnceOutcome<Result>> {
  const { db } = ctx;
  const key = keyOf(ctx, operation, input);
  if (!key) {
    if (before !== allowed) await whileAllowed(ctx, before);
    const reached = await reach();
    return { result: await whileAllowed(ctx, (tx) => keepReached(tx, reached)), replayed: false };
  }
  const claiming = { ...key, id: newId(), operation, forMs: reachingMs };
  for (const until = performance.now() + reachingMs; ; await sleep(glanceMs)) {
    expectWaiting(ctx.left);
    const result = await recalled<Result>(ctx, db, key);
    if (result) {
      await ctx.keyring.allLinked();
      return { result, replayed: true };
    }
    if (await isClaimed(ctx, claiming, before)) break;
    if (performance.now() > until)
      throw conflict(
        'The same request (with this idempotency key) is still under way: repeat it in a moment.',
      );
  }
  try {
    const reached = await reach();
    return await whileAllowed(ctx, async (tx) => {
      await tx.rows(release, { id: claiming.id });
      return firstOrAgain(ctx, tx, operation, key, () => keepReached(tx, reached));
    });
  } catch (error) {
    // Where the database is away this fails as well, and says that nothing was changed, of which it knows nothing. The claim
    // ends by itself.
    await db.unlimited.rows(release, { id: claiming.id }).catch(() => undefined);
    throw error;
  }
}

type Claiming = Key & { id: string; operation: string; forMs: number };

const allowed = () => Promise.resolve();

async function isClaimed(
  ctx: RequestContext,
  claiming: Claiming,
  before: (tx: Tx) => Promise<void>,
): Promise<boolean> {
  if (before === allowed && claiming.otherHashes.length === 0)
    return (await ctx.db.rows(claim, claimed(claiming, claiming))).length > 0;
  return whileAllowed(ctx, async (tx) => {
    await takeTurns(tx, claiming);
    const [made] = await tx.rows(claim, claimed(claiming, claiming));
    if (made) await before(tx);
    return made !== undefined;
  });
}

async function firstOrAgain<Result extends Answer>(
  ctx: RequestContext,
  tx: Tx,
  operation: string,
  key: Key,
  effect: (tx: Tx) => Promise<Result>,
): Promise<OnceOutcome<Result>> {
  const id = newId();
  await takeTurns(tx, key);
  const [made] = await tx.rows(claim, claimed(key, { id, operation, forMs: idempotencyMs }));
  if (made) {
    const result = await effect(tx);
    await tx.rows(keep, await sealedFor(ctx, key, id, result));
    return { result, replayed: false };
  }
  return { result: await firstAnswer(ctx, tx, key), replayed: true };
}

/** Parts of the statements of an effect that happens once; none, where there is no key. */
export interface OnceParts<Result extends Answer> {
  /** Waits for other requests with the key, where its claim alone would not. */
  readonly before: (tx: Tx) => Promise<void>;
  /** Claims the key; brings no row where another request has had it. */
  readonly claim: readonly Part[];
  /** What that request was answered. @throws CONFLICT where it had another input */
  readonly answered: (tx: Tx) => Promise<Result>;
  /** Keeps the answer. */
  readonly keep: (result: Result) => Promise<readonly Part[]>;
}

/** The same as `once`, for an effect whose statements are put together elsewhere. */
export function claiming<Result extends Answer>(
  ctx: RequestContext,
  operation: string,
  input: Keyed,
): OnceParts<Result> {
  const key = keyOf(ctx, operation, input);
  if (!key)
    return {
      before: () => Promise.resolve(),
      claim: [],
      answered: () => Promise.reject(new Error('nothing was claimed')),
      keep: () => Promise.resolve([]),
    };
  const id = newId();
  return {
    before: (tx) => takeTurns(tx, key),
    claim: [{ statement: claim, parameters: claimed(key, { id, operation, forMs: idempotencyMs }) }],
    answered: (tx) => firstAnswer(ctx, tx, key),
    keep: async (result) => [{ statement: keep, parameters: await sealedFor(ctx, key, id, result) }],
  };
}

async function firstAnswer<Result extends Answer>(ctx: RequestContext, tx: Tx, key: Key): Promise<Result> {
  const result = await recalled<Result>(ctx, tx, key);
  if (!result) throw otherInput();
  // What the first one ended is where it outlives a crash before this one is answered too.
  tx.afterCommit(() => ctx.keyring.allLinked());
  return result;
}

async function sealedFor(
  { keyring }: RequestContext,
  { accountId, keyHash }: Key,
  id: string,
  result: Answer,
): Promise<{ accountId: string; keyHash: Buffer; sealed: Buffer }> {
  const packed = packAnswer(result);
  try {
    const { sealed } = await keyring.seal(packed, idempotencyPlace(accountId, id));
    return { accountId, keyHash, sealed };
  } finally {
    packed.wipe();
  }
}

/**
 * What the same request was answered before; undefined where it was not. For what is done ahead of an effect and is not
 * to be done again, such as asking a vendor.
 * @throws CONFLICT for the same key with another input.
 */
export async function answeredBefore<Result extends Answer>(
  ctx: RequestContext,
  operation: string,
  input: Keyed,
): Promise<Result | undefined> {
  const key = keyOf(ctx, operation, input);
  const result = key && (await recalled<Result>(ctx, ctx.db, key));
  if (result) await ctx.keyring.allLinked();
  return result;
}

/** Lets a key be used again: what it was used for failed, and a second try may succeed. */
export async function forgetAnswer(ctx: RequestContext, operation: string, input: Keyed): Promise<void> {
  const key = keyOf(ctx, operation, input);
  if (key) await ctx.db.rows(forget, { ...key, keyHashes: hashesOf(key) });
}

export type Keyed = object & { idempotencyKey?: string | null | undefined };

interface Key {
  accountId: string;
  /** Of the key, by the verifier key that is current, which has this id. */
  keyHash: Buffer;
  verifierKeyId: string;
  /** Of the key by the others, oldest key first: what was answered before that one was current is found by them. */
  otherHashes: Buffer[];
  /** Of the key by the oldest verifier key, which all know that know several. */
  turn: string;
  /** Of the input by each verifier key, that of the current one first. */
  inputHashes: Buffer[];
}

function keyOf({ principal, keyring }: RequestContext, operation: string, input: Keyed): Key | undefined {
  const { idempotencyKey, ...rest } = input;
  if (typeof idempotencyKey !== 'string') return undefined;
  const { accountId } = principal;
  const [current, ...others] = keyring.macs('idempotency-key', accountId, idempotencyKey);
  if (!current) throw new Error('there is no verifier key');
  return {
    accountId,
    keyHash: current.tag,
    verifierKeyId: current.keyId,
    otherHashes: others.map(({ tag }) => tag),
    turn: keyring.macByOldest('idempotency-key', accountId, idempotencyKey).toString('hex'),
    inputHashes: keyring.macs('idempotency-input', operation, canonical(rest)).map(({ tag }) => tag),
  };
}

const hashesOf = ({ keyHash, otherHashes }: Key): Buffer[] => [keyHash, ...otherHashes];

const claimed = (key: Key, more: { id: string; operation: string; forMs: number }) => ({
  ...key,
  ...more,
  inputHash: key.inputHashes[0],
});

/**
 * While there are several verifier keys, requests with one idempotency key may claim it by different ones, which no unique
 * index holds apart: they take turns.
 */
async function takeTurns(tx: Tx, key: Key): Promise<void> {
  if (key.otherHashes.length > 0) await tx.rows(turns, { turn: key.turn });
}

async function recalled<Result>(
  { keyring }: RequestContext,
  on: Sql,
  { accountId, inputHashes, ...key }: Key,
): Promise<Result | undefined> {
  const [known] = await on.rows<{ id: string; inputHash: Buffer; sealed: Buffer }>(recall, {
    accountId,
    keyHashes: hashesOf({ accountId, inputHashes, ...key }),
  });
  if (!known) return undefined;
  if (!inputHashes.some((hash) => hash.equals(known.inputHash))) throw otherInput();
  const packed = await keyring.open(Buffer.from(known.sealed), idempotencyPlace(accountId, known.id));
  try {
    return unpackAnswer(packed) as Result;
  } finally {
    packed.wipe();
  }
}

const otherInput = () => conflict('This idempotency key was used with another input.');

/** Where the answer to a request with an idempotency key is sealed to. */
export const idempotencyPlace = (accountId: string, id: string): RecordPlace => ({
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
  INSERT INTO idempotency_keys AS k (account_id, key_hash, verifier_key_id, id, operation, input_hash, expires_at)
  SELECT CAST(:accountId AS uuid), CAST(:keyHash AS bytea), CAST(:verifierKeyId AS text), CAST(:id AS uuid),
    CAST(:operation AS text), CAST(:inputHash AS bytea), now() + CAST(:forMs AS integer) * interval '1 millisecond'
  WHERE NOT EXISTS (
    SELECT FROM idempotency_keys o
    WHERE o.account_id = :accountId AND o.key_hash = ANY(CAST(:otherHashes AS bytea[])) AND o.expires_at > now())
  ON CONFLICT (account_id, key_hash) DO UPDATE SET id = excluded.id, operation = excluded.operation,
    verifier_key_id = excluded.verifier_key_id, input_hash = excluded.input_hash, sealed = NULL, created_at = now(),
    expires_at = excluded.expires_at
    WHERE k.expires_at <= now()
  RETURNING k.id`);

const release = sql('DELETE FROM idempotency_keys WHERE id = :id AND sealed IS NULL RETURNING id');

const forget = sql(`
  DELETE FROM idempotency_keys
  WHERE account_id = :accountId AND key_hash = ANY(CAST(:keyHashes AS bytea[]))
    AND input_hash = ANY(CAST(:inputHashes AS bytea[]))
  RETURNING id`);

const turns = sql('SELECT pg_advisory_xact_lock(hashtextextended(CAST(:turn AS text), 0))');

const keep = sql(`
  UPDATE idempotency_keys SET sealed = :sealed WHERE account_id = :accountId AND key_hash = :keyHash`);

const recall = sql(`
  SELECT id, input_hash AS "inputHash", sealed FROM idempotency_keys
  WHERE account_id = :accountId AND key_hash = ANY(CAST(:keyHashes AS bytea[])) AND expires_at > now()
    AND sealed IS NOT NULL`);
