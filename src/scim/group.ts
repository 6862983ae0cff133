import { encodeId } from '../ids.js';
import { unfit } from './refusal.js';
import { metaOf, type FoundUser, type Resource } from './user.js';
import {
  attributeOf,
  hasAttribute,
  isMembers,
  lineOf,
  lineOrNothing,
  longestIdentifier,
  type Members,
} from './values.js';
import { accountIn } from './filter-sql.js';

export const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';

/** Members that one request may name: each may bring events to the audit. */
export const mostMembers = 1_000;

/** A group as it is kept, without its members. */
export interface FoundGroup extends Pick<FoundUser, 'id' | 'created' | 'lastModified' | 'version'> {
  displayName: string;
  externalId: string | null;
}

/** What is to become of a group: what is left out stays. */
export interface GroupChange {
  displayName?: string;
  externalId?: string | null;
  /** Whether those who are not added are members no more. */
  replacesMembers: boolean;
  /** Accounts, by UUID. */
  readonly added: Set<string>;
  readonly removed: Set<string>;
}

/**
 * The change that makes a group what a whole resource says; an `externalId` that it leaves out stays.
 * @throws ScimRefusal invalidValue
 */
export const groupIn = (body: Members): GroupChange & { displayName: string } => ({
  displayName: lineOf('displayName', attributeOf(body, 'displayname')),
  ...(hasAttribute(body, 'externalid') && {
    externalId: lineOrNothing('externalId', attributeOf(body, 'externalid'), longestIdentifier),
  }),
  replacesMembers: true,
  added: new Set(membersIn(attributeOf(body, 'members'))),
  removed: new Set(),
});

/**
 * The accounts that a list of members names.
 * @throws ScimRefusal invalidValue for what is no user, such as another group, tooMany
 */
export function membersIn(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const all = Array.isArray(value) ? (value as unknown[]) : [value];
  if (all.length > mostMembers)
    throw unfit('tooMany', `A request may name ${mostMembers} members: send the others in another one.`);
  return all.map((one) => {
    const id = isMembers(one) ? attributeOf(one, 'value') : one;
    const account = typeof id === 'string' ? accountIn(id) : undefined;
    if (account === undefined) throw noMember();
    return account;
  });
}

export const noMember = () => unfit('invalidValue', 'A member must be a user of this directory, by its id.');

/**
 * @param members accounts, by UUID; undefined where they are not asked for
 * @param base what addresses begin with, before `/Groups`
 */
export const groupResource = (
  group: FoundGroup,
  members: readonly string[] | undefined,
  base: string,
): Resource => ({
  schemas: [groupSchema],
  id: group.id,
  ...(group.externalId !== null && { externalId: group.externalId }),
  displayName: group.displayName,
  ...(members && {
    members: members.map((account) => {
      const value = encodeId('Account', account);
      return { value, type: 'User', $ref: `${base}/Users/${value}` };
    }),
  }),
  meta: metaOf('Group', `${base}/Groups/${group.id}`, group),
});
