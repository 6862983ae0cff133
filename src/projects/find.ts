import type { Permission } from '../access/principal.js';
import { projectScope } from '../access/scope.js';
import { anyOfIds } from '../database/among.js';
import { selectRows } from '../database/columns.js';
import type { RequestContext } from '../access/context.js';
import { condition, every, sql, type Condition, type Tx } from '../database/database.js';
import type { Part } from '../database/joined.js';
import { notFound } from '../errors.js';
import { decodeId, decodeIds } from '../inputs/decode-id.js';
import { list, listUnder, type Listing } from '../lists/listing.js';
import { loadLists, loadOne, loadOneBy } from '../lists/loading.js';
import type { Connection, Order, Ordered, PageArgs } from '../lists/paging.js';
import { searching } from '../lists/search.js';
import { Project } from './project.js';

/**
 * The project behind a public id, where the caller may see it.
 * @param by the permission of the verb at hand: it shows the project too.
 * @throws NOT_FOUND if there is none that the caller may see, BAD_USER_INPUT naming `path` for another type's id.
 */
export async function findProject(
  ctx: RequestContext,
  id: string,
  path: string,
  by?: Permission,
): Promise<Project> {
  const uuid = decodeId('Project', id, path);
  const project = await projectFor(ctx, by).load(uuid);
  if (!project) throw notFound();
  return project;
}

const projectFor = loadOneBy<Project, Permission>((ctx, by) => {
  const scope = projectScope(ctx.principal, by);
  const statement = ctx.db.statement(`project found:${scope.shape}`, (source) =>
    selectRows(source, Project, 'p').where(`p.id = ${anyOfIds}`).andWhere(live.sql).andWhere(scope.sql),
  );
  return { statement, parameters: scope.parameters };
});

/** The project of that name, or null if there is none that the caller may see. */
export async function findProjectByName(ctx: RequestContext, name: string): Promise<Project | null> {
  const where = every(condition('p.name = :name', { name }), live, projectScope(ctx.principal));
  const statement = ctx.db.statement(`project:${where.shape}`, (source) =>
    selectRows(source, Project, 'p').where(where.sql),
  );
  const [project] = await ctx.db.rows<Project>(statement, where.parameters);
  return project ?? null;
}

/**
 * The project as it is at this instant, locked to the end of the transaction.
 * @throws NOT_FOUND where the caller's hold on it ended meanwhile.
 */
export async function lockProject(ctx: RequestContext, tx: Tx, id: string, by: Permission): Promise<Project> {
  const where = every(condition('p.id = :id', { id }), live, projectScope(ctx.principal, by));
  const statement = ctx.db.statement(
    `project locked:${where.shape}`,
    (source) => selectRows(source, Project, 'p').where(where.sql),
    (sql) => `${sql} FOR UPDATE OF p`,
  );
  const [project] = await tx.rows<Project>(statement, where.parameters);
  if (!project) throw notFound();
  return project;
}

/** Keeps a project that a new row is to name from being deleted, as `holdAccounts` does accounts. @throws NOT_FOUND */
export async function holdProject(tx: Tx, id: string): Promise<void> {
  if ((await tx.rows(liveProject, { id })).length === 0) throw notFound();
}

/** The same as part of a statement, which brings a row if the project is there. */
export const projectHeld = (id: string): Part => ({ statement: liveProject, parameters: { id } });

/** The project that a verb has just changed, as it now is, deleted since or not: who may do the verb may see what it did. */
export async function changedProject(ctx: RequestContext, id: string): Promise<Project> {
  const project = await projectNamed(ctx).clear(id).load(id);
  if (!project) throw notFound();
  return project;
}

/** Projects by UUID, deleted ones too: what belonged to one still says so. */
export const projectById = loadOne<Project>((ctx) => {
  const scope = projectScope(ctx.principal);
  const statement = ctx.db.statement(`projects by id:${scope.shape}`, (source) =>
    selectRows(source, Project, 'p').where(`p.id = ${anyOfIds}`).andWhere(scope.sql),
  );
  return { statement, parameters: scope.parameters };
});

/**
 * The projects that rows must name, by UUID: a credential that hid its project would look as if it had none, and a
 * grant as if it held everywhere.
 */
export const projectNamed = loadOne<Project>((ctx) => {
  const statement = ctx.db.statement('projects named', (source) =>
    selectRows(source, Project, 'p').where(`p.id = ${anyOfIds}`),
  );
  return { statement, parameters: {} };
});

export interface ProjectFilterArgs {
  account?: string[] | null;
  search?: string | null;
}

/** A page of projects in the order of their names. */
export function listProjects(
  ctx: RequestContext,
  filter: ProjectFilterArgs,
  args: PageArgs,
): Promise<Connection<Project & Ordered>> {
  const where: Condition[] = [live, projectScope(ctx.principal)];
  if (filter.account) {
    const account = decodeIds('Account', filter.account, 'filter.account');
    where.push(condition('p.account_id = ANY(:account)', { account }));
  }
  if (filter.search) where.push(searching(words, filter.search));
  return list(ctx, projects, projectsByName, every(...where), args);
}

/** A page of the projects of each account. */
export const projectsOfAccount = loadLists(
  (args: PageArgs) => JSON.stringify(args),
  (ctx, parents, args) =>
    listUnder<Project>(
      ctx,
      projects,
      projectsByName,
      every(live, projectScope(ctx.principal)),
      args,
      'p.account_id = parent.id',
      parents,
    ),
);

const liveProject = sql('SELECT id FROM projects WHERE id = :id AND deleted_at IS NULL FOR SHARE');
const live = condition('p.deleted_at IS NULL');
/** What a search looks in, as the index projects_search has it. */
const words = `(E'\\n' || keyway_words(p.name || E'\\n' || p.title COLLATE "C"))`;
const projects: Listing = {
  name: 'projects',
  select: (source) => selectRows(source, Project, 'p'),
  from: 'projects p',
};
/** The order of lists of projects. */
export const projectsByName: Order = {
  name: 'projects by name',
  expression: 'p.sort_name',
  type: 'text',
  id: 'p.id',
  direction: 'ASC',
};
