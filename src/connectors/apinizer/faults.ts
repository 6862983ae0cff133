import { at, faultOfStatus, loggable, textAt } from '../answers.js';
import type { StoreAnswer } from '../connector.js';
import type { StoreFault } from '../store-error.js';

/**
 * What an answer of Apinizer's means, in both generations of its contract. The newer one says nearly everything with
 * 400 and a text, so the beginning of the text decides before the status does.
 */
export function apinizerFault({ status, json }: StoreAnswer): StoreFault | undefined {
  const byStatus = faultOfStatus(status);
  if (byStatus === undefined && !saysItFailed(json)) return undefined;
  const text = textAt(json, 'resultMessage') ?? textAt(json, 'error_description') ?? '';
  return (
    beginnings.find(([beginning]) => beginning.test(text))?.[1] ??
    codes.get(textAt(json, 'error') ?? '') ??
    // A failure with a status of success: who knows what was done.
    byStatus ??
    'UPSTREAM_ERROR'
  );
}

/** Whether an answer is one of success in either generation, and not just any answer with a status of success. */
export const isSuccess = ({ json }: StoreAnswer): boolean =>
  at(json, 'status') === 'SUCCESS' || at(json, 'success') === true;

/** Whether what was stored did not get into every environment, in both shapes that it is reported in. */
export function isPartial({ json }: StoreAnswer): boolean {
  const report = at(json, 'deploymentResult');
  const parts = [report, ...partsAt(report, 'environmentResults'), ...partsAt(report, 'detailList')];
  return parts.some((part) => at(part, 'success') === false);
}

/** The code of an error in the older generation, for the log. */
export const apinizerCode = ({ json }: StoreAnswer): string | null => loggable(textAt(json, 'error'), words);

const partsAt = (report: unknown, name: string): readonly unknown[] => {
  const parts = at(report, name);
  return Array.isArray(parts) ? parts : [];
};

const saysItFailed = (json: unknown): boolean =>
  at(json, 'status') === 'FAILURE' || at(json, 'success') === false || textAt(json, 'error') !== null;

const beginnings: readonly (readonly [RegExp, StoreFault])[] = [
  [/^Token (is not valid|was expired)/, 'UNAUTHENTICATED'],
  [/^Empty Key!/, 'UNAUTHENTICATED'],
  [/^User does not have required permission/, 'FORBIDDEN'],
  [/^This username is already used/, 'CONFLICT'],
  [/^There is already a credential/, 'CONFLICT'],
  [/^Credential \(username: ?.*\) has already access/, 'CONFLICT'],
  [/^Credential \(username: ?.*\) was not found/, 'NOT_FOUND'],
  // Also where the project is there, for other eyes.
  [/^Project ?\(.*\) (was|is) not found/, 'NOT_FOUND'],
  [/^API Proxy( Group)? \(name: ?.*\) is not found/, 'NOT_FOUND'],
  [/^Credential .* can not be empty!/, 'INVALID_INPUT'],
];

const codes: ReadonlyMap<string, StoreFault> = new Map<string, StoreFault>([
  ['unauthorized_client', 'UNAUTHENTICATED'],
  ['not_found', 'NOT_FOUND'],
]);

const words = new Set([...codes.keys(), 'bad_request', 'unsupported_grant_type']);
