import { at, faultOfStatus, loggable, textAt } from '../answers.js';
import type { StoreAnswer } from '../connector.js';
import type { StoreFault } from '../store-error.js';

/**
 * What an answer of Landscape's means, by the code in it: which status comes with which code is hardly documented. A
 * status decides only where there is no code that is known, as with the HTML of a proxy in front.
 */
export function landscapeFault({ status, json }: StoreAnswer): StoreFault | undefined {
  const byStatus = faultOfStatus(status);
  return byStatus && (faultOfError(json, byStatus) ?? byStatus);
}

/** The vendor's code in an answer, for the log. */
export const landscapeCode = ({ json }: StoreAnswer): string | null => loggable(textAt(json, 'error'), words);

/** Several errors may be wrapped in one, once: what is nested deeper has no meaning, however deep it goes. */
function faultOfError(json: unknown, byStatus: StoreFault): StoreFault | undefined {
  const code = textAt(json, 'error') ?? '';
  if (code !== 'MultiError') return faultOfCode(code, byStatus);
  const errors = at(json, 'errors');
  if (!Array.isArray(errors)) return undefined;
  return errors
    .map((one) => faultOfCode(textAt(one, 'error') ?? '', byStatus))
    .find((fault) => fault !== undefined);
}

function faultOfCode(code: string, byStatus: StoreFault): StoreFault | undefined {
  // The same word for a token that is not valid and for a permission that is missing: there the status tells.
  if (code === 'Unauthorised') return byStatus === 'FORBIDDEN' ? 'FORBIDDEN' : 'UNAUTHENTICATED';
  return known.get(code) ?? families.find(([beginning]) => code.startsWith(beginning))?.[1];
}

const known: ReadonlyMap<string, StoreFault> = new Map<string, StoreFault>([
  ['InternalServerError', 'UPSTREAM_ERROR'],
  ['SignatureDoesNotMatch', 'UNAUTHENTICATED'],
  ['AuthFailure', 'UNAUTHENTICATED'],
  ['InvalidCredentials', 'UNAUTHENTICATED'],
  ['MissingParameter', 'INVALID_INPUT'],
  ['PersonNotMemberOfAccount', 'NOT_FOUND'],
  ['ReadOnlyRole', 'FORBIDDEN'],
  ['SelfRevokeGlobalAdmin', 'FORBIDDEN'],
]);

const families: readonly (readonly [string, StoreFault])[] = [
  ['Unknown', 'NOT_FOUND'],
  ['Duplicate', 'CONFLICT'],
  ['Repeated', 'CONFLICT'],
  ['Maximum', 'LIMIT_EXCEEDED'],
  ['Invalid', 'INVALID_INPUT'],
];

// Those that the pages on login, credentials and roles name, and the vendor's client.
const words = new Set([
  ...known.keys(),
  ...[
    'MultiError',
    'Unauthorised',
    'InvalidEmailAddress',
    'RepeatedInvitation',
    'MaximumAccountAdministrators',
  ],
  ...['UnknownAccount', 'UnknownUser', 'UnknownEntityIDs', 'UnknownPersonEmails', 'UnknownPersons'],
  ...['UnknownRole', 'InvalidRoleName', 'InvalidRolePermissions', 'DuplicateRole', 'DuplicateRoleName'],
  ...['UnknownAccessGroup', 'UnknownAccessGroups', 'InvalidAccessGroup', 'DuplicateAccessGroup'],
]);
