import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { everyPermission, Permission } from '../access/principal.js';
import { Account } from '../accounts/account.js';
import { accountById, accountNamed } from '../accounts/find.js';
import type { RequestContext } from '../access/context.js';
import { Needs } from '../inputs/declared.js';
import { Takes } from '../inputs/takes.js';
import { ByName } from '../inputs/name-args.js';
import { Forward, Paged } from '../lists/page-args.js';
import { connectionType } from '../lists/paging.js';
import { projectNamed } from '../projects/find.js';
import { Project } from '../projects/project.js';
import { createRole } from './create.js';
import { DeleteProjectInput } from '../projects/project.input.js';
import { deleteProject } from './delete-project.js';
import { deleteRole } from './delete.js';
import { deleteStore, type DeletedStore } from './delete-store.js';
import { DeleteStoreInput } from '../stores/store.input.js';
import {
  findRoleByName,
  grantsOfAccount,
  grantsOfRole,
  grantsOnAccount,
  grantsOnProject,
  listRoles,
  roleNamed,
  rolesByName,
  rolesOfAccount,
  rolesOfStore,
} from './find.js';
import { grantRole } from './grant-role.js';
import { Grant } from './grant.js';
import { Role } from './role.js';
import {
  CreateRoleInput,
  DeleteRoleInput,
  GrantRoleInput,
  RoleFilter,
  UpdateRoleInput,
  WithdrawRoleInput,
} from './role.input.js';
import { updateRole } from './update.js';
import { withdrawRole } from './withdraw-role.js';
import { storeById } from '../stores/find.js';
import { CredentialStore } from '../stores/store.js';
import type { Row } from '../database/columns.js';

export const RoleConnection = connectionType('Role', () => Role);

@ObjectType({ simpleResolvers: true, description: 'What `createRole` answers.' })
export class CreateRolePayload {
  @Field(() => Role, { description: 'The new role.' })
  role: Role;
}

@ObjectType({ simpleResolvers: true, description: 'What `updateRole` answers.' })
export class UpdateRolePayload {
  @Field(() => Role, { description: 'The role, as it is after the change.' })
  role: Role;
}

@ObjectType({ simpleResolvers: true, description: 'What `deleteRole` answers.' })
export class DeleteRolePayload {
  @Field(() => ID, { description: 'The id that the role had.' })
  deletedId: string;
}

@ObjectType({ simpleResolvers: true, description: 'What `deleteProject` answers.' })
export class DeleteProjectPayload {
  @Field(() => ID, { description: 'The id that the project had.' })
  deletedId: string;
}

@ObjectType({ simpleResolvers: true, description: 'What `deleteStore` answers.' })
export class DeleteStorePayload {
  @Field(() => ID, { description: 'The id that the store had.' })
  deletedId: string;

  abandonedIds: string[];

  @Field(() => Int, {
    description: 'How many credentials were abandoned: their secrets may still work in that system.',
  })
  abandonedCount: number;
}

@ObjectType({ simpleResolvers: true, description: 'What `grantRole` answers.' })
export class GrantRolePayload {
  @Field(() => Grant, {
    description: 'The new grant.',
  })
  grant: Grant;
}

@ObjectType({ simpleResolvers: true, description: 'What `withdrawRole` answers.' })
export class WithdrawRolePayload {
  @Field(() => ID, { description: 'The id that the grant had.' })
  deletedId: string;
}

@Resolver(() => Role)
export class RoleResolver {
  @Query(() => Role, {
    nullable: true,
    description:
      'The role with this name that is for all accounts, or else the only one of an account or store; null if there is none that the viewer may see. If several accounts or stores have one, the error is BAD_USER_INPUT: see `roles` of the account or store.',
  })
  @Needs(Permission.ROLE_READ)
  role(@Ctx() ctx: RequestContext, @Args(() => ByName) { name }: ByName): Promise<Role | null> {
    return findRoleByName(ctx, name);
  }

