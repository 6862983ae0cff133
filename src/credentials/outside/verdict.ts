import type { IntentVerb } from './intent.js';
import type { Way } from './work.js';

/** What a store did with what an intent asked of it, where it did not do it. */
export type Mishap =
  /** No clear answer: it may have been done. */
  | 'UNCLEAR'
  /** Not now: it was not done. */
  | 'NOT_NOW'
  /** No. */
  | 'REFUSED'
  /** A secret was made that cannot be kept. */
  | 'SPOILED'
  /** A secret may have been made that nobody can have. */
  | 'LOST'
  /** It was not done, and would bring an old secret along if it were sent again. */
  | 'NOT_REPEATED';

/** What is known of an intent when a mishap comes. */
export interface Facts {
  verb: IntentVerb;
  way: Way;
  /** Whether the store shows its secrets again. */
  shows: boolean;
  /** Whether the store may have done it already, by an earlier call, and no look at the store has told since. */
  open: boolean;
}

/** What becomes of an intent: FAILED says that the store did nothing, LATER that it is tried again. */
export type Verdict = 'FAILED' | 'UNKNOWN' | 'LATER';

/**
 * What becomes of an intent after a mishap: the table of docs/outside-changes.md, line by line. Only where nothing may
 * have been done does it fail; what ends something goes on until it is done.
 */
export function verdictOn(mishap: Mishap, { verb, way, shows, open }: Facts): Verdict {
  if (ends(verb)) return 'LATER';
  if (mishap === 'LOST') return 'UNKNOWN';
  if (mishap === 'NOT_REPEATED') return 'FAILED';
  const isClear = mishap === 'REFUSED' || mishap === 'NOT_NOW';
  if (isClear && !open) return 'FAILED';
  if (makes(verb) && (mishap === 'SPOILED' || (way === 'replaced' && !shows))) return 'UNKNOWN';
  if (mishap !== 'REFUSED') return 'LATER';
  // A later look can tell what was made, except where the secret is the one that was sent.
  return makes(verb) && way !== 'ours' ? 'LATER' : 'UNKNOWN';
}

/** Whether it ends something in the store. */
export const ends = (verb: IntentVerb): boolean => verb === 'REVOKE' || verb === 'DELETE';

/** Whether it makes a secret in the store, or brings one there. */
export const makes = (verb: IntentVerb): boolean => verb === 'CREATE' || verb === 'ROTATE';
