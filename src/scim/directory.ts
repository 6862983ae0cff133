import { authorize } from '../access/authorize.js';
import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import type { ScimDirectory } from '../config/scim-directories.js';
import { forbidden } from '../errors.js';
import { parseId } from '../ids.js';

/** The people and groups of one identity provider. */
export interface Directory extends ScimDirectory {
  /** The account that the people are part of. */
  readonly id: string;
}

/**
 * The directory that the caller keeps.
 * @throws FORBIDDEN for who keeps none, and without ACCOUNT_MANAGE on the account that its people are part of
 */
export function directoryOf(directories: readonly ScimDirectory[], { principal }: RequestContext): Directory {
  const found = directories.find(({ client }) => parseId(client)?.uuid === principal.accountId);
  const id = found && parseId(found.parent)?.uuid;
  if (!id) throw forbidden('The account of the caller is the client of no directory (KEYWAY_SCIM).');
  authorize(principal, Permission.ACCOUNT_MANAGE, { accountId: id, about: { type: 'Account', id } });
  return { ...found, id };
}

/** What names are compared by: the same text in other characters or in another case is the same name. */
export const keyOfName = (name: string): string => name.normalize('NFKC').toLowerCase();