  @Query(() => RoleConnection, {
    description: 'The roles that the viewer may see, in the order of their names.',
  })
  @Needs(Permission.ROLE_READ)
  roles(
    @Ctx() ctx: RequestContext,
    @Arg('filter', () => RoleFilter, {
      nullable: true,
      description: 'Which roles; all that the viewer may see, if left out.',
    })
    filter: RoleFilter | null,
    @Args(() => Forward) page: Forward,
  ) {
    return listRoles(ctx, filter ?? {}, page);
  }

  @FieldResolver(() => [Permission])
  permissions(@Root() role: Row<Role>): Permission[] {
    return role.permissions.filter((permission) => everyPermission.includes(permission));
  }

  @FieldResolver(() => Account, {
    nullable: true,
    description:
      'The account whose role it is, for use in that account and its sub-accounts. Null if it is for all accounts or the role of a store, or if the viewer may not see the account.',
  })
  account(@Ctx() ctx: RequestContext, @Root() role: Row<Role>): Promise<Account | null> | null {
    return role.accountId === null ? null : accountById(ctx).load(role.accountId);
  }

  @FieldResolver(() => CredentialStore, {
    nullable: true,
    description:
      'The store whose role it is, for its credentials alone. Null if it is no role of a store, or if the viewer may not see the store.',
  })
  store(@Ctx() ctx: RequestContext, @Root() role: Row<Role>): Promise<CredentialStore | null> | null {
    return role.storeId === null ? null : storeById(ctx).load(role.storeId);
  }

  @FieldResolver(() => [Grant], {
    description: 'The grants of this role that the viewer may see, oldest first.',
  })
  grants(@Ctx() ctx: RequestContext, @Root() role: Row<Role>): Promise<Grant[]> {
    return grantsOfRole(ctx).load(role.id);
  }

  @Mutation(() => CreateRolePayload, { description: 'Creates a role.' })
  @Needs(Permission.ROLE_MANAGE, 'role:create')
  async createRole(
    @Ctx() ctx: RequestContext,
    @Takes(() => CreateRoleInput) input: CreateRoleInput,
  ): Promise<CreateRolePayload> {
    return { role: await createRole(ctx, input) };
  }

  @Mutation(() => UpdateRolePayload, {
    description: 'Changes a role, for all accounts and credentials that have it, from the next request on.',
  })
  @Needs(Permission.ROLE_MANAGE, 'role:update')
  async updateRole(
    @Ctx() ctx: RequestContext,
    @Takes(() => UpdateRoleInput) input: UpdateRoleInput,
  ): Promise<UpdateRolePayload> {
    return { role: await updateRole(ctx, input) };
  }

  @Mutation(() => DeleteRolePayload, { description: 'Deletes a role.' })
  @Needs(Permission.ROLE_MANAGE, 'role:delete')
  async deleteRole(
    @Ctx() ctx: RequestContext,
    @Takes(() => DeleteRoleInput) input: DeleteRoleInput,
  ): Promise<DeleteRolePayload> {
    return { deletedId: await deleteRole(ctx, input) };
  }

  @Mutation(() => GrantRolePayload, { description: 'Grants a role to an account.' })
  @Needs(Permission.ROLE_MANAGE, 'role:grant')
  async grantRole(
    @Ctx() ctx: RequestContext,
    @Takes(() => GrantRoleInput) input: GrantRoleInput,
  ): Promise<GrantRolePayload> {
    return { grant: await grantRole(ctx, input) };
  }

  @Mutation(() => WithdrawRolePayload, {
    description: 'Takes a granted role from an account, from the next request on.',
  })
  @Needs(Permission.ROLE_MANAGE, 'role:withdraw')
  async withdrawRole(
    @Ctx() ctx: RequestContext,
    @Takes(() => WithdrawRoleInput) input: WithdrawRoleInput,
  ): Promise<WithdrawRolePayload> {
    return { deletedId: await withdrawRole(ctx, input) };
  }
}

@Resolver(() => Grant)
export class GrantResolver {
  @FieldResolver(() => Account, { description: 'The account that has the role.' })
  account(@Ctx() ctx: RequestContext, @Root() grant: Row<Grant>): Promise<Account | null> {
    return accountNamed(ctx).load(grant.accountId);
  }

  @FieldResolver(() => Role, { description: 'The role that is granted.' })
  role(@Ctx() ctx: RequestContext, @Root() grant: Row<Grant>): Promise<Role | null> {
    return roleNamed(ctx).load(grant.roleId);
  }

