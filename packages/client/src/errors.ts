/** A code of Keyway's, as docs/errors.md lists them, or what kept its answer from coming. */
export type ErrorCode =
  | 'UNAUTHENTICATED'
  | 'NOT_FOUND'
  | 'FORBIDDEN'
  | 'BAD_REQUEST'
  | 'BAD_USER_INPUT'
  | 'CONFLICT'
  | 'LIMIT_EXCEEDED'
  | 'RATE_LIMITED'
  | 'UNSUPPORTED'
  | 'UNAVAILABLE'
  | 'STORE_REJECTED'
  | 'OUTCOME_UNKNOWN'
  | 'INTERNAL_SERVER_ERROR'
  | 'GRAPHQL_PARSE_FAILED'
  | 'GRAPHQL_VALIDATION_FAILED'
  | 'OPERATION_RESOLUTION_FAILURE'
  /** No connection, or one that broke. Whether Keyway has done what was asked is not known. */
  | 'UNREACHABLE'
  /** No answer within `timeoutMs`. Whether Keyway has done what was asked is not known. */
  | 'TIMEOUT'
  /** Something answered that is not Keyway, such as a proxy. */
  | 'UNREADABLE';

/** What is wrong with one member of what was sent. */
export interface FieldFault {
  /** Where, such as `input.name`. */
  path: string;
  message: string;
}

/** Why something was not answered. It never has a value that was sent. */
export class KeywayError extends Error {
  override readonly name = 'KeywayError';
  readonly code: ErrorCode;
  /** The status of HTTP; null where nothing answered. */
  readonly status: number | null;
  /** The id of the request, which Keyway's log has too; null where nothing answered. */
  readonly requestId: string | null;
  /** When the same may be tried again, in milliseconds from now; null where that is not known. */
  readonly retryAfterMs: number | null;
  /** What is wrong with the input, with BAD_USER_INPUT. */
  readonly fields: readonly FieldFault[];

  constructor(
    code: ErrorCode,
    message: string,
    about: Partial<Pick<KeywayError, 'status' | 'requestId' | 'retryAfterMs' | 'fields'>> = {},
  ) {
    super(message);
    this.code = code;
    this.status = about.status ?? null;
    this.requestId = about.requestId ?? null;
    this.retryAfterMs = about.retryAfterMs ?? null;
    this.fields = about.fields ?? [];
  }

  /** Where the first fault of the input is, such as `input.name`; null where there is none. */
  get field(): string | null {
    return this.fields[0]?.path ?? null;
  }
}
