/** How a request came out, as far as that is known before its answer is sent. */
export interface Outcome {
  /** What its operation does; undefined where there was none. */
  kind?: 'query' | 'mutation' | undefined;
  /** The code of its first error. */
  code?: string | undefined;
  /** Which limit was passed, where it was refused for one. */
  limit?: string | undefined;
}

/** A request that was answered. */
export interface AnsweredRequest extends Outcome {
  /** The route as it is declared; undefined for an address where there is nothing. */
  readonly route: string | undefined;
  readonly status: number;
  readonly seconds: number;
}

/** What came of one call to an outside store. */
export type CallResult = 'OK' | 'REFUSED' | 'LIMITED' | 'FAILED' | 'NO_ANSWER' | 'NOT_CONNECTED' | 'GIVEN_UP';

/** One call to an outside store that was made: retries are calls of their own. */
export interface StoreCall {
  /** The kind of the store, in capital letters. */
  readonly vendor: string;
  readonly result: CallResult;
  readonly seconds: number;
}

/** Something that takes time while a request is answered. */
export interface Step {
  /** In words of Keyway's own. */
  readonly name: string;
  /** `client` where something outside of this process is asked. */
  readonly kind?: 'internal' | 'client';
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** Tells more of a step, once it is known. */
export type Note = (attributes: Readonly<Record<string, string | number>>) => void;

/** A request that is traced. */
export interface RequestSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Does what belongs to the request. */
  run<Result>(work: () => Result): Result;
  end(request: AnsweredRequest & { readonly method: string }): void;
}

/**
 * Hears of what Keyway does, at once. Nothing that it is told is a text that a caller or a store has written: words of
 * Keyway's own, and few of them (S63).
 */
export interface Telemetry {
  answered(request: AnsweredRequest): void;
  /** What was refused before there was a request. */
  refused(limit: string): void;
  /** What a credential that was presented came to, by its code. */
  verified(code: string): void;
  called(call: StoreCall): void;
  jobEnded(job: string, hasFailed: boolean): void;
  /**
   * Begins a request.
   * @param caller the header `traceparent` of whoever is believed to say which trace it belongs to
   * @returns undefined where it is not traced
   */
  readonly begin: (caller: string | undefined) => RequestSpan | undefined;
  /** Does a step of the request that is under way. */
  readonly within: <Result>(step: Step, work: (note: Note) => Promise<Result>) => Promise<Result>;
}

const nothing = () => undefined;

/** Where nobody listens. */
export const noTelemetry: Telemetry = {
  answered: nothing,
  refused: nothing,
  verified: nothing,
  called: nothing,
  jobEnded: nothing,
  begin: nothing,
  within: (_, work) => work(nothing),
};