  @FieldResolver(() => Account, {
    nullable: true,
    description:
      'The account that the role is granted on, with its projects, its sub-accounts and their projects; null if it is granted on a project or everywhere.',
  })
  onAccount(@Ctx() ctx: RequestContext, @Root() grant: Row<Grant>): Promise<Account | null> | null {
    return grant.onAccountId === null ? null : accountNamed(ctx).load(grant.onAccountId);
  }

  @FieldResolver(() => Project, {
    nullable: true,
    description:
      'The project that the role is granted on; null if it is granted on an account or everywhere.',
  })
  onProject(@Ctx() ctx: RequestContext, @Root() grant: Row<Grant>): Promise<Project | null> | null {
    return grant.onProjectId === null ? null : projectNamed(ctx).load(grant.onProjectId);
  }
}

/** What roles add to accounts. */
@Resolver(() => Account)
export class AccountGrantsResolver {
  @FieldResolver(() => [Grant], {
    description:
      'The roles that the account has, and where, oldest first. Only those that the viewer may see.',
  })
  grants(@Ctx() ctx: RequestContext, @Root() account: Row<Account>): Promise<Grant[]> {
    return grantsOfAccount(ctx).load(account.id);
  }

  @FieldResolver(() => [Grant], {
    description:
      'The roles that accounts have on this account, also accounts that are not part of it, oldest first. Only those that the viewer may see: with ROLE_READ or ROLE_MANAGE here, all.',
  })
  grantsOn(@Ctx() ctx: RequestContext, @Root() account: Row<Account>): Promise<Grant[]> {
    return grantsOnAccount(ctx).load(account.id);
  }

  @FieldResolver(() => RoleConnection, {
    description:
      'The roles of this account, which can be used in it and its sub-accounts, in the order of their names. Only those that the viewer may see.',
  })
  @Paged(rolesByName)
  roles(@Ctx() ctx: RequestContext, @Root() account: Row<Account>, @Args(() => Forward) page: Forward) {
    return rolesOfAccount(ctx, account.id, page);
  }
}

/** What roles add to stores. */
@Resolver(() => CredentialStore)
export class StoreRolesResolver {
  @FieldResolver(() => RoleConnection, {
    description:
      'The roles that the store has, as far as Keyway knows them, in the order of their names. Only those that the viewer may see.',
  })
  @Paged(rolesByName)
  roles(@Ctx() ctx: RequestContext, @Root() store: Row<CredentialStore>, @Args(() => Forward) page: Forward) {
    return rolesOfStore(ctx, store.id, page);
  }

  @Mutation(() => DeleteStorePayload, {
    description:
      'Disconnects an outside system. Its credentials and roles are deleted in Keyway; in the system itself nothing changes.',
  })
  @Needs(Permission.STORE_MANAGE, 'store:delete')
  deleteStore(
    @Ctx() ctx: RequestContext,
    @Takes(() => DeleteStoreInput) input: DeleteStoreInput,
  ): Promise<DeletedStore> {
    return deleteStore(ctx, input);
  }
}

/** What roles add to projects. */
@Resolver(() => Project)
export class ProjectGrantsResolver {
  @FieldResolver(() => [Grant], {
    description:
      'The roles that accounts have on this project, oldest first. Only those that the viewer may see: with ROLE_READ or ROLE_MANAGE here, all.',
  })
  grants(@Ctx() ctx: RequestContext, @Root() project: Row<Project>): Promise<Grant[]> {
    return grantsOnProject(ctx).load(project.id);
  }
  @Mutation(() => DeleteProjectPayload, {
    description:
      'Deletes a project, and withdraws the roles that were granted on it. Those with AUDIT_READ still allow to read its audit log, and nothing else.',
  })
  @Needs(Permission.PROJECT_MANAGE, 'project:delete')
  async deleteProject(
    @Ctx() ctx: RequestContext,
    @Takes(() => DeleteProjectInput) input: DeleteProjectInput,
  ): Promise<DeleteProjectPayload> {
    return { deletedId: await deleteProject(ctx, input) };
  }
}
