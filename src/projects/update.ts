import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { once } from '../idempotency/once.js';
import { changedProject, findProject, lockProject } from './find.js';
import { Project } from './project.js';
import type { UpdateProjectInput } from './project.input.js';

/** Changes what is recorded of a project. @throws NOT_FOUND, FORBIDDEN without PROJECT_MANAGE. */
export async function updateProject(ctx: RequestContext, input: UpdateProjectInput): Promise<Project> {
  const found = await findProject(ctx, input.id, 'input.id', Permission.PROJECT_MANAGE);
  authorize(ctx.principal, Permission.PROJECT_MANAGE, {
    accountId: found.accountId,
    projectId: found.id,
    about: { type: 'Project', id: found.id },
  });
  const { result } = await once(ctx, 'project:update', input, async (tx) => {
    const project = await lockProject(ctx, tx, found.id, Permission.PROJECT_MANAGE);
    const wanted: Partial<Project> = {
      ...(input.title !== undefined && { title: input.title }),
      ...(input.description !== undefined && { description: input.description }),
    };
    const names = (Object.keys(wanted) as (keyof Project)[]).filter((name) => wanted[name] !== project[name]);
    if (names.length > 0) {
      await tx.em.getRepository(Project).update({ id: project.id }, { ...wanted, updatedAt: () => 'now()' });
    }
    await record(ctx, tx, {
      action: 'project:update',
      target: { type: 'Project', id: project.id },
      accountId: project.accountId,
      projectId: project.id,
      changed: names,
    });
    return { id: project.id };
  });
  return changedProject(ctx, result.id);
}
