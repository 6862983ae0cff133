import type { Allowance, RequestContext } from '../access/context.js';
import { neighbourhoodOf } from '../config/ranges.js';
import type { KeywayError } from '../errors.js';
import type { During, Quota, QuotaStanding } from './quota.js';
import { spent, tooDear, type LimitName } from './refusal.js';

/** Who calls, as far as limits go. */
export type Charged = Pick<
  RequestContext['principal'],
  'accountId' | 'credentialId' | 'parentId' | 'identity'
>;

/** What a caller may still do in this minute, for one request: that is charged once, however often it is weighed. */
export class CallerAllowance implements Allowance {
  readonly #account: string;
  readonly #proof: string;
  #charged = 0;
  #refusal: { error: KeywayError; standing: QuotaStanding } | undefined;

  /**
   * @param onGuesses is told of a verification that was not made: for each other limit there is an error
   * @param during has the time counted for which the request waits for what it spends
   */
  constructor(
    private readonly quotas: Readonly<Record<LimitName, Quota>>,
    { accountId, credentialId, parentId, identity }: Charged,
    private readonly onGuesses: () => void,
    private readonly during: During,
  ) {
    this.#account = accountId;
    // Whoever derives credentials from one has no more of a limit by it.
    this.#proof = parentId ?? credentialId ?? JSON.stringify([identity?.issuer, identity?.subject]);
  }

  get charged(): number {
    return this.#charged;
  }

  get isCharged(): boolean {
    return this.#charged > 0 || this.#refusal !== undefined;
  }

  get standing(): QuotaStanding | undefined {
    if (this.#refusal) return this.#refusal.standing;
    const { points } = this.quotas;
    return points.limit === 0 ? undefined : points.standing(this.#account);
  }

  async charge(points: number, revokes = false): Promise<void> {
    if (this.#refusal) throw this.#refusal.error;
    const more = points - this.#charged;
    if (more <= 0) return;
    const { limit } = this.quotas.points;
    const hasReserve = revokes && points <= this.quotas.revoking.limit;
    if (limit > 0 && points > limit && !hasReserve) throw tooDear(limit, points);
    const over = await this.#spend(more);
    const refusing = over && hasReserve ? await this.#spendOnRevoking(more) : over;
    if (refusing) throw this.#refuse(refusing, points);
    this.#charged = points;
  }

  async countFailures(count: number): Promise<void> {
    await this.#spendUpTo('failures', this.#proof, count);
  }

  mayVerify(ip: string): boolean {
    const isSpent = this.quotas.guesses.isSpent(this.#guesser(ip));
    if (isSpent) this.onGuesses();
    return !isSpent;
  }

  async countGuesses(ip: string, count: number): Promise<void> {
    await this.#spendUpTo('guesses', this.#guesser(ip), count);
  }

  #guesser(ip: string): string {
    return JSON.stringify([this.#proof, neighbourhoodOf(ip) ?? ip]);
  }

  /** Spends as many as there are. What has been answered already is not taken back, where there is no time left for it. */
  async #spendUpTo(limit: 'failures' | 'guesses', who: string, count: number): Promise<void> {
    const spendOne = () => this.quotas[limit].spend(who, 1, this.during).catch(() => false);
    for (let left = count; left > 0 && (await spendOne()); left--);
  }

  /** @returns the limit that does not allow it. */
  async #spend(points: number): Promise<LimitName | undefined> {
    if (this.quotas.failures.isSpent(this.#proof)) return 'failures';
    return (await this.quotas.points.spend(this.#account, points, this.during)) ? undefined : 'points';
  }

  async #spendOnRevoking(points: number): Promise<LimitName | undefined> {
    return (await this.quotas.revoking.spend(this.#proof, points, this.during)) ? undefined : 'revoking';
  }

  #refuse(limit: LimitName, points: number): KeywayError {
    const quota = this.quotas[limit];
    const standing = quota.standing(limit === 'points' ? this.#account : this.#proof);
    this.#refusal = { standing, error: spent(limit, standing, points) };
    return this.#refusal.error;
  }
}
