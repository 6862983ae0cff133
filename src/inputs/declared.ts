import { Extensions } from 'type-graphql';
import type { RequestContext } from '../access/context.js';
import type { Permission } from '../access/principal.js';

/**
 * Declares what a root field needs, and the action that the audit knows it by. Start-up refuses a root field without.
 * The verb behind the field decides, once it has found the object; a query shows what this permission lets one see.
 * @param permission OWN where every account may ask about itself.
 */
export const Needs = (permission: Permission | 'OWN', action?: string) => Extensions({ permission, action });

/**
 * Declares a root field that may stand once in an operation, as it looks at secrets: aliases try no more of them (S6).
 */
export const Guarded = () => Extensions({ guarded: true });

/** The list in an argument that a field answers item by item, and how many it may have. */
export interface Answered {
  argument: string;
  most: number;
}

/** Declares a list that has an item for each item of an argument, so that it weighs as many as are asked for (S2). */
export const Answers = (argument: string, most: number) =>
  Extensions({ answers: { argument, most } satisfies Answered });

/** The length of time in an argument of which a field answers each part, how long a part is, and how many there may be. */
export interface Spanned {
  argument: string;
  unitMs: number;
  most: number;
}

/** Declares a list that has an item for each part of the time in an argument, so that it weighs as many (S2). */
export const Spans = (spanned: Spanned) => Extensions({ spans: spanned });

/** Declares a field that costs so many points besides: as it reads far more rows than it answers (S2). */
export const Costs = (points: number) => Extensions({ costs: points });

/** The arguments of a field as they were given, of their types and with their defaults, but held to no rules yet. */
export type Arguments = Readonly<Record<string, unknown>>;

/**
 * Refuses the arguments of a field below the root that cannot mean anything.
 * @param deed the arguments of the field of the root that it is below
 * @throws BAD_USER_INPUT
 */
export type Expectation = (given: Arguments, ctx: RequestContext, deed: Arguments) => void;

/** Declares how the arguments of a field below the root are looked at before a mutation is done; they all must be. */
export const Expects = (expects: Expectation) => Extensions({ expects });
