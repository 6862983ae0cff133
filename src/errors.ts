import type { NodeType } from './ids.js';

/** What went wrong, for callers: each code says whose move it is. `INTERNAL_SERVER_ERROR` is Apollo Server's own name. */
export const codes = {
  UNAUTHENTICATED: 'No valid token was presented.',
  NOT_FOUND: 'There is no such thing, or you may not see it.',
  FORBIDDEN: 'This is not allowed.',
  BAD_REQUEST: 'The HTTP request is not one that can be answered here.',
  BAD_USER_INPUT: 'The input is not valid.',
  CONFLICT:
    'Another change prevents this one: read again what it is about, and repeat it if you still want it.',
  LIMIT_EXCEEDED: 'The request asks for too much at once.',
  RATE_LIMITED: 'Too many requests lately.',
  UNSUPPORTED: 'This cannot be done here.',
  UNAVAILABLE: 'A part cannot be reached just now; nothing was changed.',
  STORE_REJECTED: 'The store refused the request.',
  OUTCOME_UNKNOWN: 'The request was sent and no clear answer came back.',
  INTERNAL_SERVER_ERROR: 'Something went wrong inside; the log tells more under this id.',
} as const;

export type Code = keyof typeof codes;

/** One field of the input that was not right. The message never holds the submitted value. */
export interface FieldFault {
  path: string;
  message: string;
}

/**
 * The one class of errors that callers see. `message` comes from us alone and never holds a submitted value or a
 * secret; `cause` is for the log.
 */
export class KeywayError extends Error {
  readonly code: Code;
  readonly fields: readonly FieldFault[];
  /** What a refusal was about, for the audit alone. */
  readonly about: { type: NodeType; id: string } | undefined;
  /** Whether the audit has it, or will have: what an intent comes to is recorded when it is settled. */
  readonly recorded: boolean;
  /** When the same request may be taken, where that is known. */
  readonly retryInMs: number | undefined;
  /** The name of the limit that was passed, for who watches over Keyway. */
  readonly limit: string | undefined;

  constructor(
    code: Code,
    message?: string,
    options: {
      fields?: FieldFault[];
      cause?: unknown;
      about?: { type: NodeType; id: string } | undefined;
      recorded?: boolean;
      retryInMs?: number;
      limit?: string;
    } = {},
  ) {
    const said = message ?? sentenceOf(code, options.fields ?? []);
    const kept = options.cause === undefined ? undefined : { cause: options.cause };
    const { stackTraceLimit } = Error;
    // One answer may have a thousand of these, and writing their stacks would take most of its time. Nobody reads where an
    // answer was thrown; what is wrong inside keeps its stack, as does every cause.
    if (code !== 'INTERNAL_SERVER_ERROR') Error.stackTraceLimit = 0;
    super(said, kept);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'KeywayError';
    // Node would make up even an empty one anew, for each that reads it, as graphql-js does.
    if (code !== 'INTERNAL_SERVER_ERROR') this.stack = `KeywayError: ${said}`;
    this.code = code;
    this.fields = options.fields ?? [];
    this.about = options.about;
    this.recorded = options.recorded ?? false;
    this.retryInMs = options.retryInMs;
    this.limit = options.limit;
  }
}

/** What is said of a code where nothing else is: of invalid input, its first fault, since many clients show no more. */
export function sentenceOf(code: Code, fields: readonly FieldFault[] = []): string {
  const [first, ...others] = fields;
  if (code !== 'BAD_USER_INPUT' || !first) return codes[code];
  const end = /[.?]$/.test(first.message) ? '' : '.';
  const more = others.length === 0 ? '' : ` ${others.length} more in fields.`;
  return `${first.path || 'input'}: ${first.message}${end}${more}`;
}

/** A fault in one field of the input. */
export const badInput = (path: string, message: string): KeywayError =>
  new KeywayError('BAD_USER_INPUT', undefined, { fields: [{ path, message }] });

/** Absent, or hidden from the caller: one answer for both. */
export const notFound = (): KeywayError => new KeywayError('NOT_FOUND');

/** @param field the member of the input that would make it allowed, where there is one */
export const forbidden = (message?: string, field?: FieldFault): KeywayError =>
  new KeywayError('FORBIDDEN', message, field && { fields: [field] });

export const conflict = (message?: string): KeywayError => new KeywayError('CONFLICT', message);

/** @param limit its name, as in docs/metrics.md */
export const rateLimited = (limit: string, message: string, retryInMs?: number): KeywayError =>
  new KeywayError('RATE_LIMITED', message, { limit, ...(retryInMs !== undefined && { retryInMs }) });

export const unsupported = (message?: string): KeywayError => new KeywayError('UNSUPPORTED', message);

export const unavailable = (cause?: unknown): KeywayError =>
  new KeywayError('UNAVAILABLE', codes.UNAVAILABLE, { cause });

/** There is no place for one more request. Whoever is told so is told when to come back, and not all at the same time. */
export const overloaded = (): KeywayError =>
  new KeywayError(
    'UNAVAILABLE',
    'As many requests are under way as can be answered in time; nothing was changed. Send it again after the seconds of Retry-After.',
    { limit: 'requests', retryInMs: 1_000 + Math.floor(Math.random() * 3_000) },
  );

/** The database cannot be had. What was asked of it has changed nothing; what was asked before may have. */
export class DatabaseUnavailable extends KeywayError {
  constructor(cause: unknown) {
    super('UNAVAILABLE', codes.UNAVAILABLE, { cause });
  }
}

/**
 * UNAVAILABLE in these words, where its own, that nothing was changed, would be untrue. Any other error stays as it is.
 */
export const thoughChanged = (error: unknown, words: string): unknown =>
  error instanceof KeywayError && error.message === codes.UNAVAILABLE
    ? new KeywayError('UNAVAILABLE', words, { cause: error })
    : error;

/** The same where what came before it in the request has changed something. */
export const afterOthers = (error: unknown): unknown =>
  thoughChanged(
    error,
    'A part cannot be reached just now; this was not done, but something before it in the request was.',
  );

/** A change of which nobody can tell just now whether it was made: the database was lost over its COMMIT. */
export const outcomeUnknown = (cause: unknown): KeywayError =>
  new KeywayError(
    'OUTCOME_UNKNOWN',
    'The database was lost before it told whether the change was made. Look, or repeat the request with its idempotency key.',
    { cause },
  );

/** A change that was made, or is on record and will be, and whose answer was lost with the database. */
export const answerLost = (cause: unknown): KeywayError =>
  new KeywayError(
    'OUTCOME_UNKNOWN',
    'The database was lost after the change was on record, before the answer was complete. Look, or repeat the request with its idempotency key.',
    { cause },
  );
