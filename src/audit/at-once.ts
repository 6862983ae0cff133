import type { RequestContext } from '../access/context.js';
import { standingAsked, whileStanding } from '../access/standing.js';
import type { ReadRow, Tx } from '../database/database.js';
import { together, type Part } from '../database/joined.js';
import type { Answer } from '../idempotency/answer.js';
import { claiming, type Keyed, type OnceOutcome } from '../idempotency/once.js';
import { accountsOf, headsOf, linksTo } from './chain.js';
import { callerOf, decisionOf, eventOf } from './decision.js';
import type { Deed } from './record.js';

// What a change costs is its statements: each waits for the one before, on a connection that others wait for, and with
// locks that they wait for too. So one locks all that the change depends on, and one writes all that it is, together
// with its place in the audit and the answer that a repeated request is given.

type Rows = readonly (readonly ReadRow[])[];

/** A change that is done in few statements. */
export interface AtOnce<Result extends Answer> {
  /**
   * What is locked, in this order, and read with it: all that its writes name too, whose rows they would lock when the
   * chains are locked already. The caller's account is among it, which the key of a repeated request names.
   */
  readonly holds: readonly Part[];
  /** What is locked after them, where that is known; what has to be known or done before takes a statement more. */
  readonly last: Last | ((tx: Tx, held: Rows) => Promise<Last>);
  /**
   * Decides by what was locked what is written. What it asks itself are statements of their own. Neither they nor the
   * writes wait for a row: the chains are locked by then.
   */
  readonly decide: (tx: Tx, held: Rows) => Promise<Decided<Result>>;
}

/** What a change locks last. */
interface Last {
  readonly holds?: readonly Part[];
  /** The accounts whose chains it goes into. */
  readonly accounts: readonly string[];
}

/** What a change consists of. */
interface Decided<Result extends Answer> {
  /** Statements of which none sees what another does. */
  readonly writes: readonly Part[];
  readonly deeds: readonly Deed[];
  readonly result: Result;
}

/** What became of it. */
export interface DoneAtOnce<Result> extends OnceOutcome<Result> {
  /** What its holds and its writes brought; nothing, where it was done before. */
  readonly held: Rows;
  readonly brought: Rows;
}

/**
 * Does a change once, as `once` does, while its caller may, as `whileAllowed` does, and puts it on record, as `record`
 * does: in two statements, beside what `decide` asks itself. How its caller stands is read with the last one, so
 * that what the change takes from its caller is not seen by it. A repeated request locks what is to be locked first too.
 * @throws what these throw
 */
export function atOnce<Result extends Answer>(
  ctx: RequestContext,
  operation: string,
  input: Keyed,
  { holds, last, decide }: AtOnce<Result>,
): Promise<DoneAtOnce<Result>> {
  const { db, keyring } = ctx;
  const claim = claiming<Result>(ctx, operation, input);
  const standing = standingAsked(ctx);
  return whileStanding<DoneAtOnce<Result>>(ctx, async (tx) => {
    const locked = await locks(tx);
    if (!locked) return again(tx);

    const { writes, deeds, result } = await decide(tx, locked.held);
    const events = deeds.map(({ changed, ends, ...what }) =>
      eventOf(decisionOf(callerOf(ctx), what), changed, ends),
    );
    if (accountsOf(events).some((id) => !locked.accounts.includes(id)))
      throw new Error('the chain of a change was not locked');
    const written = await together(db, tx, [
      ...writes,
      ...(await linksTo(tx, keyring, events, locked.heads)),
      ...(await claim.keep(result)),
      ...(standing.part ? [standing.part] : []),
    ]);
    return {
      result: { result, replayed: false, held: locked.held, brought: written.slice(0, writes.length) },
      standing: standing.read(standing.part ? (written.at(-1) ?? []) : []),
    };
  });

  /** Locks all of it; undefined where another request has done it. */
  async function locks(tx: Tx) {
    const ends = ({ holds: more = [], accounts }: Last) => [...more, headsOf(accounts)];
    await claim.before(tx);
    const first = [...claim.claim, ...holds, ...(typeof last === 'function' ? [] : ends(last))];
    const found = await together(db, tx, first);
    if (claim.claim.length > 0 && found[0]?.length === 0) return undefined;
    const held = found.slice(claim.claim.length);
    const known = typeof last === 'function' ? await last(tx, held) : last;
    if (typeof last === 'function') held.push(...(await together(db, tx, ends(known))));
    return { held: held.slice(0, -1), heads: held.at(-1) ?? [], accounts: known.accounts };
  }

  async function again(tx: Tx) {
    const result = { result: await claim.answered(tx), replayed: true, held: [], brought: [] };
    const { part, read } = standing;
    return { result, standing: read(part ? await tx.rows<ReadRow>(part.statement, part.parameters) : []) };
  }
}
