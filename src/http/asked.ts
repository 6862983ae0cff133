import { KeywayError } from '../errors.js';
import { parseJson } from './json-body.js';

/**
 * Holds the body of a request to the form that GraphQL over HTTP gives it, before Apollo Server does so in words that
 * cannot be passed on.
 * @throws BAD_REQUEST
 */
export function expectAsked(body: unknown): void {
  if (Array.isArray(body)) throw refused('One operation is sent at a time: the body must not be a list.');
  if (!isObject(body)) throw refused('The body must be a JSON object, with the document as the text query.');
  expectMembers(body, 'the body needs it as the text query');
}

/**
 * Holds the parameters of a GET to the same, with `variables` and `extensions` as JSON.
 * @throws BAD_REQUEST; BAD_USER_INPUT for JSON that no body may hold either
 */
export function expectAskedByGet(search: URLSearchParams): void {
  const members: Record<string, unknown> = {};
  for (const [name, isJson] of parameters) {
    const [text, ...more] = search.getAll(name);
    if (more.length > 0) throw refused(`The parameter ${name} must be given once.`);
    if (text === undefined) continue;
    members[name] = isJson ? parseJson(text, name) : text;
    // Apollo Server takes it in a body alone.
    if (members[name] === null) throw refused(mustBeObject(name));
  }
  expectMembers(members, 'the address needs it as the parameter query');
}

const parameters = [
  ['query', false],
  ['operationName', false],
  ['variables', true],
  ['extensions', true],
] as const;

function expectMembers(
  { query, variables, operationName, extensions }: Record<string, unknown>,
  where: string,
): void {
  const persisted = isObject(extensions) && 'persistedQuery' in extensions;
  if (!persisted && (typeof query !== 'string' || query === ''))
    throw refused(`The document is missing: ${where}.`);
  if (!isLeftOut(variables) && !isObject(variables)) throw refused(mustBeObject('variables'));
  if (!isLeftOut(extensions) && !isObject(extensions)) throw refused(mustBeObject('extensions'));
  if (!isLeftOut(operationName) && typeof operationName !== 'string')
    throw refused('operationName must be a text.');
}

const mustBeObject = (name: string) => `${name} must be an object.`;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isLeftOut = (value: unknown) => value === undefined || value === null;

const refused = (message: string) => new KeywayError('BAD_REQUEST', message);
