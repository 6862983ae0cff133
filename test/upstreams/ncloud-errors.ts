import type { Answered } from './stand-in.js';

/** What the API Gateway itself refuses: its code, with the status and the text that go with it. */
export const gatewayCodes = {
  '100': [400, 'Bad Request Exception'],
  '200': [401, 'Authentication Failed'],
  '210': [401, 'Permission Denied'],
  '300': [404, 'Not Found Exception'],
  '400': [429, 'Quota Exceeded'],
  '410': [429, 'Throttle Limited'],
  '420': [429, 'Rate Limited'],
  '430': [413, 'Request Entity Too Large'],
  '500': [503, 'Endpoint Error'],
  '510': [504, 'Endpoint Timeout'],
  '900': [500, 'Unexpected Error'],
} as const;

/** A refusal by the API Gateway. */
export function gatewayError(errorCode: keyof typeof gatewayCodes): Answered {
  const [status, message] = gatewayCodes[errorCode];
  return { status, body: { error: { errorCode, message } } };
}

/** A refusal by STS, whose code is the status, or by version 1 of Sub Account. */
export const serviceError = (status: number, errorCode: number, message: string): Answered => ({
  status,
  body: { errorCode, message },
});

/** A refusal by version 2 of Sub Account. */
export const standardError = (
  status: number,
  errorCode: string,
  message: string,
  field?: string,
): Answered => ({
  status,
  body: { error: { errorCode, message, ...(field !== undefined && { fieldErrors: [{ field, message }] }) } },
});

/** A refusal by older services. None of ours sends it; for tests to meet. */
export const olderError = (status: number, returnCode: string, returnMessage: string): Answered => ({
  status,
  body: { responseError: { returnCode, returnMessage } },
});
