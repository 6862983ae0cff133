import type { Filter } from './filter.js';
import { accountIn } from './filter-sql.js';
import { membersIn, noMember, type GroupChange } from './group.js';
import type { Operation } from './patch.js';
import { unfit } from './refusal.js';
import { lineOf, lineOrNothing, longestIdentifier } from './values.js';

/**
 * What these operations, one after another, change of a group: without its members, of which there may be many, being read.
 * @throws ScimRefusal invalidPath, invalidValue, mutability, tooMany
 */
export function groupChangeIn(operations: readonly Operation[]): GroupChange {
  const change: GroupChange = { replacesMembers: false, added: new Set(), removed: new Set() };
  for (const operation of operations) note(change, operation);
  return change;
}

function note(change: GroupChange, operation: Operation): void {
  const { op, attribute, filter, part, value } = operation;
  if (attribute === 'members' && part === undefined) return noteMembers(change, operation);
  if (attribute === 'schemas' || (attribute === 'id' && op === 'replace')) return;
  if (attribute === 'id' || attribute === 'meta')
    throw unfit('mutability', 'The path leads to an attribute that cannot be changed.');
  if (filter || part !== undefined) throw unfit('invalidPath', 'The path leads to nothing that a group has.');
  if (attribute === 'displayname')
    change.displayName = lineOf('displayName', op === 'remove' ? undefined : value);
  else if (attribute === 'externalid')
    change.externalId = op === 'remove' ? null : lineOrNothing('externalId', value, longestIdentifier);
  else throw unfit('invalidPath', 'The path leads to nothing that a group has.');
}

function noteMembers(change: GroupChange, { op, filter, value }: Operation): void {
  const { added, removed } = change;
  if (filter && op !== 'remove') throw unfit('invalidPath', 'Members are added by value, not by a filter.');
  if (op === 'remove') {
    // Entra names in the value who is to be removed.
    const gone = filter ? namedBy(filter) : value === undefined ? undefined : membersIn(value);
    if (!gone) return replaceAll(change, []);
    for (const account of gone) {
      added.delete(account);
      removed.add(account);
    }
    return;
  }
  const accounts = membersIn(value);
  if (op === 'replace') return replaceAll(change, accounts);
  for (const account of accounts) {
    removed.delete(account);
    added.add(account);
  }
}

function replaceAll(change: GroupChange, accounts: readonly string[]): void {
  change.replacesMembers = true;
  change.removed.clear();
  change.added.clear();
  for (const account of accounts) change.added.add(account);
}

/** The accounts that a filter of members names: `value eq "…"`, or several with `or` between them. */
function namedBy(filter: Filter): string[] {
  if (filter.is === 'or') return filter.all.flatMap(namedBy);
  if (filter.is !== 'eq' || filter.attribute !== 'value')
    throw unfit('invalidPath', 'Members are told by their value: members[value eq "…"].');
  const account = accountIn(String(filter.value));
  if (account === undefined) throw noMember();
  return [account];
}
