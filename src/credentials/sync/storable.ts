import { longestCategory, longestDescription, longestName, mostListed } from '../../config/limits.js';
import { isVisible, longestKey, unclean } from '../../connectors/answers.js';
import type { Observed, Trust } from '../../connectors/connector.js';

/**
 * An entry of a listing as it can be kept: its texts without what no text may hold, and no longer than callers may write
 * them; a key that is none is left out. Undefined where an id or a scope cannot be kept as it is: mended, it would be
 * another's.
 */
export function storable({ accessKey, ...entry }: Observed): Observed | undefined {
  const { externalId, scope, name, description, category, fullName, roles, baseUrl, invalid, trust } = entry;
  if (![externalId, scope].every((id) => id.length <= longestId && !unclean.test(id))) return undefined;
  return {
    ...entry,
    // The credential is there, whatever its store says of its key.
    ...(isKept(accessKey) && { accessKey }),
    name: line(name) ?? cut(externalId, longestName),
    ...(description !== undefined && { description: text(description, longestDescription) }),
    ...(category !== undefined && { category: line(category, longestCategory) }),
    ...(fullName !== undefined && { fullName: line(fullName) }),
    ...(baseUrl !== undefined && { baseUrl: line(baseUrl) }),
    ...(invalid && { invalid: { problem: text(invalid.problem, longestDescription) } }),
    ...(trust && { trust: storableTrust(trust) }),
    // No more than a caller may give. Longer names than any role that is made here: one that is cut is none of those.
    ...(roles && { roles: roles.slice(0, mostListed).flatMap((role) => line(role) ?? []) }),
  };
}

/** An external id is a word to be repeated as it is: what is none is left out. */
export const storableTrust = ({ externalId, policy }: Trust): Trust | null =>
  isVisible(externalId, 1, longestName) ? { externalId, policy: text(policy, longestPolicyText) } : null;

/** A trust policy of AWS has no more characters. */
const longestPolicyText = 4_096;

/** An index takes some 2700 bytes. */
const longestId = 500;

const isKept = (key: string | null | undefined): key is string | null =>
  key === null || isVisible(key, 1, longestKey);

const line = (raw: string | null, most = longestName): string | null =>
  raw === null ? null : text(raw.replace(/[\s\p{Zl}\p{Zp}]+/gu, ' '), most);

const text = (raw: string | null, most: number): string | null =>
  raw === null ? null : cut(raw, most) || null;

// One character has at most two code units: what is longer is not worth reading.
const cut = (raw: string, most: number): string =>
  [...mended(raw.slice(0, 4 * most))].slice(0, most).join('');

/** Without what no text may hold, but for lines and tabs. UTF-8 has no half of a surrogate pair. */
const mended = (raw: string): string =>
  raw
    .replace(/\r\n?|[\p{Zl}\p{Zp}]/gu, '\n')
    .replace(/\p{Cs}/gu, '\ufffd')
    .replace(allUnclean, (one) => (one === '\n' || one === '\t' ? one : ''));

const allUnclean = new RegExp(unclean.source, 'gu');
