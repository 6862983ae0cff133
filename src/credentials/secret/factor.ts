import type { RequestContext } from '../../access/context.js';
import { whileAllowed } from '../../access/standing.js';
import { attemptIfNeeded } from '../../accounts/second-factor.js';
import type { Tx } from '../../database/database.js';
import type { OnceOutcome } from '../../idempotency/once.js';

/** The second factor of a request that is answered with a secret. */
export interface Factor {
  /** Whether a code is proved: one was needed, or given. */
  readonly isProved: boolean;
  /**
   * Accepts the code in the transaction of the deed.
   * @returns a tag of it, to be kept with the answer as `Coded`
   * @throws FORBIDDEN where it is not accepted
   */
  prove(tx: Tx): Promise<string | null>;
  /**
   * Does what the code is for, as `Attempt.during` does. A repeated request is as well proven as the first where its code
   * is the same, which by now no other deed would take; otherwise it needs a code of its own moment.
   */
  during<Outcome extends OnceOutcome<Coded>>(deed: () => Promise<Outcome>): Promise<Outcome>;
}

/** What is kept of the code that proved a request; left out in what earlier versions kept. */
export interface Coded extends Record<string, unknown> {
  code?: string | null;
}

/**
 * The factor that a request needs to be shown a secret, or the code that it gives all the same. The code is no part of
 * what a repeated request has to be like.
 * @throws as `attemptIfNeeded` does
 */
export async function factorFor(ctx: RequestContext, mfaCode: string | null | undefined): Promise<Factor> {
  const attempt = await attemptIfNeeded(ctx, mfaCode);
  if (!attempt) return noFactor;
  const coded = ['mfaCode', mfaCode ?? ''] as const;
  const tag = ctx.keyring.mac('idempotency-input', ...coded).toString('base64');
  const isOf = (kept?: string | null) =>
    typeof kept === 'string' &&
    ctx.keyring.macMatches('idempotency-input', Buffer.from(kept, 'base64'), ...coded);
  return {
    isProved: true,
    prove: async (tx) => {
      await attempt.prove(tx);
      return tag;
    },
    during: (deed) =>
      attempt.during(async () => {
        const outcome = await deed();
        if (outcome.replayed && !isOf(outcome.result.code))
          await whileAllowed(ctx, (tx) => attempt.prove(tx));
        return outcome;
      }),
  };
}

const noFactor: Factor = {
  isProved: false,
  prove: () => Promise.resolve(null),
  during: (deed) => deed(),
};
