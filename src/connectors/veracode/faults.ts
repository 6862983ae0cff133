import { at, codeAt, faultOfStatus, loggable } from '../answers.js';
import type { StoreAnswer } from '../connector.js';
import type { StoreFault } from '../store-error.js';

/**
 * What an answer of Veracode means. Errors have five shapes there, and the status says the same in all of them; where a
 * refusal is passed on with a good status, the one in its body counts.
 */
export function veracodeFault(answer: StoreAnswer): StoreFault | undefined {
  const { status, json } = answer;
  const fault = faultOfStatus(status) ?? faultOfStatus(saidStatus(json) ?? status);
  // Somebody on the way knows nothing of what is there: gone is what Veracode itself does not find.
  return fault === 'NOT_FOUND' && isOfAnother(answer) ? 'UPSTREAM_ERROR' : fault;
}

/** What tells one refusal from another, for the log: the code, or the id of the conversation that support asks for. */
export function veracodeCode({ headers, json }: StoreAnswer): string | null {
  const said = errorIn(json);
  const conversation =
    conversationIn([headers['x-conversation-id']].flat().join()) ?? conversationIn(at(json, 'message'));
  const code = loggable(codeAt(said, 'code'), words) ?? loggable(codeAt(json, 'error'), words);
  return code ?? conversation ?? null;
}

/** The ids in a text that holds nothing else: one, or those of the servers on the way too. */
function conversationIn(text: unknown): string | undefined {
  const ids = typeof text === 'string' ? text.split(/[\s,;]+/).filter(Boolean) : [];
  return ids.length > 0 && ids.length <= 4 && ids.every((id) => uuid.test(id)) ? ids.join(' ') : undefined;
}

const words = new Set([
  ...['BAD_REQUEST', 'UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'INTERNAL_SERVER_ERROR'],
  ...['invalid_client', 'invalid_request', 'invalid_token', 'access_denied'],
]);

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The first of the errors where they come as a list; else the answer itself. */
function errorIn(json: unknown): unknown {
  const errors = at(at(json, '_embedded'), 'api_errors');
  return Array.isArray(errors) ? errors[0] : json;
}

/** Whether an error is in none of the five shapes, which says nothing of an empty one. */
function isOfAnother({ headers, json }: StoreAnswer): boolean {
  if (json === undefined)
    return !/^(application\/(.+\+)?json\b|$)/.test(String(headers['content-type'] ?? ''));
  if (errorIn(json) !== json || Array.isArray(at(json, 'errors'))) return false;
  return ['http_code', 'error', 'code'].every((name) => codeAt(json, name) === null);
}

/** The status that a body of errors has in it, as a number or a text; undefined for any other body. */
function saidStatus(json: unknown): number | undefined {
  const isError = errorIn(json) !== json || Array.isArray(at(json, 'errors'));
  const said = codeAt(json, 'http_code') ?? (isError ? codeAt(errorIn(json), 'status') : null) ?? '';
  return /^[45]\d\d$/.test(said) ? Number(said) : undefined;
}
