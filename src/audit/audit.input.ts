import { Field, ID, InputType } from 'type-graphql';
import { AsTyped, IdRule, Line, ListOf, Optional } from '../inputs/rules.js';
import { DateTime } from '../inputs/scalars.js';
import { mostListed } from '../config/limits.js';
import { AuditOutcome } from './audit-event.js';

@InputType({ description: 'Which events: those that fit every member given.' })
export class AuditFilter {
  @Field(() => [ID], { nullable: true, description: 'In whose chain they stand.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  account?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Accounts that did or tried it.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  actor?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'What it was done to.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  target?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'As in credential:rotate.' })
  @Optional()
  @ListOf(mostListed, Line(1, 100))
  action?: string[] | null;

  @Field(() => [AuditOutcome], { nullable: true })
  @Optional()
  @ListOf(mostListed)
  outcome?: AuditOutcome[] | null;

  @Field(() => DateTime, { nullable: true })
  @Optional()
  @AsTyped()
  since?: string | null;

  @Field(() => DateTime, { nullable: true })
  @Optional()
  @AsTyped()
  until?: string | null;
}
