import { at, codeAt, faultOfStatus, loggable } from '../answers.js';
import type { StoreAnswer } from '../connector.js';
import type { StoreFault } from '../store-error.js';

/**
 * What an answer of NAVER Cloud means. A 401 says little there: a permission that is missing, a sub account that does
 * not exist and a wrong one-time code are all sent with it, so that the code comes before the status.
 */
export function ncloudFault(answer: StoreAnswer): StoreFault | undefined {
  const byStatus = faultOfStatus(answer.status);
  if (byStatus === undefined) return undefined;
  const code = saidCode(answer) ?? '';
  return byCode.get(`${answer.status}/${code}`) ?? byStatus;
}

const byCode: ReadonlyMap<string, StoreFault> = new Map<string, StoreFault>([
  // The gateway's: api.ncloud-docs.com/docs/en/common-ncpapi and the page on error handling.
  ['401/200', 'UNAUTHENTICATED'],
  ['401/210', 'FORBIDDEN'],
  // Version 1 of Sub Account.
  ['401/10', 'NOT_FOUND'],
  ['401/30', 'NOT_FOUND'],
  ['400/904', 'NOT_FOUND'],
  ['409/9012', 'LIMIT_EXCEEDED'],
  // STS.
  ['401/401', 'MFA_REJECTED'],
  // Version 2 of Sub Account: api.ncloud-docs.com/docs/pub-iam-v2-overview.
  ['401/Forbidden', 'FORBIDDEN'],
  ['400/LimitExceeded', 'LIMIT_EXCEEDED'],
]);

/** The code in whichever envelope it came: of the gateway and of version 2, of version 1, or of older services. */
export function saidCode({ json }: Pick<StoreAnswer, 'json'>): string | null {
  return (
    codeAt(at(json, 'error'), 'errorCode') ??
    codeAt(json, 'errorCode') ??
    codeAt(at(json, 'responseError'), 'returnCode')
  );
}

/** The code, for the log: a number, or a word of version 2. */
export const ncloudCode = (answer: Pick<StoreAnswer, 'json'>): string | null =>
  loggable(saidCode(answer), words);

const words = new Set([
  'BadRequest',
  'Unauthorized',
  'Forbidden',
  'NotFound',
  'Conflict',
  'LimitExceeded',
  'SubAccountNotFound',
  'AccessKeyNotFound',
  'InternalServerError',
]);
