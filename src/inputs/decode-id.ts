import { badInput } from '../errors.js';
import { parseId, type NodeType } from '../ids.js';

/**
 * The UUID behind a public id of the wanted type.
 * @throws BAD_USER_INPUT, naming `path`, for another type's id and for what is no id.
 */
export function decodeId(type: NodeType, id: string, path: string): string {
  const parsed = parseId(id);
  if (parsed?.type !== type) throw badInput(path, `must be the id of ${an(type)}`);
  return parsed.uuid;
}

/** The UUIDs behind a list of public ids, as `decodeId` tells each of them. @throws BAD_USER_INPUT, naming `path` and the place. */
export const decodeIds = (type: NodeType, ids: readonly string[], path: string): string[] =>
  ids.map((id, index) => decodeId(type, id, `${path}.${index}`));

const an = (type: NodeType) => (/^[AEIOU]/.test(type) ? `an ${type}` : `a ${type}`);
