import type { Observed } from '../../connectors/connector.js';
import { longestCategory, longestDescription, longestName } from '../../config/limits.js';

/**
 * An entry of a listing as it can be kept: its texts without what no text in the tables can have, and no longer than
 * callers may write them. Undefined where an id, a key or a scope cannot be kept as it is: mended, it would be
 * another's.
 */
export function storable(entry: Observed): Observed | undefined {
  const { externalId, scope, accessKey, name, description, category, fullName, roles } = entry;
  if (![externalId, scope, accessKey ?? ''].every((id) => id.length <= longestId && mended(id) === id))
    return undefined;
  return {
    ...entry,
    name: cut(name, longestName) || cut(externalId, longestName),
    ...(description !== undefined && { description: text(description, longestDescription) }),
    ...(category !== undefined && { category: text(category, longestCategory) }),
    ...(fullName !== undefined && { fullName: text(fullName, longestName) }),
    // Longer than any role that is made here: one that is cut is none of those.
    ...(roles && { roles: roles.flatMap((role) => cut(role, longestName) || []) }),
  };
}

/** An index takes some 2700 bytes. */
const longestId = 500;

/** PostgreSQL has no NUL in a text, and UTF-8 no half of a surrogate pair. */
const mended = (raw: string): string => raw.replaceAll('\0', '').replace(/\p{Cs}/gu, '\ufffd');

// One character has at most two code units: what is longer is not worth reading.
const cut = (raw: string, most: number): string =>
  [...mended(raw.slice(0, 4 * most))].slice(0, most).join('');

const text = (raw: string | null, most: number): string | null =>
  raw === null ? null : cut(raw, most) || null;
