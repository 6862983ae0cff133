import { at, faultOfStatus, textAt } from './answers.js';
import type { StoreAnswer } from './connector.js';
import type { StoreFault } from './store-error.js';

/**
 * What an answer of Landscape's means, by the code in it: which status comes with which code is hardly documented. A
 * status decides only where there is no code that is known, as with the HTML of a proxy in front.
 */
export function faultOf({ status, json }: StoreAnswer): StoreFault | undefined {
  const byStatus = faultOfStatus(status);
  return byStatus && (faultOfError(json, byStatus) ?? byStatus);
}

/** The vendor's code in an answer, for the log. All of them are made of letters. */
export function codeIn({ json }: StoreAnswer): string | null {
  const code = textAt(json, 'error');
  return code !== null && /^[A-Za-z]+$/.test(code) ? code : null;
}

function faultOfError(json: unknown, byStatus: StoreFault): StoreFault | undefined {
  const code = textAt(json, 'error') ?? '';
  if (code === 'MultiError') return faultOfMany(at(json, 'errors'), byStatus);
  // The same word for a token that is not valid and for a permission that is missing: there the status tells.
  if (code === 'Unauthorised') return byStatus === 'FORBIDDEN' ? 'FORBIDDEN' : 'UNAUTHENTICATED';
  return known.get(code) ?? families.find(([beginning]) => code.startsWith(beginning))?.[1];
}

function faultOfMany(errors: unknown, byStatus: StoreFault): StoreFault | undefined {
  if (!Array.isArray(errors)) return undefined;
  return errors.map((one) => faultOfError(one, byStatus)).find((fault) => fault !== undefined);
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
