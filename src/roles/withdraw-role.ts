import { authorize, authorizeRepeated, type Place } from '../access/authorize.js';
import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import { adminAccountId } from '../accounts/account.js';
import { recordAll } from '../audit/record.js';
import { sql, type Tx } from '../database/database.js';
import { conflict, notFound } from '../errors.js';
import { once } from '../idempotency/once.js';
import { encodeId } from '../ids.js';
import { decodeId } from '../inputs/decode-id.js';
import { administrator } from './built-in.js';
import { grantById } from './find.js';
import type { Grant } from './grant.js';
import { deedsAt, withdrawing, type GivenGrant } from './places.js';
import type { WithdrawRoleInput } from './role.input.js';

/**
 * Takes a role from an account, from the answer on. Returns the grant's public id.
 * @throws NOT_FOUND, FORBIDDEN; CONFLICT for the administrator's own, without which nobody could give roles any more.
 */
export async function withdrawRole(ctx: RequestContext, input: WithdrawRoleInput): Promise<string> {
  const id = decodeId('Grant', input.grant, 'input.grant');
  const { result, replayed } = await once(ctx, 'role:withdraw', input, async (tx) => {
    const grant = await grantById(ctx, tx, id);
    if (!grant) throw notFound();
    const place = await placeOf(tx, grant);
    authorize(ctx.principal, Permission.ROLE_MANAGE, { ...place, about: { type: 'Grant', id } });
    const isEverywhere = grant.onAccountId === null && grant.onProjectId === null;
    if (grant.accountId === adminAccountId && isEverywhere && (await isAdministrators(tx, grant))) {
      throw conflict("The built-in administrator's own role cannot be withdrawn.");
    }
    const [withdrawn] = await tx.rows<GivenGrant>(withdraw, { id });
    if (!withdrawn) throw notFound();
    await recordAll(ctx, tx, deedsAt('role:withdraw', withdrawn));
    return { deletedId: encodeId('Grant', id) };
  });
  if (replayed) authorizeRepeated(ctx.principal, Permission.ROLE_MANAGE);
  return result.deletedId;
}

const isAdministrators = async (tx: Tx, { roleId }: Grant): Promise<boolean> =>
  (await tx.rows(administrators, { roleId, name: administrator })).length > 0;

/**
 * Where a grant gives power: everywhere, where that is on the admin project. Of what was deleted, it is in the hands of
 * those who run what that was part of.
 */
async function placeOf(tx: Tx, { onAccountId, onProjectId }: Grant): Promise<Place> {
  const [project] = onProjectId
    ? await tx.rows<{ admin: boolean; accountId: string }>(projectOf, { project: onProjectId })
    : [];
  if (project?.admin) return {};
  const account = onAccountId ?? project?.accountId;
  if (!account) return {};
  const [living] = await tx.rows<{ id: string }>(livingAbove, { account });
  return { accountId: living?.id ?? account, projectId: onProjectId };
}

const livingAbove = sql(`
  WITH RECURSIVE above (id, parent_id, ended) AS (
    SELECT id, parent_id, deleted_at IS NOT NULL FROM accounts WHERE id = :account
    UNION
    SELECT a.id, a.parent_id, a.deleted_at IS NOT NULL FROM above b JOIN accounts a ON a.id = b.parent_id WHERE b.ended
  )
  SELECT id FROM above WHERE NOT ended`);
const administrators = sql('SELECT id FROM roles WHERE id = :roleId AND built_in AND name = :name');
const withdraw = sql(withdrawing('g.id = :id'));
const projectOf = sql('SELECT admin, account_id AS "accountId" FROM projects WHERE id = :project');
