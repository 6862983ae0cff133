import { isOwnSchema, readFilter, withoutSchema, type Filter } from './filter.js';
import { unfit } from './refusal.js';
import { attributeOf, expectMembers, hasAttribute, isMembers, type Members } from './values.js';

export const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** One operation of a PATCH (RFC 7644, section 3.5.2), on one attribute. Names are in small letters. */
export interface Operation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly attribute: string;
  /** Which values of the attribute it is about, where it says so. */
  readonly filter: Filter | undefined;
  /** The part of the attribute that it is about, where it says so. */
  readonly part: string | undefined;
  readonly value: unknown;
}

/** Operations of one PATCH. */
const mostOperations = 100;

/**
 * The operations of a PATCH, each about one attribute: one without a path is one for each member of its value. What is about
 * an extension is left out, as nothing of extensions is kept.
 * @throws ScimRefusal invalidSyntax, invalidPath, invalidValue, noTarget
 */
export function readPatch(body: unknown): Operation[] {
  const listed = attributeOf(expectMembers(body), 'operations');
  if (!Array.isArray(listed) || listed.length === 0 || listed.length > mostOperations)
    throw unfit('invalidSyntax', `Operations must be a list of 1 to ${mostOperations} operations.`);
  return listed.flatMap(operationsOf);
}

function operationsOf(given: unknown): Operation[] {
  if (!isMembers(given)) throw unfit('invalidSyntax', 'Each of Operations must be an object.');
  // Entra writes the operation with a capital.
  const op = String(attributeOf(given, 'op')).toLowerCase();
  if (op !== 'add' && op !== 'replace' && op !== 'remove')
    throw unfit('invalidSyntax', 'op must be add, replace or remove.');
  const path = attributeOf(given, 'path');
  const value = attributeOf(given, 'value');
  if (op !== 'remove' && value === undefined && !hasAttribute(given, 'value'))
    throw unfit('invalidValue', 'add and replace need a value.');
  if (path !== undefined && typeof path !== 'string') throw unfit('invalidPath', 'path must be a text.');
  if (path === undefined || path === '' || isOwnSchema(path.trim())) {
    if (op === 'remove') throw unfit('noTarget', 'remove needs a path.');
    if (!isMembers(value)) throw unfit('invalidValue', 'Without a path, value must be an object.');
    return membersOf(value).flatMap(([name, one]) => operationOn(op, name, one));
  }
  return operationOn(op, path, value);
}

/** The members of a value, also of what of it stands below the name of a schema of ours. */
const membersOf = (value: Members): [string, unknown][] =>
  Object.entries(value).flatMap(([name, one]): [string, unknown][] =>
    isOwnSchema(name) && isMembers(one) ? Object.entries(one) : [[name, one]],
  );

function operationOn(op: Operation['op'], path: string, value: unknown): Operation[] {
  const name = withoutSchema(path.trim());
  if (name.startsWith('urn:')) return [];
  const match = /^([a-z$][\w$-]*)(?:\[(.*)\])?(?:\.([a-z$][\w$-]*))?$/s.exec(name);
  if (!match?.[1]) throw unfit('invalidPath', 'The path cannot be read.');
  // What is compared with keeps its letters.
  const between = /\[(.*)\]/s.exec(path)?.[1];
  const filter = match[2] === undefined || between === undefined ? undefined : readFilter(between);
  return [{ op, attribute: match[1], filter, part: match[3], value }];
}
