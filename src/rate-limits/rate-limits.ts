import type { RequestContext } from '../access/context.js';
import { leastReserve } from '../config/limits.js';
import { neighbourhoodOf } from '../config/ranges.js';
import type { RateLimitSettings } from '../config/rate-limits.js';
import { CallerAllowance, type Charged } from './caller-allowance.js';
import { WatchedLedger, type Ledger } from './ledger.js';
import { Quota, type During, type QuotaStanding } from './quota.js';
import { spent, type LimitName } from './refusal.js';

/**
 * The limits of a minute. Of an account: what all that call as it may spend. Of a proof, which is a credential or a user of
 * an issuer: what it may be refused, and what it may spend on revoking besides. Of an address: how many proofs that are none
 * may come from it; and of one that a service tells, how often what was presented there may be told that it is not valid.
 */
export class RateLimits {
  readonly #ledger: WatchedLedger;
  readonly #quotas: Readonly<Record<LimitName, Quota>>;

  constructor(
    { points, failures }: RateLimitSettings,
    ledger: Ledger,
    log: RequestContext['log'],
    private readonly telemetry: Pick<RequestContext['telemetry'], 'refused'>,
  ) {
    this.#ledger = new WatchedLedger(ledger, log);
    const quota = (name: LimitName, limit: number) => new Quota(name, limit, this.#ledger);
    this.#quotas = {
      points: quota('points', points),
      revoking: quota('revoking', Math.max(leastReserve, Math.floor(points / 10))),
      failures: quota('failures', failures),
      strangers: quota('strangers', failures),
      guesses: quota('guesses', failures),
    };
  }

  /** What a caller may still do, for one request. @param during has the time counted for which it waits */
  of(caller: Charged, during: During): CallerAllowance {
    return new CallerAllowance(this.#quotas, caller, () => this.telemetry.refused('guesses'), during);
  }

  /**
   * Counts a proof that was none, from an address. Only such are refused: who has one that is good comes in from every
   * address.
   * @param during has the time counted for which it waits: where none is left, it is not counted
   * @throws RATE_LIMITED where there were too many
   */
  async countStranger(address: string | undefined, during: During): Promise<void> {
    const { strangers } = this.#quotas;
    const from = placeOf(address);
    if (await strangers.spend(from, 1, during).catch(() => true)) return;
    throw spent('strangers', strangers.standing(from), 1);
  }

  /** How proofs that are none stand, from an address; undefined where there is no limit. */
  standingOfStranger(address: string | undefined): QuotaStanding | undefined {
    const { strangers } = this.#quotas;
    return strangers.limit === 0 ? undefined : strangers.standing(placeOf(address));
  }

  /** Whether it is counted over all processes: whether the ledger answered when it was last asked. */
  get isShared(): boolean {
    return this.#ledger.isReachable;
  }

  close(): Promise<void> {
    return this.#ledger.close();
  }
}

const placeOf = (address: string | undefined): string => neighbourhoodOf(address) ?? 'unknown';
