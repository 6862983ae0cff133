import { KeywayError, type ErrorCode, type FieldFault } from './errors.js';
import { Secret } from './secret.js';
import { signatureHeaders, type SigningKey } from './sign.js';

/** What of `fetch` is used. */
export type Fetch = (
  url: string,
  init: {
    method: 'POST';
    headers: Record<string, string>;
    body: string;
    redirect: 'error';
    signal: never;
  },
) => Promise<{
  status: number;
  headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;

export interface TransportOptions {
  /** Where Keyway is, with the path that it is below: `https://keyway.example.com`. */
  url: string;
  /** A token, or what gets one for each request. Give this or `key`. */
  token?: string | (() => string | Promise<string>);
  /** An access key that requests are signed with: its secret never leaves this process. Give this or `token`. */
  key?: SigningKey;
  /** How long an answer may take, in milliseconds: 10,000 if left out. */
  timeoutMs?: number;
  /** How often a request is sent again that came to nothing: 2 if left out, none with 0. */
  retries?: number;
  /** The longest wait before that, in milliseconds: 5,000 if left out. Where Keyway wants a longer one, the error says so. */
  longestWaitMs?: number;
  /** Lets requests go unencrypted to other machines: a token can then be read on the way. False if left out. */
  allowHttp?: boolean;
  /** Ends what is asked, and the waits before it is asked again: the call throws the reason of the signal. */
  signal?: Signal;
  /** What sends requests: `fetch`, if left out, which keeps its connections open for the next ones. */
  fetch?: Fetch;
}

/** What of an `AbortSignal` is used. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** What came of a request that was answered: the body, read as JSON, and what the headers tell. */
export interface Answered {
  status: number;
  body: unknown;
  requestId: string | null;
  retryAfterMs: number | null;
}

/** How a request may be repeated: whatever became of it, or only where Keyway says that it has done nothing. */
export type Repeat = 'always' | 'if refused' | 'if limited';

/** Sends requests and gets their answers. */
export interface Transport {
  /** @throws KeywayError where there is no answer, or it has another status than 200; TypeError where a Secret is given for a text */
  post(path: string, body: object, repeat: Repeat): Promise<Answered>;
}

/** @throws TypeError where the options cannot mean anything. */
export function openTransport(options: TransportOptions): Transport {
  if (!URL.canParse(options.url)) throw new TypeError('url must be the address of Keyway');
  const base = new URL(options.url.endsWith('/') ? options.url : `${options.url}/`);
  const { retries = 2, longestWaitMs = 5_000 } = options;
  if ((options.token === undefined) === (options.key === undefined))
    throw new TypeError('give either token or key');
  if (options.key && typeof options.key.secret !== 'string') throw new TypeError(`key.secret ${asText}`);
  if (base.protocol !== 'https:' && !(base.protocol === 'http:' && (options.allowHttp || isLocal(base))))
    throw new TypeError('url must begin with https:');
  return {
    async post(path, body, repeat) {
      const url = new URL(path, base);
      const text = JSON.stringify(body, exposed);
      for (let tried = 0; ; tried++) {
        try {
          return expectGood(await send(url, text, options));
        } catch (error) {
          const wait = error instanceof KeywayError ? waitBefore(error, repeat, tried) : undefined;
          if (wait === undefined || tried >= retries || wait > longestWaitMs) throw error;
          await pause(wait, options.signal);
        }
      }
    },
  };
}

/** Lets nothing but texts through: a Secret would write of itself that it is hidden, and that would be taken for the secret. */
function exposed(this: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  if (this[name] instanceof Secret) throw new TypeError(`${name} ${asText}`);
  return value;
}

const asText = 'must be a text: of a Secret, what expose() returns';

/** Waits for so long, or until the signal ends it: the next try then finds out. */
function pause(ms: number, signal: Signal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}

const isLocal = ({ hostname }: URL) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

/** @returns how long to wait before a request is sent again, in milliseconds; undefined where it may not be. */
function waitBefore({ code, status, retryAfterMs }: KeywayError, repeat: Repeat, tried: number) {
  const isRefused = status === 503 || status === 429;
  const isBroken = code === 'UNREACHABLE' || code === 'TIMEOUT';
  const mayRepeat = {
    always: isRefused || isBroken,
    'if refused': isRefused,
    'if limited': status === 429,
  }[repeat];
  // Not all at once, where many were refused at once.
  return mayRepeat ? (retryAfterMs ?? 100 * 2 ** tried * (0.5 + Math.random())) : undefined;
}

async function send(url: URL, body: string, options: TransportOptions): Promise<Answered> {
  const { timeoutMs = 10_000, fetch: send = fetch } = options;
  const contentType = 'application/json';
  const proof = options.key
    ? await signatureHeaders({ method: 'POST', url, contentType, body }, options.key)
    : { authorization: `Bearer ${await tokenOf(options)}` };
  const { signal: ended } = options;
  if (ended?.aborted) throw ended.reason;
  const late = AbortSignal.timeout(timeoutMs);
  const signal = ended ? AbortSignal.any([late, ended as AbortSignal]) : late;
  try {
    const answer = await send(url.href, {
      method: 'POST',
      headers: { 'content-type': contentType, accept: contentType, ...proof },
      body,
      // What proves who is calling is for this address alone.
      redirect: 'error',
      signal: signal as never,
    });
    const text = await answer.text();
    const retryAfter = Number(answer.headers.get('retry-after') ?? NaN);
    return {
      status: answer.status,
      body: jsonOf(text),
      requestId: answer.headers.get('x-request-id'),
      retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1_000 : null,
    };
  } catch {
    // Its own words may have the address, and what else was sent.
    if (ended?.aborted) throw ended.reason;
    if (late.aborted) throw new KeywayError('TIMEOUT', `No answer came within ${timeoutMs} ms.`);
    throw new KeywayError('UNREACHABLE', 'Keyway cannot be reached, or the connection to it broke.');
  }
}

async function tokenOf({ token }: TransportOptions): Promise<string> {
  const own = String(typeof token === 'function' ? await token() : token).trim();
  // No header takes it, and what fetch says of that has the token in it.
  if (!/^[\x21-\x7e]+$/.test(own))
    throw new TypeError('The token is empty, or has characters that no token has.');
  return own;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function expectGood(answered: Answered): Answered {
  if (answered.status !== 200) throw errorOf(answered);
  if (typeof answered.body !== 'object' || answered.body === null) throw unreadable(answered);
  return answered;
}

/** The error that an answer tells of, by its first. */
export function errorOf(answered: Answered): KeywayError {
  const { status, body, requestId, retryAfterMs } = answered;
  const [first] = (body as { errors?: ToldError[] } | null | undefined)?.errors ?? [];
  if (!first?.extensions?.code) return unreadable(answered);
  const { code, id, fields } = first.extensions;
  return new KeywayError(code, first.message, {
    status,
    requestId: id ?? requestId,
    retryAfterMs,
    fields: fields ?? [],
  });
}

interface ToldError {
  message: string;
  extensions?: { code: ErrorCode; id?: string; fields?: FieldFault[] };
}

const unreadable = ({ status, requestId, retryAfterMs }: Answered) =>
  new KeywayError('UNREADABLE', `Something that is not Keyway answered, with the status ${status}.`, {
    status,
    requestId,
    retryAfterMs,
  });
