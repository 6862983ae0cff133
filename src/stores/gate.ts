import {
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  fullJitterGenerator,
  handleWhen,
  isBrokenCircuitError,
  retry,
} from 'cockatiel';
import type { StoreAnswer, StoreRequest } from '../connectors/connector.js';
import { retryAfterMs } from '../connectors/retry-after.js';
import { StoreError } from '../connectors/store-error.js';
import type { Budget, Callable, Circuit, Gates } from '../access/context.js';
import { KeywayError, rateLimited } from '../errors.js';
import {
  failuresToOpen,
  largestAnswer,
  largestListing,
  longestQueueMs,
  mostCalls,
  mostQueued,
  mostTrials,
  restMs,
  slowestStoreMs,
} from '../config/limits.js';
import type { Log } from '../log.js';
import { AddressRefused, CertificateRefused, NotConnected, type Outbound } from '../outbound/outbound.js';
import { openQueue } from '../shares/queue.js';
import { Tries } from '../shares/tries.js';
import { noTelemetry, type CallResult, type Telemetry } from '../telemetry/telemetry.js';
import { requestOf } from './request.js';

/** The same, for those who watch over it. */
export interface WatchedGates extends Gates {
  /** The circuit of each store that was called by this process. */
  circuits(): Map<string, Circuit>;
  /** How many calls were sent to each store since this was asked last. */
  takeSpent(): Map<string, number>;
}

export const circuits = ['CLOSED', 'OPEN', 'HALF_OPEN'] as const satisfies readonly Circuit[];

const mostRetries = 2;
/** One retry for each ten calls (R24), and a few to begin with. */
const retryShare = 0.1;
const mostSaved = 5;
/** A store that asks to be left alone for longer than this is not waited for. */
const longestWaitMs = 1_500;

/** @param options `halfOpenAfterMs` is how long a circuit stays open before one call may try. */
export function openGates(
  outbound: Outbound,
  log: Log,
  {
    halfOpenAfterMs = restMs,
    telemetry = noTelemetry,
  }: { halfOpenAfterMs?: number; telemetry?: Telemetry } = {},
): WatchedGates {
  const gates = new Map<string, Gate>();
  const trials = new Tries(mostTrials, tooManyTrials);
  const gateOf = (id: string): Gate => {
    const known = gates.get(id);
    if (known) return known;
    const gate = new Gate(id, outbound, log, halfOpenAfterMs, telemetry);
    gates.set(id, gate);
    return gate;
  };
  return {
    call: (store, request, left) => gateOf(store.id).call(store, request, left),
    trial: (tenant, work) => trials.run(tenant, work),
    circuitOf: (id) => gates.get(id)?.circuit ?? 'CLOSED',
    circuits: () => new Map([...gates].map(([id, { circuit }]) => [id, circuit])),
    takeSpent: () => {
      const spent = new Map<string, number>();
      for (const [id, gate] of gates) {
        const count = gate.takeSpent();
        if (count > 0) spent.set(id, count);
      }
      return spent;
    },
    forget: (id) => void gates.delete(id),
  };
}

const tooManyTrials = (retryInMs: number) =>
  rateLimited(
    'storeTrials',
    'Too many connections to stores are tried at once, or were tried in vain: try again later.',
    retryInMs,
  );

/** A call that was kept back: trying it again at once would be of no use. */
class NotCalled extends StoreError {
  constructor(cause = 'not called: too many failures or calls', message?: string) {
    super('UPSTREAM_UNAVAILABLE', { sent: false, cause, ...(message !== undefined && { message }) });
  }
}

/** A call that Keyway does not make, to an address that is not public: the store was not asked. */
export class NotPublic extends NotCalled {
  /** @param at which of the store's addresses. */
  constructor(readonly at: string) {
    super('not called: the address is not public');
  }
}

class Gate {
  readonly #breaker;
  readonly #places = openQueue(mostCalls, mostQueued, () => new NotCalled());
  readonly #retry;
  #spent = 0;
  #saved = mostSaved;
  #windowEndsMs = 0;
  #inWindow = 0;
  #closedUntilMs = 0;

