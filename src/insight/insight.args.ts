import { ArgsType, Field } from 'type-graphql';
import { daysKept } from '../config/limits.js';
import { Expects } from '../inputs/declared.js';
import { DurationBetween, DurationUpTo, expectRules } from '../inputs/rules.js';
import { Duration } from '../inputs/scalars.js';

const longestWindow = `P${daysKept}D`;

/** How far to look back. */
@ArgsType()
export class WindowArgs {
  @Field(() => Duration, {
    defaultValue: 'P30D',
    description: `How far to look back, as an ISO 8601 duration: P1D to ${longestWindow}, in days of UTC, with today as one. P30D if left out.`,
  })
  @DurationBetween('P1D', longestWindow)
  window: string;
}

/** How far to look ahead. */
@ArgsType()
export class WeeksAheadArgs {
  @Field(() => Duration, {
    defaultValue: 'P91D',
    description: `How far to look ahead, as an ISO 8601 duration: P1D to ${longestWindow}, in weeks, with the current one. P91D if left out.`,
  })
  @DurationBetween('P1D', longestWindow)
  window: string;
}

/** How soon something ends. */
@ArgsType()
export class WithinArgs {
  @Field(() => Duration, {
    defaultValue: 'P30D',
    description: 'How soon they expire, as an ISO 8601 duration. P30D if left out.',
  })
  @DurationUpTo('P36500D')
  within: string;
}

/** How long something was not used. */
@ArgsType()
export class UnusedArgs {
  @Field(() => Duration, {
    defaultValue: 'P90D',
    description: 'For how long at least they were not used, as an ISO 8601 duration. P90D if left out.',
  })
  @DurationUpTo('P36500D')
  for: string;
}

/** Declares a field below the root that takes these arguments. */
export const TakesArgs = (args: new () => object) =>
  Expects((given) => expectRules([{ path: '', input: Object.assign(new args(), given) }]));
