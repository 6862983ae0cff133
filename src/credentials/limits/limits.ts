import { Field, Int, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { DateTime, Duration } from '../../inputs/scalars.js';

/** How often a credential may be verified, and how often it was. Apart from it, because this changes with every use. */
@Entity('credential_limits')
export class CredentialLimits {
  @PrimaryColumn('uuid', { name: 'credential_id' })
  credentialId: string;

  /** At most so many uses within `rateSeconds`; both are null without such a limit. */
  @Column('integer', { name: 'rate_uses', nullable: true })
  rateUses: number | null;

  @Column('integer', { name: 'rate_seconds', nullable: true })
  rateSeconds: number | null;

  /** The uses in each tenth of that time, oldest first: ten, and the one that is under way. */
  @Column('integer', { array: true, default: () => 'array_fill(0, ARRAY[11])' })
  slots: number[];

  /** The number of the last tenth, counted from 1970. */
  @Column('bigint', { default: 0 })
  slot: string;

  /** As of the last use; null for any number. */
  @Column('integer', { name: 'uses_left', nullable: true })
  usesLeft: number | null;

  /** What they are filled up to, every `refillSeconds`; all three are null where they are not. */
  @Column('integer', { name: 'refill_amount', nullable: true })
  refillAmount: number | null;

  @Column('integer', { name: 'refill_seconds', nullable: true })
  refillSeconds: number | null;

  /** When that is next, as of the last use. */
  @Column('timestamptz', { name: 'refill_at', nullable: true })
  refillAt: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'How often a credential may be verified within a length of time.',
})
export class RateLimit {
  @Field(() => Int, {
    description: 'How many uses are allowed within `window`, whenever that is taken to begin.',
  })
  uses: number;

  @Field(() => Duration, { description: 'The length of time, as an ISO 8601 duration.' })
  window: string;
}

@ObjectType({
  simpleResolvers: true,
  description: 'How the remaining uses of a credential are filled up again.',
})
export class Refill {
  @Field(() => Int, {
    description: 'How many uses remain after it. If more are left, those stay, and none are added.',
  })
  amount: number;

  @Field(() => Duration, { description: 'The time from one refill to the next, as an ISO 8601 duration.' })
  every: string;

  @Field(() => DateTime, { description: 'When the next refill is, in UTC.' })
  nextAt: string;
}

@ObjectType({ simpleResolvers: true, description: 'How often a credential can still be verified.' })
export class RemainingUses {
  @Field(() => Int, { description: 'How many uses remain at the time of this answer.' })
  count: number;

  @Field(() => Refill, {
    nullable: true,
    description: 'How they are filled up again; null if they are not.',
  })
  refill: Refill | null;
}

/** What is read of the limits of a credential, as they are at that moment. */
export interface LimitsNow {
  rateUses: number | null;
  rateSeconds: number | null;
  usesLeft: number | null;
  refillAmount: number | null;
  refillSeconds: number | null;
  refillAt: string | null;
}

/** SQL for the uses that remain by limits `l` at a time: a refill needs nobody to do it. */
export const usesLeftAt = (time: string): string =>
  `CASE WHEN l.refill_at <= ${time} THEN greatest(l.uses_left, l.refill_amount) ELSE l.uses_left END`;

/** SQL for when the next refill by limits `l` is, seen from a time: whole intervals after the first. */
export const refillAfter = (time: string): string =>
  `CASE WHEN l.refill_at <= ${time} THEN l.refill_at + interval '1 second' * l.refill_seconds
    * (floor(extract(epoch FROM ${time} - l.refill_at) / l.refill_seconds) + 1) ELSE l.refill_at END`;

/** SQL for `LimitsNow` of a credential `c`, as JSON; null without limits. */
export const limitsNow = `(SELECT json_build_object('rateUses', l.rate_uses, 'rateSeconds', l.rate_seconds,
    'usesLeft', ${usesLeftAt('now()')}, 'refillAmount', l.refill_amount, 'refillSeconds', l.refill_seconds,
    'refillAt', ${refillAfter('now()')})
  FROM credential_limits l WHERE l.credential_id = c.id)`;
