import { KeywayError } from '../errors.js';

/**
 * Holds the body of a request to the form that GraphQL over HTTP gives it, before Apollo Server does so in words that
 * cannot be passed on.
 * @throws BAD_REQUEST
 */
export function expectAsked(body: unknown): void {
  if (Array.isArray(body)) throw refused('One operation is sent at a time: the body must not be a list.');
  if (!isObject(body)) throw refused('The body must be a JSON object, with the document as the text query.');
  const { query, variables, operationName, extensions } = body;
  const persisted = isObject(extensions) && 'persistedQuery' in extensions;
  if (!persisted && (typeof query !== 'string' || query === ''))
    throw refused('The document is missing: the body needs it as the text query.');
  if (!isLeftOut(variables) && !isObject(variables)) throw refused('variables must be an object.');
  if (!isLeftOut(extensions) && !isObject(extensions)) throw refused('extensions must be an object.');
  if (!isLeftOut(operationName) && typeof operationName !== 'string')
    throw refused('operationName must be a text.');
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isLeftOut = (value: unknown) => value === undefined || value === null;

const refused = (message: string) => new KeywayError('BAD_REQUEST', message);
