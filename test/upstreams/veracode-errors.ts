import { randomUUID } from 'node:crypto';
import type { Answered } from './stand-in.js';

/** The bodies that errors come in, as clients of the vendor's have met them. */
export type VeracodeErrorShape = 'http' | 'errors' | 'embedded' | 'oauth' | 'flat';

const codes = {
  400: ['BAD_REQUEST', 'Bad Request', 'invalid_request'],
  401: ['UNAUTHORIZED', 'Unauthorized', 'invalid_client'],
  403: ['FORBIDDEN', 'Forbidden', 'access_denied'],
  404: ['NOT_FOUND', 'Not Found', 'not_found'],
  415: ['UNSUPPORTED_MEDIA_TYPE', 'Unsupported Media Type', 'invalid_request'],
} as const;

/** A refusal, in the shape asked for. */
export function veracodeError(
  status: keyof typeof codes,
  title: string,
  shape: VeracodeErrorShape = usualShape(status),
  pointer?: string,
): Answered {
  const conversation = randomUUID();
  const [code, httpStatus, error] = codes[status];
  const source = pointer !== undefined && { source: { pointer, parameter: '' } };
  const bodies: Record<VeracodeErrorShape, object> = {
    // The message is no message: it repeats the id of the conversation.
    http: { http_code: status, http_status: httpStatus, message: conversation },
    errors: { errors: [title], status },
    embedded: {
      _embedded: { api_errors: [{ id: conversation, code, title, status: String(status), ...source }] },
    },
    oauth: { error, error_description: title },
    flat: { id: conversation, code, title, detail: title, status: String(status), ...source },
  };
  return { status, headers: { 'x-conversation-id': conversation }, body: bodies[shape] };
}

const usualShape = (status: number): VeracodeErrorShape =>
  status === 401 ? 'http' : status === 403 ? 'flat' : 'embedded';
