import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import { daysKept, insightCost } from '../config/limits.js';
import { Credential, type CredentialKind } from '../credentials/record/credential.js';
import { expiry } from '../credentials/record/filter.js';
import { overdue } from '../credentials/record/policy.js';
import type { Row } from '../database/columns.js';
import { Costs, Needs, Spans } from '../inputs/declared.js';
import { decodeId } from '../inputs/decode-id.js';
import { NonNegativeInt } from '../inputs/scalars.js';
import { storeNamed } from '../stores/find.js';
import { CredentialStore } from '../stores/store.js';
import { dayMs, durationMs } from '../time.js';
import { counted, statusesIn, total } from './counts.js';
import { expiriesByWeek, rotationHealth, rotationsByDay, verificationsByDay } from './days.js';
import { TakesArgs, UnusedArgs, WeeksAheadArgs, WindowArgs, WithinArgs } from './insight.args.js';
import {
  UseOfCredential,
  DayCount,
  Insight,
  KindCount,
  RotationDay,
  RotationHealth,
  StatusCount,
  StoreCount,
  WeekCount,
} from './insight.js';
import { useOf } from './use.js';

const days = { argument: 'window', unitMs: dayMs, most: daysKept };
const weeks = { argument: 'window', unitMs: 7 * dayMs, most: Math.ceil(daysKept / 7) };

@Resolver(() => Insight)
export class InsightResolver {
  @Query(() => Insight, {
    description:
      'Counts of the credentials that the viewer may see, for a first screen. What the viewer may not see, and what does not exist, counts as nothing.',
  })
  @Needs(Permission.CREDENTIAL_READ)
  @Costs(insightCost)
  insight(
    @Arg('account', () => ID, {
      nullable: true,
      description:
        'The id of an account: only credentials that belong to it, without those of its sub-accounts. Of all accounts if left out.',
    })
    account: string | null,
    @Arg('store', () => ID, {
      nullable: true,
      description: 'The id of a store: only credentials that are in it. Of all stores if left out.',
    })
    store: string | null,
  ): Insight {
    return {
      accountId: account ? decodeId('Account', account, 'account') : null,
      storeId: store ? decodeId('CredentialStore', store, 'store') : null,
    };
  }

  @FieldResolver(() => NonNegativeInt, { description: 'How many there are, whatever their status.' })
  credentials(@Ctx() ctx: RequestContext, @Root() insight: Row<Insight>): Promise<number> {
    return total(ctx, insight, {});
  }

  @FieldResolver(() => [StatusCount], {
    description: 'How many have each status, in the order of the statuses. What none has is left out.',
  })
  async byStatus(@Ctx() ctx: RequestContext, @Root() insight: Row<Insight>): Promise<StatusCount[]> {
    return statusesIn(await counted(ctx, insight, { by: 'status' }));
  }

  @FieldResolver(() => [StoreCount], {
    description: 'How many are in each store, most first. Stores with none are left out: see `stores`.',
  })
  async byStore(@Ctx() ctx: RequestContext, @Root() insight: Row<Insight>): Promise<StoreCount[]> {
    return mostFirst(await counted(ctx, insight, { by: 'store' })).map(([storeId, count]) => ({
      storeId,
      count,
    }));
  }

  @FieldResolver(() => [KindCount], {
    description: 'How many are of each kind, most first. What there is none of is left out.',
  })
  async byKind(@Ctx() ctx: RequestContext, @Root() insight: Row<Insight>): Promise<KindCount[]> {
    const counts = await counted(ctx, insight, { by: 'kind' });
    return mostFirst(counts).map(([kind, count]) => ({ kind: kind as CredentialKind, count }));
  }

  @FieldResolver(() => NonNegativeInt, {
    description:
      'How many that work expire soon. They are those that `credentials` lists with `status: [ACTIVE, ROTATING]` and `expiresBefore`.',
  })
  @TakesArgs(WithinArgs)
  expiring(
    @Ctx() ctx: RequestContext,
    @Root() insight: Row<Insight>,
    @Args(() => WithinArgs) { within }: WithinArgs,
  ): Promise<number> {
    return total(ctx, insight, { of: `${expiry} < now() + :given`, given: durationMs(within) });
  }

  @FieldResolver(() => NonNegativeInt, {
    description:
      'How many that work should have been rotated by their policy before now. They are those that `credentials` lists with `status: [ACTIVE, ROTATING]` and `rotationOverdue: true`.',
  })
  overdue(@Ctx() ctx: RequestContext, @Root() insight: Row<Insight>): Promise<number> {
    return total(ctx, insight, { of: overdue });
  }

