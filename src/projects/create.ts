import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { findAccount, holdAccounts } from '../accounts/find.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { violates } from '../database/database.js';
import { conflict } from '../errors.js';
import { once } from '../idempotency/once.js';
import { newId } from '../ids.js';
import { changedProject } from './find.js';
import { Project } from './project.js';
import type { CreateProjectInput } from './project.input.js';

/**
 * Makes a project of an account.
 * @throws NOT_FOUND for an account that the caller may not see; FORBIDDEN without PROJECT_MANAGE there; CONFLICT for a
 * name in use.
 */
export async function createProject(ctx: RequestContext, input: CreateProjectInput): Promise<Project> {
  const account = await findAccount(ctx, input.account, 'input.account', Permission.PROJECT_MANAGE);
  authorize(ctx.principal, Permission.PROJECT_MANAGE, {
    accountId: account.id,
    about: { type: 'Account', id: account.id },
  });
  const { result } = await once(ctx, 'project:create', input, async (tx) => {
    const id = newId();
    await holdAccounts(tx, [account.id]);
    try {
      await tx.em.getRepository(Project).insert({
        id,
        accountId: account.id,
        name: input.name,
        title: input.title ?? input.name,
        description: input.description ?? null,
      });
    } catch (error) {
      if (violates(error, 'projects_name')) throw conflict('The name of the project is in use.');
      throw error;
    }
    await record(ctx, tx, {
      action: 'project:create',
      target: { type: 'Project', id },
      accountId: account.id,
      projectId: id,
    });
    return { id };
  });
  return changedProject(ctx, result.id);
}
