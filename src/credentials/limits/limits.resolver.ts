import { FieldResolver, Resolver, Root } from 'type-graphql';
import type { Row } from '../../database/columns.js';
import { duration } from '../../time.js';
import { Credential } from '../record/credential.js';
import { RateLimit, RemainingUses } from './limits.js';

/** What limits add to credentials. */
@Resolver(() => Credential)
export class CredentialLimitsResolver {
  @FieldResolver(() => RateLimit, {
    nullable: true,
    description:
      'How often it may be verified within a length of time; null if that is not limited. For a temporary credential it is null: its uses count for its parent.',
  })
  rateLimit(@Root() { limits }: Row<Credential>): RateLimit | null {
    if (!limits || limits.rateUses === null || limits.rateSeconds === null) return null;
    return { uses: limits.rateUses, window: duration(limits.rateSeconds * 1_000) };
  }

  @FieldResolver(() => RemainingUses, {
    nullable: true,
    description:
      'How often it can still be verified; null if that is not limited. For a temporary credential it is null: its uses count for its parent.',
  })
  remainingUses(@Root() { limits }: Row<Credential>): RemainingUses | null {
    if (!limits || limits.usesLeft === null) return null;
    const { usesLeft: count, refillAmount: amount, refillSeconds: seconds, refillAt: nextAt } = limits;
    if (amount === null || seconds === null || nextAt === null) return { count, refill: null };
    return { count, refill: { amount, every: duration(seconds * 1_000), nextAt } };
  }
}
