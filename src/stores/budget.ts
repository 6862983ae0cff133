import { instant, instantMs } from '../time.js';
import type { Budget } from '../access/context.js';
import type { CredentialStore, StoreBudget } from './store.js';

/**
 * How many calls a store allows and how many are used, as they were last noted; null where it does not limit them.
 * @param at now, in milliseconds since 1970.
 */
export function budgetOf(
  { callsInWindow, windowEndsAt }: Pick<CredentialStore, 'callsInWindow' | 'windowEndsAt'>,
  budget: Budget | undefined,
  at: number,
): StoreBudget | null {
  if (!budget) return null;
  const { limit, windowMs } = budget;
  const endsMs = windowEndsAt === null ? 0 : instantMs(windowEndsAt);
  const isOpen = endsMs > at;
  return {
    limit,
    used: isOpen ? callsInWindow : 0,
    window: windowMs % 60_000 === 0 ? `PT${windowMs / 60_000}M` : `PT${windowMs / 1000}S`,
    resetsAt: instant(isOpen ? endsMs : at + windowMs),
  };
}
