import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FieldFault } from '../../errors.js';
import { Secret } from '../../secret.js';
import { CommandFailure, exitCodes } from '../failure.js';
import type { Fields } from '../terminal/texts.js';

/** A Keyway that is called. */
export interface Reached {
  readonly url: string;
  readonly token: Secret | undefined;
}

/** What the graph answered; with a failure, where a part of it could not be answered. */
export interface GraphAnswer {
  readonly data: Fields;
  readonly failure: CommandFailure | undefined;
}

const mostTries = 4;
const firstPauseMs = 200;
/** A server that asks for more patience than this is left alone, and the person is told. */
const longestPauseMs = 60_000;
/** A sync answers after 10 s at most, and a store has 12 s for a change. */
const timeoutMs = 60_000;

/**
 * Asks the graph. What is safe to repeat is repeated where the connection broke: a query, and a mutation by its
 * idempotency key, which stays the same. Where the server says that it did nothing and when to come back, all is.
 * @throws CommandFailure with the first error of the graph where it did not answer, UNAVAILABLE where nobody did
 */
export async function askGraph(
  at: Reached,
  document: string,
  variables: Fields,
  onWait: (waitMs: number) => void = () => {},
): Promise<GraphAnswer> {
  const body = bodyOf(document, variables);
  const key = keyOf(variables);
  const isRepeatable = !/^\s*mutation\b/.test(document) || key !== undefined;
  for (let tries = 1; ; tries++) {
    const outcome = await once(at, body);
    if (outcome.answer) return read(outcome.answer, key);
    const waitMs = outcome.retryInMs ?? firstPauseMs * 2 ** (tries - 1) + randomInt(firstPauseMs);
    const mayRepeat = outcome.retryInMs !== undefined || isRepeatable;
    if (tries === mostTries || !mayRepeat || waitMs > longestPauseMs) throw outcome.failure(key);
    onWait(waitMs);
    await sleep(waitMs);
  }
}

/** The body of a request, and with it the one place where secrets leave for the server. */
const bodyOf = (document: string, variables: Fields): string =>
  JSON.stringify({ query: document, variables }, function (this: Fields, name, value: unknown) {
    const held = this[name];
    return held instanceof Secret ? held.expose() : value;
  });

function keyOf({ input }: Fields): string | undefined {
  const key = (input as Fields | undefined)?.['idempotencyKey'];
  return typeof key === 'string' ? key : undefined;
}

type Failing = (key: string | undefined) => CommandFailure;
type Outcome =
  | { readonly answer: Answered }
  | { readonly answer?: undefined; readonly retryInMs?: number | undefined; readonly failure: Failing };

interface Answered {
  readonly data?: Fields | null;
  readonly errors?: readonly GraphError[];
}

interface GraphError {
  readonly message: string;
  readonly extensions?: {
    readonly code?: string;
    readonly id?: string;
    readonly fields?: readonly FieldFault[];
  };
}

async function once({ url, token }: Reached, body: string): Promise<Outcome> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(token && { authorization: `Bearer ${token.expose()}` }),
      },
      body,
      // A token is for the address that it was given with, and for no other.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    text = await response.text();
  } catch (error) {
    return { failure: (key) => unreachable(error, key) };
  }
  const answer = parsed(text);
  if (!answer) return { failure: (key) => unanswered(response.status, key) };
  const retryAfter = response.headers.get('retry-after');
  const isLater = (response.status === 503 || response.status === 429) && !hasData(answer);
  if (isLater && retryAfter !== null && /^\d{1,9}$/.test(retryAfter))
    return { retryInMs: Number(retryAfter) * 1_000, failure: () => failureIn(answer.errors) };
  return { answer };
}

const hasData = ({ data }: Answered) =>
  data !== null && data !== undefined && Object.values(data).some((field) => field !== null);

/** What comes in as a secret is one from here on. */
function parsed(text: string): Answered | undefined {
  try {
    const answer: unknown = JSON.parse(text, (name, value: unknown) =>
      typeof value === 'string' && secretNames.has(name) ? Secret.of(value) : value,
    );
    return typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer)
      ? (answer as Answered)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The fields of `IssuedSecret` and `KeyValue` that hold one. */
const secretNames = new Set(['secret', 'value', 'exports']);

function read(answer: Answered, key: string | undefined): GraphAnswer {
  const { data, errors = [] } = answer;
  const isMade = hasData(answer);
  const failure = errors.length > 0 ? failureIn(errors, key, isMade) : undefined;
  if (failure && !isMade) throw failure;
  return { data: data ?? {}, failure };
}

/** @param isMade whether only a part of the answer is missing, to what was done */
function failureIn(errors: readonly GraphError[] = [], key?: string, isMade = false): CommandFailure {
  const [{ message, extensions: { code = 'UNKNOWN', id, fields } = {} } = { message: 'No answer.' }] = errors;
  return new CommandFailure(code, message, {
    ...(fields && { fields }),
    ...(id !== undefined && { request: id }),
    ...((isMade || code === 'OUTCOME_UNKNOWN') && key !== undefined && { advice: repeatBy(key) }),
  });
}

/** What stands in front of a Keyway may have lost the answer of one that did what it was asked. */
const unanswered = (status: number, key: string | undefined): CommandFailure =>
  new CommandFailure('UNAVAILABLE', `No Keyway answers at this address (HTTP ${status}).`, {
    ...(status >= 500 && key !== undefined && { advice: repeatBy(key) }),
  });

function unreachable(error: unknown, key: string | undefined): CommandFailure {
  const { cause = error } = error as { cause?: unknown };
  const { code, name } = cause as { code?: unknown; name?: unknown };
  const reason =
    typeof code === 'string' ? code : name === 'TimeoutError' ? 'no answer in time' : 'connection lost';
  return new CommandFailure('UNAVAILABLE', `The Keyway cannot be reached (${reason}).`, {
    exitCode: exitCodes.unavailable,
    advice: key === undefined ? 'See that the address is right and that the server runs.' : repeatBy(key),
  });
}

const repeatBy = (key: string) =>
  `It may have been done: repeat the command with --idempotency-key ${key}, which does nothing twice.`;
