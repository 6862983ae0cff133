import { unavailable } from '../../errors.js';
import type { JwtIssuer } from '../../config/jwt-issuers.js';
import type { Log } from '../../log.js';
import type { Outbound } from '../../outbound/outbound.js';
import { openAskedKeys } from './asked-keys.js';
import { openFileKeys } from './file-keys.js';
import { keyFor, type JwsHeader } from './jws.js';
import type { KeySource } from './key-source.js';
import { whyNoKeys, type NoKeys } from './why-no-keys.js';

const freshMs = 10 * 60_000;
const betweenMs = 30_000;
const longestMs = 60 * 60_000;

/** The keys of each issuer, by the issuer's name. Nothing is fetched before a token asks for it. */
export type KeySets = ReadonlyMap<string, KeySet>;

export const openKeySets = (issuers: readonly JwtIssuer[], outbound: Outbound, log: Log): KeySets =>
  new Map(issuers.map((issuer) => [issuer.issuer, new KeySet(issuer, openKeySource(issuer, outbound), log)]));

function openKeySource(issuer: JwtIssuer, outbound: Outbound): KeySource {
  const { keys } = issuer;
  if (keys === 'discovered') return openAskedKeys(issuer, undefined, outbound);
  if ('address' in keys) return openAskedKeys(issuer, keys.address, outbound);
  if ('file' in keys) return openFileKeys(keys.file);
  return { read: () => Promise.resolve(keys.inline) };
}

/**
 * The keys of one issuer, read from its configured source alone: kept for 10 minutes, or until their file changes, and
 * while they cannot be had for an hour. However many ask, they are read once at a time, and an issuer is asked at most
 * once in 30 s.
 */
export class KeySet {
  #keys: Record<string, unknown> | undefined;
  // By the steady clock: no step of the time of day may prolong how long a key is believed.
  #keptAtMs = -Infinity;
  #askedAtMs = -Infinity;
  #fetching: Promise<void> | undefined;
  /** What kept the keys from being had when they were asked for last. */
  #failure: { readonly error: unknown } | undefined;

  constructor(
    readonly issuer: JwtIssuer,
    private readonly source: KeySource,
    private readonly log: Log,
  ) {}

  /**
   * The keys to verify a token with this header by; where none of them fits, the issuer was asked lately. Waits for the
   * issuer for 3 s at most.
   * @throws UNAVAILABLE where there were never any, or none within the last hour.
   */
  async keysFor(header: JwsHeader): Promise<unknown> {
    const changed = (await this.source.changed?.()) ?? false;
    const fits =
      !changed && this.#ageMs() < freshMs && keyFor(header, this.#keys, this.issuer.algorithms) !== undefined;
    if (!fits) await this.#refresh(changed);
    if (this.#ageMs() >= longestMs) throw unavailable('the keys of the issuer cannot be had');
    return this.#keys;
  }

  /** Whether its keys could not be had when they were asked for last. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Fetches the keys, whoever asks for them. @returns why they cannot be had; undefined where they are there */
  async whyNone(): Promise<NoKeys | undefined> {
    await this.#refresh(false);
    return this.#failure && whyNoKeys(this.#failure.error);
  }

  #ageMs(): number {
    return performance.now() - this.#keptAtMs;
  }

  #refresh(atOnce: boolean): Promise<void> {
    if (this.#fetching) return this.#fetching;
    const nowMs = performance.now();
    // A fetch that failed counts too: an issuer that is down is left alone, and so are those who wait for it.
    if (!atOnce && nowMs - this.#askedAtMs < betweenMs) return Promise.resolve();
    this.#askedAtMs = nowMs;
    this.#fetching = this.#fetch().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    const askedAtMs = this.#askedAtMs;
    try {
      const keys = await this.source.read();
      if (!Array.isArray(keys.keys)) throw unavailable('the issuer answers without a list of keys');
      this.#keys = keys;
      this.#keptAtMs = askedAtMs;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = { error };
      this.log.warn({ error, issuer: this.issuer.issuer }, 'the keys of an issuer could not be fetched');
    }
  }
}
