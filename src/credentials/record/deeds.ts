import { endingOfTerms, type Ending } from '../../audit/ending.js';
import { inEach, type Deed } from '../../audit/record.js';
import type { Credential } from './credential.js';

/**
 * A change of a credential, as the audit tells it: where it is from then on. One that gives it to another owner or project
 * is on record also in the project that it was in, and with both owners; it names the new one.
 * @param lostRoles those that it carries no more
 * @param limits how often it may be verified since, where that was changed
 */
export function deedsOfChange(
  { id, accountId, projectId, ownerId }: Pick<Credential, 'id' | 'accountId' | 'projectId' | 'ownerId'>,
  columns: Partial<Credential>,
  changed: string[],
  lostRoles: readonly string[] = [],
  limits?: Ending['limits'],
): Deed[] {
  const toProject = columns.projectId === undefined ? projectId : columns.projectId;
  const toOwner = columns.ownerId === undefined ? ownerId : columns.ownerId;
  const isGiven = toOwner !== ownerId;
  const deed: Omit<Deed, 'accountId'> = {
    action: 'credential:update',
    target: { type: 'Credential', id },
    projectId: toProject,
    recipientId: isGiven ? toOwner : null,
    changed,
    ends: endingOfTerms({
      ...termsIn(columns),
      ...(lostRoles.length > 0 && { lostRoles }),
      ...(limits !== undefined && { limits }),
    }),
  };
  const owners = isGiven ? [ownerId, toOwner].filter((owner) => owner !== null) : [];
  const left = toProject === projectId || projectId === null ? [] : [{ ...deed, accountId, projectId }];
  return [...left, ...inEach([accountId, ...owners], deed)];
}

/** What a change of a credential says of how it may be used. */
export const termsIn = ({ enabled, expiresAt, allowedIps }: Partial<Credential>): Ending => ({
  ...(enabled !== undefined && { enabled }),
  ...(expiresAt !== undefined && { expiresAt }),
  ...(allowedIps !== undefined && { allowedIps }),
});
