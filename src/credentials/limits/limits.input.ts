import { Field, InputType, Int } from 'type-graphql';
import { longestRefill, longestWindow, mostUses, shortestRefill } from '../../config/limits.js';
import { Nested, Optional, SecondsBetween, WholeNumber } from '../../inputs/rules.js';
import { Duration } from '../../inputs/scalars.js';

@InputType({
  description:
    'How often a credential may be verified within a length of time, and the temporary credentials derived from it together with it.',
})
export class RateLimitInput {
  @Field(() => Int, {
    description: `How many uses are allowed within \`window\`, whenever that is taken to begin: 1 to ${mostUses}.`,
  })
  @WholeNumber(1, mostUses)
  uses: number;

  @Field(() => Duration, {
    description: `The length of time, as an ISO 8601 duration: whole seconds, PT1S to ${longestWindow}.`,
  })
  @SecondsBetween('PT1S', longestWindow)
  window: string;
}

@InputType({ description: 'How the remaining uses of a credential are filled up again.' })
export class RefillInput {
  @Field(() => Int, {
    description: `How many uses remain after it: 1 to ${mostUses}. If more are left, those stay, and none are added.`,
  })
  @WholeNumber(1, mostUses)
  amount: number;

  @Field(() => Duration, {
    description: `The time from one refill to the next, as an ISO 8601 duration: whole seconds, ${shortestRefill} to ${longestRefill}. The first refill is so long after this request.`,
  })
  @SecondsBetween(shortestRefill, longestRefill)
  every: string;
}

@InputType({
  description:
    'How often a credential can still be verified, and the temporary credentials derived from it together with it.',
})
export class RemainingUsesInput {
  @Field(() => Int, { description: `How many uses remain from now on: 0 to ${mostUses}.` })
  @WholeNumber(0, mostUses)
  count: number;

  @Field(() => RefillInput, {
    nullable: true,
    description:
      'How they are filled up again; not, if left out. If `every` stays as it was, so does the time of the next refill.',
  })
  @Optional()
  @Nested()
  refill?: RefillInput | null;
}