  constructor(
    readonly id: string,
    readonly outbound: Outbound,
    readonly log: Log,
    halfOpenAfter: number,
    readonly telemetry: Telemetry,
  ) {
    const failure = handleWhen(
      (error) => error instanceof StoreError && isDown(error) && !(error instanceof NotCalled),
    ).orWhenResult((answer) => (answer as StoreAnswer).status >= 500);
    this.#breaker = circuitBreaker(failure, {
      halfOpenAfter,
      breaker: new ConsecutiveBreaker(failuresToOpen),
    });
    this.#breaker.onStateChange((state) =>
      log.warn({ store: id, circuit: names[state] }, 'the circuit of a store changed'),
    );
    const passing = handleWhen(
      (error) =>
        error instanceof StoreError && isDown(error) && !(error instanceof NotCalled) && this.#mayRetry(),
    ).orWhenResult((answer) => isPassing(answer as StoreAnswer) && this.#mayRetry());
    this.#retry = retry(passing, {
      maxAttempts: mostRetries,
      backoff: new ExponentialBackoff({
        initialDelay: 200,
        maxDelay: longestWaitMs,
        generator: fullJitterGenerator,
      }),
    });
  }

  get circuit(): Circuit {
    return names[this.#breaker.state];
  }

  async call(store: Callable, request: StoreRequest, left?: AbortSignal): Promise<StoreAnswer> {
    const reads = isReading(request);
    const once = () => this.#once(store, request, reads ? left : undefined);
    this.#saved = Math.min(mostSaved, this.#saved + retryShare);
    const answer = reads ? await this.#retry.execute(once) : await once();
    if (answer.status === 429 || answer.status === 503) this.#leaveAlone(retryAfterMs(answer) ?? 0);
    return answer;
  }

  takeSpent(): number {
    const spent = this.#spent;
    this.#spent = 0;
    return spent;
  }

  async #once(store: Callable, request: StoreRequest, left?: AbortSignal): Promise<StoreAnswer> {
    this.#expectAllowed(store.budget, shareOf(request));
    const since = performance.now();
    try {
      return await this.#places(store.whose ?? ['jobs'], async () => {
        // Looked at once there is a place: a call that the queue itself gave up would not make room for the next.
        if (performance.now() - since > longestQueueMs || left?.aborted) throw new NotCalled();
        // The call that tries whether the store is back is not given up: nothing would be known by it.
        return this.#breaker.execute(() =>
          this.#send(store, request, this.circuit === 'CLOSED' ? left : undefined),
        );
      });
    } catch (error) {
      if (isBrokenCircuitError(error)) throw new NotCalled();
      throw error;
    }
  }

  async #send(store: Callable, request: StoreRequest, left?: AbortSignal): Promise<StoreAnswer> {
    // Asked again: others were sent while this one waited for its place.
    this.#expectAllowed(store.budget, shareOf(request));
    this.#spent++;
    this.#inWindow++;
    const { url, method, headers, body } = requestOf(store.addresses, request);
    const since = performance.now();
    const tell = (result: CallResult) =>
      this.telemetry.called({ vendor: store.kind, result, seconds: (performance.now() - since) / 1_000 });
    try {
      const answer = await this.telemetry.within(
        {
          name: `${store.kind} ${method}`,
          kind: 'client',
          attributes: { 'keyway.vendor': store.kind, 'http.request.method': method },
        },
        async (note) => {
          const given = await this.outbound.call(method, url, {
            headers,
            body,
            timeoutMs: slowestStoreMs,
            trusted: store.trusted,
            mostBytes: request.large ? largestListing : largestAnswer,
            signal: left,
          });
          note({ 'http.response.status_code': given.status });
          return given;
        },
      );
      const { status } = answer;
      tell(resultOf(status));
      if (status >= 400) this.log.info({ store: this.id, method, status }, 'a store refused or failed');
      return { status, headers: answer.headers, json: jsonOf(answer.body) };
    } catch (error) {
      // It says nothing of the store.
      if (left?.aborted) {
        tell('GIVEN_UP');
        throw new NotCalled('given up: the caller is gone');
      }
      const cause = error instanceof KeywayError ? error.cause : error;
      const sent = !(cause instanceof NotConnected);
      tell(sent ? 'NO_ANSWER' : 'NOT_CONNECTED');
      this.log.info({ store: this.id, method, sent, cause: nameOf(cause) }, 'a store did not answer');
      if (cause instanceof AddressRefused) throw new NotPublic(request.at ?? 'endpoint');
      if (cause instanceof CertificateRefused) throw new NotCalled(nameOf(cause), untrusted[cause.why]);
      throw new StoreError('UPSTREAM_UNAVAILABLE', { sent, cause: nameOf(cause) });
    }
  }

  /**
   * @param share how much of the budget a call of its kind may see spent
   * @throws StoreError RATE_LIMITED while the store asks to be left alone, and once that much is spent.
   */
  #expectAllowed(budget: Budget | undefined, share: number): void {
    const now = performance.now();
    if (budget && now >= this.#windowEndsMs) {
      this.#windowEndsMs = now + budget.windowMs;
      this.#inWindow = 0;
    }
    const openAt = Math.max(
      this.#closedUntilMs,
      budget && this.#inWindow >= Math.ceil(budget.limit * share) ? this.#windowEndsMs : 0,
    );
    if (openAt > now) throw new StoreError('RATE_LIMITED', { sent: false, retryAfterMs: openAt - now });
  }

  #leaveAlone(forMs: number): void {
    this.#closedUntilMs = Math.max(this.#closedUntilMs, performance.now() + forMs);
  }

  #mayRetry(): boolean {
    if (this.#saved < 1) return false;
    this.#saved--;
    return true;
  }
}

