import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestContext } from '../../access/context.js';
import { longestDatabaseWaitMs } from '../../config/limits.js';
import { sql, type Database } from '../../database/database.js';
import { KeywayError, type Code } from '../../errors.js';
import { forgetAnswer } from '../../idempotency/once.js';
import type { Intent } from './intent.js';
import { advance } from './advance.js';
import type { Lease } from './lease.js';
import { failureOf, type Failure } from './settle.js';
import { ends } from './verdict.js';

const patienceMs = 6_000;
const glanceMs = 100;
/** How often the database is asked whether it is there, while a store is waited for. */
const askMs = 1_000;

/** What is kept under an idempotency key of a write to an outside store. */
export interface Planned extends Record<string, unknown> {
  id: string;
  intent: string;
  version: number;
}

/**
 * Carries a planned intent out, where it was planned just now, and waits for its outcome. One that could not be done just
 * now, and was not, may be asked for again under the same idempotency key.
 * @param lease of the intent that this request planned; undefined where the answer to an earlier one is repeated.
 * @throws what the intent came to: the code that it failed with, or OUTCOME_UNKNOWN; also while it is still under way
 * after a few seconds, and where the database tells nothing for as long as a request may wait for it: what the store has
 * done is put on record without the caller then. The audit has it.
 */
export async function carryOut(
  asking: RequestContext,
  operation: string,
  input: { idempotencyKey?: string | null },
  intent: string,
  lease: Lease | undefined,
): Promise<void> {
  // What a store has done is put on record, however long that takes.
  const ctx = { ...asking, db: asking.db.unlimited };
  const over = new AbortController();
  const told = outcome(ctx, operation, input, intent, lease);
  const inTime = untilSilent(ctx.db, over.signal).then((isSilent) => {
    if (isSilent) throw untold();
    return told;
  });
  try {
    await Promise.race([told, inTime]);
  } finally {
    over.abort();
  }
}

async function outcome(
  ctx: RequestContext,
  operation: string,
  input: { idempotencyKey?: string | null },
  intent: string,
  lease: Lease | undefined,
): Promise<void> {
  if (lease) await begin(ctx, lease);
  for (const until = performance.now() + patienceMs; ; await sleep(glanceMs)) {
    const found = await lookUp(ctx, intent);
    // Another request or process may have settled it just now.
    if (found?.state === 'DONE') return ctx.keyring.allLinked();
    if (found?.state === 'DROPPED')
      throw new KeywayError('CONFLICT', 'The credential was ended meanwhile.', { recorded: true });
    if (found && found.state !== 'OPEN') {
      const { code, message, fields = [] } = failureOf(found.failure);
      if (passing.has(code)) await forgetAnswer(ctx, operation, input);
      throw new KeywayError(code, message, { fields: [...fields], recorded: true });
    }
    if (found && isRefused(found)) throw goesOn(failureOf(found.failure));
    if (performance.now() > until) throw stillOpen();
  }
}

/** Resolves with true once the database has told nothing for as long as a request may wait for it; false once it is over. */
async function untilSilent(db: Database, over: AbortSignal): Promise<boolean> {
  // The embedded one is never waited for without this process being at work.
  if (db.embedded) return false;
  for (let answeredAtMs = performance.now(); !over.aborted;) {
    await sleep(askMs, undefined, { signal: over }).catch(() => undefined);
    if (!over.aborted && (await answers(db))) answeredAtMs = performance.now();
    if (performance.now() - answeredAtMs >= longestDatabaseWaitMs) return !over.aborted;
  }
  return false;
}

const answers = (db: Database): Promise<boolean> =>
  db.rows(ping).then(
    () => true,
    () => false,
  );

/** What fails here is on record and goes on: only the intent tells what came of it. */
async function begin(ctx: RequestContext, lease: Lease): Promise<void> {
  try {
    await advance(ctx, lease, false);
  } catch (error) {
    ctx.log.error({ error, intent: lease.id }, 'an intent failed and will be tried again');
  }
}

/** Undefined while the database cannot tell. */
async function lookUp({ db }: RequestContext, id: string): Promise<Outcome | undefined> {
  try {
    const [found] = await db.rows<Outcome>(outcomeOf, { id });
    return found;
  } catch (error) {
    if (error instanceof KeywayError && error.code === 'UNAVAILABLE') return undefined;
    throw error;
  }
}

type Outcome = Pick<Intent, 'verb' | 'state' | 'failure'>;

/** Whether a store has said no to end something: that goes on, and may take days. */
const isRefused = ({ verb, failure }: Outcome): boolean =>
  ends(verb) && failure !== null && !passing.has(failureOf(failure).code);

const passing: ReadonlySet<Code> = new Set(['UNAVAILABLE', 'RATE_LIMITED']);

const goesOn = ({ code, message }: Failure): KeywayError =>
  new KeywayError(
    code,
    `${message} Until then the credential is REVOKING: Keyway asks the store again until it has ended it.`,
    { recorded: true },
  );

const stillOpen = (): KeywayError =>
  new KeywayError(
    'OUTCOME_UNKNOWN',
    'The store has not answered yet. It is asked again until it does: look at the credential, or repeat the request with its idempotency key.',
    { recorded: true },
  );

const untold = (): KeywayError =>
  new KeywayError(
    'OUTCOME_UNKNOWN',
    'The database does not answer, so that nothing tells yet what the store has done. It is put on record once it does: look at the credential, or repeat the request with its idempotency key.',
    { recorded: true },
  );

const ping = sql('SELECT 1 AS one');
const outcomeOf = sql('SELECT verb, state, failure FROM intents WHERE id = :id');
