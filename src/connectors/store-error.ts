import { KeywayError, type Code } from '../errors.js';
import type { Admission } from './connector.js';

/** What a store's answer means, in words that hold for all vendors. */
export type StoreFault =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'IN_USE'
  | 'LIMIT_EXCEEDED'
  | 'INVALID_INPUT'
  | 'MFA_REJECTED'
  | 'RATE_LIMITED'
  | 'UPSTREAM_ERROR'
  | 'UPSTREAM_UNAVAILABLE';

/** What callers are told of it: a store that does not take Keyway's own credential is no concern of the caller's. */
const told: Record<StoreFault, [Code, string]> = {
  UNAUTHENTICATED: ['STORE_REJECTED', 'The store does not take the credential that Keyway has for it.'],
  FORBIDDEN: ['STORE_REJECTED', 'The store does not allow Keyway to do this.'],
  NOT_FOUND: ['NOT_FOUND', 'The store has no such thing.'],
  CONFLICT: ['CONFLICT', 'The store has one of that name already.'],
  IN_USE: ['CONFLICT', 'It is in use in its store.'],
  LIMIT_EXCEEDED: ['LIMIT_EXCEEDED', 'The store allows no more of them.'],
  INVALID_INPUT: ['STORE_REJECTED', 'The store refused the request as not valid.'],
  MFA_REJECTED: ['FORBIDDEN', 'The store did not take the code of its second factor.'],
  RATE_LIMITED: ['RATE_LIMITED', 'The store takes no more calls just now.'],
  UPSTREAM_ERROR: ['UNAVAILABLE', 'The store failed.'],
  UPSTREAM_UNAVAILABLE: ['UNAVAILABLE', 'The store cannot be reached just now.'],
};

export interface StoreErrorOptions {
  /** Words of ours, where there are better ones than the usual. */
  message?: string;
  /** Whether the request may have arrived. */
  sent?: boolean;
  /** How long the store asked to be left alone. */
  retryAfterMs?: number | undefined;
  /** For the log alone: never the store's text. */
  cause?: unknown;
  /** What the store said meanwhile of whom it is of. */
  admission?: Admission;
}

/** A store that refused, failed or did not answer. Nothing of what it said is in it. */
export class StoreError extends KeywayError {
  readonly sent: boolean;
  readonly retryAfterMs: number | undefined;
  readonly admission: Admission | undefined;

  constructor(
    readonly fault: StoreFault,
    { message, sent = true, retryAfterMs, cause, admission }: StoreErrorOptions = {},
  ) {
    const [code, words] = told[fault];
    super(code, message ?? words, { cause });
    this.sent = sent;
    this.retryAfterMs = retryAfterMs;
    this.admission = admission;
  }

  /** Whether the store may have done what was asked of it all the same. */
  get unclear(): boolean {
    return this.sent && (this.fault === 'UPSTREAM_ERROR' || this.fault === 'UPSTREAM_UNAVAILABLE');
  }
}

/** A secret that a store has made and that is none by its contract, so that it cannot be kept: it may work there. */
export class SpoiledSecret extends StoreError {
  constructor() {
    super('UPSTREAM_ERROR', {
      message:
        'The store made a secret that is none by its own contract, and it was not kept: it may work there. Rotate again, or end it at the store.',
      cause: 'a secret in the answer is not of the shape that the contract names',
    });
  }
}

/**
 * What a change needs to know before it is asked for. Where reading it fails, the store was not asked to change
 * anything, and the error says so.
 */
export async function beforehand<Thing>(read: () => Promise<Thing>): Promise<Thing> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof StoreError) || !error.sent) throw error;
    const { fault, message, retryAfterMs, cause, admission } = error;
    throw new StoreError(fault, {
      ...{ message, sent: false, retryAfterMs, cause },
      ...(admission && { admission }),
    });
  }
}
