import { Field, ID, InputType } from 'type-graphql';
import { AsTyped, IdRule, Line, ListOf, Optional } from '../inputs/rules.js';
import { DateTime } from '../inputs/scalars.js';
import { mostListed } from '../config/limits.js';
import { AuditOutcome } from './audit-event.js';

@InputType({
  description:
    'Which audit events: those that match every field that is given. A list matches if one of its items does.',
})
export class AuditFilter {
  @Field(() => [ID], { nullable: true, description: 'Accounts whose audit chain has the event.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  account?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Accounts that did or tried it.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  actor?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Ids of objects that it was done to.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  target?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Actions, such as `credential:rotate`.' })
  @Optional()
  @ListOf(mostListed, Line(1, 100))
  action?: string[] | null;

  @Field(() => [AuditOutcome], { nullable: true, description: 'How it ended.' })
  @Optional()
  @ListOf(mostListed)
  outcome?: AuditOutcome[] | null;

  @Field(() => DateTime, { nullable: true, description: 'Events at this time or later.' })
  @Optional()
  @AsTyped()
  since?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Events before this time.' })
  @Optional()
  @AsTyped()
  until?: string | null;
}
