import { may, type Place } from '../access/authorize.js';
import { giverTo, Permission } from '../access/principal.js';
import { findAccount, holdAccounts } from '../accounts/find.js';
import { attemptIfNeeded } from '../accounts/second-factor.js';
import { recordAll } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { sql, violates, type Tx } from '../database/database.js';
import { badInput, conflict, forbidden } from '../errors.js';
import { once } from '../idempotency/once.js';
import { newId } from '../ids.js';
import { findProject, holdProject } from '../projects/find.js';
import { storeNamed } from '../stores/find.js';
import { changedGrant, findRole, lockRole } from './find.js';
import { authorizeGranting } from './give.js';
import { Grant } from './grant.js';
import { deedsAt, givenFrom, type GivenGrant } from './places.js';
import type { Role } from './role.js';
import type { GrantRoleInput } from './role.input.js';

/**
 * Lets an account hold a role: everywhere, in one account or in one project; the role of a store where the store is, if
 * nothing is said. It is on record there, and with the account.
 * @throws NOT_FOUND for what the caller may not see; FORBIDDEN without ROLE_MANAGE there, for a role that is not the
 * caller's to give, for one with permissions that the caller does not hold there, for the caller's own account by what a
 * token of an issuer's brings, and without the second factor that the
 * caller's account requires; BAD_USER_INPUT for one that cannot
 * be used there; CONFLICT where it is held there already.
 */
export async function grantRole(ctx: RequestContext, { mfaCode, ...input }: GrantRoleInput): Promise<Grant> {
  if (input.onAccount && input.onProject)
    throw badInput('input.onProject', 'must not be given along with onAccount');
  const account = await findAccount(ctx, input.account, 'input.account', Permission.ROLE_MANAGE);
  const role = await findRole(ctx, input.role, 'input.role');
  const onAccount = input.onAccount
    ? await findAccount(ctx, input.onAccount, 'input.onAccount', Permission.ROLE_MANAGE)
    : null;
  const onProject = input.onProject
    ? await findProject(ctx, input.onProject, 'input.onProject', Permission.ROLE_MANAGE)
    : null;
  const onAccountId = onAccount?.id ?? (onProject ? null : await accountOfStore(ctx, role));
  // A role held on the admin project is held everywhere, so it is given like one.
  const place: Place = onProject?.admin
    ? {}
    : { accountId: onAccountId ?? onProject?.accountId, projectId: onProject?.id };
  const giver = giverTo(ctx.principal, account.id);
  if (!may(giver, Permission.ROLE_MANAGE, place)) throw forbidden();

  // A repeated request has the code of its own moment.
  const factor = await attemptIfNeeded(ctx, mfaCode);
  const give = async (tx: Tx) => {
    await holdAccounts(tx, onAccountId ? [account.id, onAccountId] : [account.id]);
    if (onProject) await holdProject(tx, onProject.id);
    await authorizeGranting(giver, tx, await lockRole(ctx, tx, role.id), place);
    await factor?.prove(tx);
    const id = newId();
    try {
      await tx.em.getRepository(Grant).insert({
        id,
        accountId: account.id,
        roleId: role.id,
        onAccountId,
        onProjectId: onProject?.id ?? null,
      });
    } catch (error) {
      if (violates(error, 'grants_once')) throw conflict('The account holds that role there already.');
      throw error;
    }
    const given = await tx.rows<GivenGrant>(givenById, { id });
    await recordAll(
      ctx,
      tx,
      given.flatMap((one) => deedsAt('role:grant', one)),
    );
    return { id };
  };
  const giving = () => once(ctx, 'role:grant', input, give);
  const { result } = await (factor ? factor.during(giving) : giving());
  return changedGrant(ctx, result.id);
}

/** Where a store's role is held, if nothing is said: in all of the store. */
async function accountOfStore(ctx: RequestContext, { storeId }: Role): Promise<string | null> {
  return storeId === null ? null : ((await storeNamed(ctx).load(storeId))?.accountId ?? null);
}

const givenById = sql(givenFrom('grants', 'g.id = :id'));
