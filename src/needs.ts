import { Extensions } from 'type-graphql';
import type { Permission } from './access/principal.js';

/**
 * Declares what a root field needs, and the action that the audit knows it by. Start-up refuses a root field without.
 * The verb behind the field decides, with the thing in hand; a query shows what this permission lets one see.
 * @param permission OWN where every account may ask about itself.
 */
export const Needs = (permission: Permission | 'OWN', action?: string) => Extensions({ permission, action });

/** Declares a root field that may stand once in an operation, as it looks at secrets: aliases try no more of them (S6). */
export const Guarded = () => Extensions({ guarded: true });
