import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { adminAccountId } from '../accounts/account.js';
import { recordAll } from '../audit/record.js';
import type { RequestContext } from '../context.js';
import { sql } from '../database/database.js';
import { conflict, notFound } from '../errors.js';
import { once } from '../idempotency/once.js';
import { decodeId, encodeId } from '../ids.js';
import { grantById } from './find.js';
import { deedsAt, withdrawing, type GivenGrant } from './places.js';
import type { WithdrawRoleInput } from './role.input.js';

/**
 * Takes a role from an account, from the answer on. Returns the grant's public id.
 * @throws NOT_FOUND, FORBIDDEN; CONFLICT for the administrator's own, without which nobody could give roles any more.
 */
export async function withdrawRole(ctx: RequestContext, input: WithdrawRoleInput): Promise<string> {
  const id = decodeId('Grant', input.grant, 'input.grant');
  const { result } = await once(ctx, 'role:withdraw', input, async (tx) => {
    const grant = await grantById(ctx, tx, id);
    if (!grant) throw notFound();
    const project = grant.onProjectId;
    const [of] = project ? await tx.rows<{ admin: boolean; accountId: string }>(projectOf, { project }) : [];
    const place = of?.admin ? {} : { accountId: grant.onAccountId ?? of?.accountId, projectId: project };
    authorize(ctx.principal, Permission.ROLE_MANAGE, { ...place, about: { type: 'Grant', id } });
    if (grant.accountId === adminAccountId && grant.onAccountId === null && project === null) {
      throw conflict("The built-in administrator's own role cannot be withdrawn.");
    }
    const [withdrawn] = await tx.rows<GivenGrant>(withdraw, { id });
    if (!withdrawn) throw notFound();
    await recordAll(ctx, tx, deedsAt('role:withdraw', withdrawn));
    return { deletedId: encodeId('Grant', id) };
  });
  return result.deletedId;
}

const withdraw = sql(withdrawing('g.id = :id'));
const projectOf = sql('SELECT admin, account_id AS "accountId" FROM projects WHERE id = :project');
