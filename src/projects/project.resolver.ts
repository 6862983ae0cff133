import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { Permission } from '../access/principal.js';
import { Account } from '../accounts/account.js';
import { accountNamed } from '../accounts/find.js';
import type { RequestContext } from '../access/context.js';
import { Needs } from '../inputs/declared.js';
import { Takes } from '../inputs/takes.js';
import { ByName } from '../inputs/name-args.js';
import { Forward, Paged } from '../lists/page-args.js';
import { connectionType } from '../lists/paging.js';
import { createProject } from './create.js';
import { projectsByName, findProjectByName, listProjects, projectsOfAccount } from './find.js';
import { Project } from './project.js';
import { CreateProjectInput, ProjectFilter, UpdateProjectInput } from './project.input.js';
import { updateProject } from './update.js';
import type { Row } from '../database/columns.js';

export const ProjectConnection = connectionType('Project', () => Project);

@ObjectType({ simpleResolvers: true, description: 'What `createProject` answers.' })
export class CreateProjectPayload {
  @Field(() => Project, { description: 'The new project.' })
  project: Project;
}

@ObjectType({ simpleResolvers: true, description: 'What `updateProject` answers.' })
export class UpdateProjectPayload {
  @Field(() => Project, { description: 'The project, as it is after the change.' })
  project: Project;
}

@Resolver(() => Project)
export class ProjectResolver {
  @Query(() => Project, {
    nullable: true,
    description: 'The project with this name; null if there is none that the viewer may see.',
  })
  @Needs(Permission.PROJECT_READ)
  project(@Ctx() ctx: RequestContext, @Args(() => ByName) { name }: ByName): Promise<Project | null> {
    return findProjectByName(ctx, name);
  }

  @Query(() => ProjectConnection, {
    description: 'The projects that the viewer may see, in the order of their names.',
  })
  @Needs(Permission.PROJECT_READ)
  projects(
    @Ctx() ctx: RequestContext,
    @Arg('filter', () => ProjectFilter, {
      nullable: true,
      description: 'Which projects; all that the viewer may see, if left out.',
    })
    filter: ProjectFilter | null,
    @Args(() => Forward) page: Forward,
  ) {
    return listProjects(ctx, filter ?? {}, page);
  }

  @FieldResolver(() => Account, { description: 'The account that the project belongs to.' })
  account(@Ctx() ctx: RequestContext, @Root() project: Row<Project>): Promise<Account | null> {
    return accountNamed(ctx).load(project.accountId);
  }

  @Mutation(() => CreateProjectPayload, { description: 'Creates a project.' })
  @Needs(Permission.PROJECT_MANAGE, 'project:create')
  async createProject(
    @Ctx() ctx: RequestContext,
    @Takes(() => CreateProjectInput) input: CreateProjectInput,
  ): Promise<CreateProjectPayload> {
    return { project: await createProject(ctx, input) };
  }

  @Mutation(() => UpdateProjectPayload, { description: 'Changes a project.' })
  @Needs(Permission.PROJECT_MANAGE, 'project:update')
  async updateProject(
    @Ctx() ctx: RequestContext,
    @Takes(() => UpdateProjectInput) input: UpdateProjectInput,
  ): Promise<UpdateProjectPayload> {
    return { project: await updateProject(ctx, input) };
  }
}

/** What projects add to accounts. */
@Resolver(() => Account)
export class AccountProjectsResolver {
  @FieldResolver(() => ProjectConnection, {
    description: 'The projects of the account that the viewer may see, in the order of their names.',
  })
  @Paged(projectsByName)
  projects(@Ctx() ctx: RequestContext, @Root() account: Row<Account>, @Args(() => Forward) page: Forward) {
    return projectsOfAccount(ctx, account.id, page);
  }
}