/** What callers are told of a certificate that does not hold. */
const untrusted: Record<CertificateRefused['why'], string> = {
  AUTHORITY:
    'The certificate of the store is not signed by an authority that Keyway trusts for it: give the right one with its connection (certificateAuthority).',
  NAME: 'The certificate of the store is for another host than its address names.',
  TIME: 'The certificate of the store, or of its authority, has expired or is not valid yet.',
};

const names: Record<CircuitState, Circuit> = {
  [CircuitState.Closed]: 'CLOSED',
  [CircuitState.Open]: 'OPEN',
  [CircuitState.HalfOpen]: 'HALF_OPEN',
  [CircuitState.Isolated]: 'OPEN',
};

const resultOf = (status: number): CallResult =>
  status < 400 ? 'OK' : status === 429 ? 'LIMITED' : status < 500 ? 'REFUSED' : 'FAILED';

const isDown = ({ fault }: StoreError): boolean => fault === 'UPSTREAM_UNAVAILABLE';

/** What a sync leaves for those who wait, and what reads leave for changes, with all that they need to read. */
const shareOf = ({ background, forChange, ...request }: StoreRequest): number =>
  background ? 0.65 : forChange || !isReading(request) ? 1 : 0.9;

const isReading = ({ reads, method }: StoreRequest): boolean => reads ?? method === 'GET';

/** What may be another by the next try: a proxy's failure, and «later» where later is now. */
const isPassing = (answer: StoreAnswer): boolean => {
  const waitMs = retryAfterMs(answer);
  if (answer.status === 429) return waitMs === 0;
  return [502, 503, 504].includes(answer.status) && (waitMs ?? 0) === 0;
};

const utf8 = new TextDecoder('utf-8', { fatal: true });

function jsonOf(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    // RFC 8259, section 8.1: in UTF-8. What is not would be read as other texts than were sent.
    return JSON.parse(utf8.decode(body)) as unknown;
  } catch {
    return undefined;
  }
}

/** The name of an error alone: its text may hold an address. */
const nameOf = (error: unknown): string => {
  const inner = error instanceof NotConnected ? error.cause : error;
  // Texts are Keyway's own.
  if (typeof inner === 'string') return inner;
  if (!(inner instanceof Error)) return 'unknown';
  const { code } = inner as { code?: unknown };
  return typeof code === 'string' ? code : inner.constructor.name;
};
