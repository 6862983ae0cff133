import { authorize, authorizeRepeated } from '../access/authorize.js';
import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import { recordAll } from '../audit/record.js';
import { sql } from '../database/database.js';
import { conflict } from '../errors.js';
import { once } from '../idempotency/once.js';
import { encodeId } from '../ids.js';
import { decodeId } from '../inputs/decode-id.js';
import { lockProject } from '../projects/find.js';
import type { DeleteProjectInput } from '../projects/project.input.js';
import { deedsAt, readsAudit, withdrawing, type GivenGrant } from './places.js';

/**
 * Deletes a project, and the roles held on it, but for those that let read the audit log: of them that is left. Returns
 * its public id.
 * @throws NOT_FOUND, FORBIDDEN; CONFLICT while it has credentials that are not deleted, and for the admin project.
 */
export async function deleteProject(ctx: RequestContext, input: DeleteProjectInput): Promise<string> {
  const id = decodeId('Project', input.id, 'input.id');
  // Found within, so that a replay answers although the project is gone.
  const { result, replayed } = await once(ctx, 'project:delete', input, async (tx) => {
    const { accountId, admin } = await lockProject(ctx, tx, id, Permission.PROJECT_MANAGE);
    authorize(ctx.principal, Permission.PROJECT_MANAGE, {
      accountId,
      projectId: id,
      about: { type: 'Project', id },
    });
    if (admin) throw conflict('The admin project is built in.');
    const [held] = await tx.rows<{ held: boolean }>(holdsCredentials, { id });
    if (held?.held) throw conflict('The project has credentials that are not deleted.');
    const withdrawn = await tx.rows<GivenGrant>(withdrawGrants, { id });
    await tx.rows(markDeleted, { id });
    await recordAll(ctx, tx, [
      ...withdrawn.flatMap((grant) => deedsAt('role:withdraw', grant)),
      { action: 'project:delete', target: { type: 'Project', id }, accountId, projectId: id },
    ]);
    return { deletedId: encodeId('Project', id) };
  });
  if (replayed) authorizeRepeated(ctx.principal, Permission.PROJECT_MANAGE);
  return result.deletedId;
}

const holdsCredentials = sql(`
  SELECT EXISTS (SELECT 1 FROM credentials WHERE project_id = :id AND deleted_at IS NULL) AS held`);
const withdrawGrants = sql(withdrawing(`g.on_project_id = :id AND NOT ${readsAudit}`));
const markDeleted = sql('UPDATE projects SET deleted_at = now(), updated_at = now() WHERE id = :id');
