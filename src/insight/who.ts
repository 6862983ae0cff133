import { owners, type Place } from '../access/authorize.js';
import type { RequestContext } from '../access/context.js';
import type { Permission } from '../access/principal.js';
import { leftOfEnded } from '../access/rights.js';
import { roleGrantScope } from '../access/scope.js';
import { goesOn } from '../access/works.js';
import { Account } from '../accounts/account.js';
import { accountById, accountsByName } from '../accounts/find.js';
import { placeOf } from '../credentials/record/allowed.js';
import { credentialById } from '../credentials/record/find.js';
import { selectRows } from '../database/columns.js';
import { every, type Condition } from '../database/database.js';
import { badInput, notFound } from '../errors.js';
import { parseId } from '../ids.js';
import { list } from '../lists/listing.js';
import type { Connection, Ordered, PageArgs } from '../lists/paging.js';
import { projectById } from '../projects/find.js';
import { storeById } from '../stores/find.js';

/** An account that holds a permission at a place, and by what. */
export type Holding = Account & { grantIds: string[]; asOwner: boolean };

/**
 * A page of the accounts that hold a permission at a place, by grants that the caller may see or as the owner of what is
 * there, in the order of their names: those for whom `authorize` decides so, as far as their account decides it.
 * @throws NOT_FOUND for a place that the caller may not see, BAD_USER_INPUT for the id of what is no place
 */
export async function listHolders(
  ctx: RequestContext,
  permission: Permission,
  on: string,
  page: PageArgs,
): Promise<Connection<Holding & Ordered>> {
  const place = await placeBehind(ctx, on);
  const scope = roleGrantScope(ctx.principal);
  const granted = reaching(permission);
  const ids = `ARRAY(SELECT CAST(g.id AS text) FROM grants g JOIN roles r ON r.id = g.role_id
    WHERE g.account_id = a.id AND ${granted} AND ${scope.sql} ORDER BY g.created_at, g.id)`;
  const asOwner = owners.has(permission) ? 'a.id = CAST(:owner AS uuid)' : 'false';
  const held: Condition = {
    sql: `${goesOn('a')} AND (${asOwner} OR a.id IN (SELECT g.account_id FROM grants g JOIN roles r ON r.id = g.role_id
      WHERE ${granted} AND ${scope.sql}))`,
    parameters: {
      ...scope.parameters,
      permission,
      account: place.accountId ?? null,
      project: place.projectId ?? null,
      ...(owners.has(permission) && { owner: place.owner ?? null }),
    },
    shape: `${leftOfEnded.has(permission) ? 'left' : ''}${owners.has(permission) ? 'owned' : ''}:${scope.shape}`,
  };
  const holders = {
    name: `holders:${held.shape}`,
    select: (source: Parameters<typeof selectRows>[0]) =>
      selectRows(source, Account, 'a')
        .addSelect(ids, 'grantIds')
        .addSelect(`coalesce(${asOwner}, false)`, 'asOwner'),
    from: 'accounts a',
  };
  return list<Holding>(ctx, holders, accountsByName, every(held), page);
}

/** Where something is that the caller may see. */
async function placeBehind(ctx: RequestContext, on: string): Promise<Place> {
  const { type, uuid } = parseId(on) ?? {};
  if (uuid === undefined) throw badInput('on', 'must be an id');
  const live = <Row extends { deletedAt: string | null }>(row: Row | null): Row => {
    if (!row || row.deletedAt !== null) throw notFound();
    return row;
  };
  switch (type) {
    case 'Account':
      return { accountId: live(await accountById(ctx).load(uuid)).id };
    case 'Project': {
      const { id, accountId } = live(await projectById(ctx).load(uuid));
      return { accountId, projectId: id };
    }
    case 'CredentialStore':
      return { accountId: live(await storeById(ctx).load(uuid)).accountId };
    case 'Credential': {
      const credential = await credentialById(ctx).load(uuid);
      if (!credential) throw notFound();
      return placeOf(credential);
    }
    default:
      throw badInput('on', 'must be the id of an account, a project, a credential or a store');
  }
}

/**
 * That a grant `g` of a role `r` reaches the place `:account`, `:project`, with `:permission`: what `rightsBy` finds of an
 * account from its grants down, found from the place up.
 */
function reaching(permission: Permission): string {
  const left = leftOfEnded.has(permission);
  return `:permission = ANY(r.permissions) AND (
    g.on_account_id IS NULL AND g.on_project_id IS NULL
    OR g.on_account_id = ANY(ARRAY(${above}))${left ? ' OR g.on_account_id = CAST(:account AS uuid)' : ''}
    OR g.on_project_id = ANY(ARRAY(SELECT p.id FROM projects p
      WHERE p.admin OR p.id = CAST(:project AS uuid)${left ? '' : ' AND p.deleted_at IS NULL'})))`;
}

// Nothing is reached by way of an account that was deleted.
const above = `
  WITH RECURSIVE above (id, parent_id) AS (
    SELECT w.id, w.parent_id FROM accounts w
    WHERE w.deleted_at IS NULL AND (w.id = CAST(:account AS uuid) OR w.id = (
      SELECT p.account_id FROM projects p WHERE p.id = CAST(:project AS uuid) AND p.deleted_at IS NULL))
    UNION
    SELECT w.id, w.parent_id FROM above JOIN accounts w ON w.id = above.parent_id WHERE w.deleted_at IS NULL
  ) SELECT id FROM above`;