  @FieldResolver(() => NonNegativeInt, {
    description:
      'How many that work have no owner. They are those that `credentials` lists with `status: [ACTIVE, ROTATING]` and `withoutOwner: true`.',
  })
  withoutOwner(@Ctx() ctx: RequestContext, @Root() insight: Row<Insight>): Promise<number> {
    return total(ctx, insight, { of: 'c.owner_id IS NULL' });
  }

  @FieldResolver(() => NonNegativeInt, {
    description:
      'How many that work have no known use for at least that long; for one that was never used, the time counts from its creation. They are those that `credentials` lists with `status: [ACTIVE, ROTATING]` and `unusedFor`.',
  })
  @TakesArgs(UnusedArgs)
  unused(
    @Ctx() ctx: RequestContext,
    @Root() insight: Row<Insight>,
    @Args(() => UnusedArgs) { for: length }: UnusedArgs,
  ): Promise<number> {
    return total(ctx, insight, {
      of: 'u.unused_since <= now() - :given',
      given: durationMs(length),
      byUse: true,
    });
  }

  @FieldResolver(() => RotationHealth, { description: 'How their rotations stand.' })
  rotationHealth(@Ctx() ctx: RequestContext, @Root() insight: Row<Insight>): Promise<RotationHealth> {
    return rotationHealth(ctx, insight);
  }

  @FieldResolver(() => [RotationDay], {
    description: 'How many rotations began on each day, oldest first; today is the last.',
  })
  @TakesArgs(WindowArgs)
  @Spans(days)
  rotationsByDay(
    @Ctx() ctx: RequestContext,
    @Root() insight: Row<Insight>,
    @Args(() => WindowArgs) { window }: WindowArgs,
  ): Promise<RotationDay[]> {
    return rotationsByDay(ctx, insight, window);
  }

  @FieldResolver(() => [DayCount], {
    description: `How many verifications were good on each day, oldest first; today is the last. They are counted within seconds, and kept for ${daysKept} days.`,
  })
  @TakesArgs(WindowArgs)
  @Spans(days)
  async verificationsByDay(
    @Ctx() ctx: RequestContext,
    @Root() insight: Row<Insight>,
    @Args(() => WindowArgs) { window }: WindowArgs,
  ): Promise<DayCount[]> {
    const all = await verificationsByDay(ctx, insight, window);
    return all.map(({ day, good }) => ({ day, count: good }));
  }

  @FieldResolver(() => [DayCount], {
    description:
      'How many verifications of these credentials were refused on each day, for whatever reason, oldest first; today is the last. What was meant for no known credential is not counted.',
  })
  @TakesArgs(WindowArgs)
  @Spans(days)
  async refusalsByDay(
    @Ctx() ctx: RequestContext,
    @Root() insight: Row<Insight>,
    @Args(() => WindowArgs) { window }: WindowArgs,
  ): Promise<DayCount[]> {
    const all = await verificationsByDay(ctx, insight, window);
    return all.map(({ day, refused }) => ({ day, count: refused }));
  }

  @FieldResolver(() => [WeekCount], {
    description:
      'How many that work expire in each week, soonest first. The first is the current week, from now on.',
  })
  @TakesArgs(WeeksAheadArgs)
  @Spans(weeks)
  expiriesByWeek(
    @Ctx() ctx: RequestContext,
    @Root() insight: Row<Insight>,
    @Args(() => WeeksAheadArgs) { window }: WeeksAheadArgs,
  ): Promise<WeekCount[]> {
    return expiriesByWeek(ctx, insight, window);
  }
}

@Resolver(() => StoreCount)
export class StoreCountResolver {
  @FieldResolver(() => CredentialStore, { description: 'The store that the counted credentials are in.' })
  store(@Ctx() ctx: RequestContext, @Root() count: Row<StoreCount>): Promise<CredentialStore | null> {
    return storeNamed(ctx).load(count.storeId);
  }
}

/** What insight adds to credentials. */
@Resolver(() => Credential)
export class CredentialUseResolver {
  @FieldResolver(() => UseOfCredential, {
    nullable: true,
    description: `How often it was verified. Verifications are counted within seconds, and the counts of a day are kept for ${daysKept} days. Null if the viewer may neither read nor verify the credential, and was shown it by a mutation alone.`,
  })
  @TakesArgs(WindowArgs)
  @Spans(days)
  use(
    @Ctx() ctx: RequestContext,
    @Root() credential: Row<Credential>,
    @Args(() => WindowArgs) { window }: WindowArgs,
  ): Promise<UseOfCredential | null> {
    return useOf(ctx, credential.id, window);
  }
}

/** The same count in the order of the names, so that it is one order. */
const mostFirst = (counts: ReadonlyMap<string, number>) =>
  [...counts].sort(([one, many], [other, most]) => most - many || (one < other ? -1 : 1));
