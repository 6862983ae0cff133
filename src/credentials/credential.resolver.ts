import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { Permission } from '../access/principal.js';
import { DeleteAccountInput } from '../accounts/account.input.js';
import { Account } from '../accounts/account.js';
import { accountById, accountNamed } from '../accounts/find.js';
import type { RequestContext } from '../context.js';
import { KeywayError } from '../errors.js';
import { decodeId } from '../ids.js';
import { Needs } from '../inputs/declared.js';
import { Forward, Paged } from '../lists/page-args.js';
import { connectionType } from '../lists/paging.js';
import { projectNamed } from '../projects/find.js';
import { Project } from '../projects/project.js';
import { Role } from '../roles/role.js';
import { storeNamed } from '../stores/find.js';
import { CredentialStore } from '../stores/store.js';
import { createCredential } from './create.js';
import { Credential, RotationPolicy } from './record/credential.js';
import {
  CreateCredentialInput,
  DeleteCredentialInput,
  IssueTemporaryCredentialInput,
  RevealCredentialInput,
  RevokeCredentialInput,
  RotateCredentialInput,
  UpdateCredentialInput,
} from './credential.input.js';
import { deleteAccount } from './delete-account.js';
import { deleteCredential } from './delete.js';
import { orderOf } from './record/filter.js';
import {
  credentialById,
  credentialsOfAccount,
  credentialsOfProject,
  credentialsOfStore,
  credentialsWithRole,
  derivedCredentials,
  latestRotation,
  listCredentials,
  rolesOfCredential,
  versionsOfCredential,
} from './record/find.js';
import { IssuedSecret } from './secret/issued-secret.js';
import { issueTemporaryCredential } from './issue.js';
import { AllCredentialsArgs, CredentialsArgs, PagedCredentials } from './list-args.js';
import { revealCredential } from './reveal.js';
import { revokeCredential } from './revoke.js';
import { rotateCredential } from './rotate.js';
import { CredentialVersion, Rotation } from './record/rotation.js';
import { updateCredential } from './update.js';
import type { Row } from '../database/columns.js';

export const CredentialConnection = connectionType('Credential', () => Credential);

@ObjectType({ simpleResolvers: true })
export class CreateCredentialPayload {
  @Field(() => Credential)
  credential: Credential;

  @Field(() => IssuedSecret, {
    nullable: true,
    description:
      'The secret. Null in a repeated answer, once the secret was replaced or the credential has ended.',
  })
  issued: IssuedSecret | null;
}

@ObjectType({ simpleResolvers: true })
export class IssueTemporaryCredentialPayload {
  @Field(() => Credential)
  credential: Credential;

  @Field(() => IssuedSecret)
  issued: IssuedSecret;
}

@ObjectType({ simpleResolvers: true })
export class UpdateCredentialPayload {
  @Field(() => Credential)
  credential: Credential;

  @Field(() => Boolean, {
    description:
      'True where the store took the change only together with the secret that Keyway has, and nothing told whether the store had that one still: a secret that somebody brought in there since is overwritten. Give the secret with the change to be sure.',
  })
  secretResent: boolean;
}

@ObjectType({ simpleResolvers: true })
export class RotateCredentialPayload {
  @Field(() => Credential)
  credential: Credential;

  @Field(() => IssuedSecret)
  issued: IssuedSecret;
}

@ObjectType({ simpleResolvers: true })
export class RevokeCredentialPayload {
  @Field(() => Credential)
  credential: Credential;
}

@ObjectType({ simpleResolvers: true })
export class DeleteCredentialPayload {
  @Field(() => Credential)
  credential: Credential;
}

@ObjectType({ simpleResolvers: true })
export class RevealCredentialPayload {
  @Field(() => Credential)
  credential: Credential;

  @Field(() => IssuedSecret)
  issued: IssuedSecret;

  @Field(() => IssuedSecret, {
    nullable: true,
    description: 'While the previous secret still works, or a new one is being brought in: that one too.',
  })
  other: IssuedSecret | null;

  @Field(() => [IssuedSecret], {
    description:
      'All that may work besides: more than one where the outcome of a rotation is not known and another is under way.',
  })
  others: IssuedSecret[];
}

@ObjectType({ simpleResolvers: true })
export class DeleteAccountPayload {
  @Field(() => ID)
  deletedId: string;
}

@Resolver(() => Credential)
export class CredentialResolver {
  @Query(() => Credential, { nullable: true, description: 'One credential; deleted ones too.' })
  @Needs(Permission.CREDENTIAL_READ)
  credential(@Ctx() ctx: RequestContext, @Arg('id', () => ID) id: string): Promise<Credential | null> {
    return credentialById(ctx).load(decodeId('Credential', id, 'id'));
  }

  @Query(() => CredentialConnection, { description: 'Credentials that the viewer may see, newest first.' })
  @Needs(Permission.CREDENTIAL_READ)
  credentials(@Ctx() ctx: RequestContext, @Args(() => AllCredentialsArgs) args: AllCredentialsArgs) {
    return listCredentials(ctx, args);
  }

  @FieldResolver(() => CredentialStore)
  store(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<CredentialStore | null> {
    return storeNamed(ctx).load(credential.storeId);
  }

  @FieldResolver(() => Account, { description: 'The account it belongs to, where it is valid.' })
  account(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Account | null> {
    return accountNamed(ctx).load(credential.accountId);
  }

  @FieldResolver(() => Account, { nullable: true, description: 'The person or service that answers for it.' })
  owner(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Account | null> | null {
    return credential.ownerId === null ? null : accountNamed(ctx).load(credential.ownerId);
  }

  @FieldResolver(() => Project, { nullable: true })
  project(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Project | null> | null {
    return credential.projectId === null ? null : projectNamed(ctx).load(credential.projectId);
  }

  @FieldResolver(() => [Role], { description: 'What it may do where it is presented.' })
  roles(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Role[]> {
    return rolesOfCredential(ctx).load(credential.id);
  }

  @FieldResolver(() => Credential, {
    nullable: true,
    description: 'The permanent credential that this temporary one was derived from.',
  })
  parent(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Credential | null> | null {
    return credential.parentId === null ? null : credentialById(ctx).load(credential.parentId);
  }

  @FieldResolver(() => CredentialConnection, { description: 'Temporary credentials derived from it.' })
  @Paged(orderOf(null))
  derived(
    @Ctx() ctx: RequestContext,
    @Root() credential: Row<Credential>,
    @Args(() => Forward) page: Forward,
  ) {
    return derivedCredentials(ctx, credential.id, page);
  }

  @FieldResolver(() => [CredentialVersion], {
    description: 'Its secret through time, newest first. Holds no secret.',
  })
  versions(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<CredentialVersion[]> {
    return versionsOfCredential(ctx).load(credential.id);
  }

  @FieldResolver(() => Rotation, { nullable: true, description: 'The rotation under way, or the last one.' })
  async rotation(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Rotation | null> {
    return (await latestRotation(ctx).load(credential.id))[0] ?? null;
  }

  @FieldResolver(() => RotationPolicy, { nullable: true })
  rotationPolicy(@Root() credential: Row<Credential>): RotationPolicy | null {
    const { rotateEvery: every, rotateGrace: gracePeriod, rotationDueAt: nextAt } = credential;
    return every !== null && gracePeriod !== null && nextAt !== null ? { every, gracePeriod, nextAt } : null;
  }

  @Mutation(() => CreateCredentialPayload)
  @Needs(Permission.CREDENTIAL_CREATE, 'credential:create')
  createCredential(
    @Ctx() ctx: RequestContext,
    @Arg('input', () => CreateCredentialInput) input: CreateCredentialInput,
  ): Promise<CreateCredentialPayload> {
    return createCredential(ctx, input);
  }

  @Mutation(() => UpdateCredentialPayload)
  @Needs(Permission.CREDENTIAL_UPDATE, 'credential:update')
  updateCredential(
    @Ctx() ctx: RequestContext,
    @Arg('input', () => UpdateCredentialInput) input: UpdateCredentialInput,
  ): Promise<UpdateCredentialPayload> {
    return updateCredential(ctx, input);
  }

  @Mutation(() => RotateCredentialPayload)
  @Needs(Permission.CREDENTIAL_ROTATE, 'credential:rotate')
  rotateCredential(
    @Ctx() ctx: RequestContext,
    @Arg('input', () => RotateCredentialInput) input: RotateCredentialInput,
  ): Promise<RotateCredentialPayload> {
    return rotateCredential(ctx, input);
  }

  @Mutation(() => RevokeCredentialPayload)
  @Needs(Permission.CREDENTIAL_REVOKE, 'credential:revoke')
  async revokeCredential(
    @Ctx() ctx: RequestContext,
    @Arg('input', () => RevokeCredentialInput) input: RevokeCredentialInput,
  ): Promise<RevokeCredentialPayload> {
    return { credential: await revokeCredential(ctx, input) };
  }

  @Mutation(() => DeleteCredentialPayload)
  @Needs(Permission.CREDENTIAL_REVOKE, 'credential:delete')
  async deleteCredential(
    @Ctx() ctx: RequestContext,
    @Arg('input', () => DeleteCredentialInput) input: DeleteCredentialInput,
  ): Promise<DeleteCredentialPayload> {
    return { credential: await deleteCredential(ctx, input) };
  }

  @Mutation(() => RevealCredentialPayload, {
    description:
      'Shows a retrievable secret again: to CREDENTIAL_REVEAL, and a temporary one to its owner and its holder. Always in the audit log.',
  })
  @Needs(Permission.CREDENTIAL_REVEAL, 'credential:reveal')
  revealCredential(
    @Ctx() ctx: RequestContext,
    @Arg('input', () => RevealCredentialInput) input: RevealCredentialInput,
  ): Promise<RevealCredentialPayload> {
    return revealCredential(ctx, input);
  }

  @Mutation(() => IssueTemporaryCredentialPayload, {
    description: 'Derives a temporary pair, which ends by itself and with its parent.',
  })
  @Needs(Permission.CREDENTIAL_CREATE, 'credential:issue')
  issueTemporaryCredential(
    @Ctx() ctx: RequestContext,
    @Arg('input', () => IssueTemporaryCredentialInput) input: IssueTemporaryCredentialInput,
  ): Promise<IssueTemporaryCredentialPayload> {
    return issueTemporaryCredential(ctx, input);
  }

  @Mutation(() => DeleteAccountPayload)
  @Needs(Permission.ACCOUNT_MANAGE, 'account:delete')
  async deleteAccount(
    @Ctx() ctx: RequestContext,
    @Arg('input', () => DeleteAccountInput) input: DeleteAccountInput,
  ): Promise<DeleteAccountPayload> {
    return { deletedId: await deleteAccount(ctx, input) };
  }
}

@Resolver(() => Rotation)
export class RotationResolver {
  @FieldResolver(() => Credential)
  credential(@Ctx() ctx: RequestContext, @Root() rotation: Row<Rotation>): Promise<Credential | null> {
    return credentialById(ctx).load(rotation.credentialId);
  }

  @FieldResolver(() => Account, { nullable: true })
  startedBy(@Ctx() ctx: RequestContext, @Root() rotation: Row<Rotation>): Promise<Account | null> | null {
    return rotation.startedById === null ? null : accountById(ctx).load(rotation.startedById);
  }

  @FieldResolver(() => CredentialVersion)
  async from(@Ctx() ctx: RequestContext, @Root() rotation: Row<Rotation>): Promise<CredentialVersion> {
    const version = await versionOf(ctx, rotation, rotation.fromNumber);
    if (!version) throw new KeywayError('INTERNAL_SERVER_ERROR');
    return version;
  }

  @FieldResolver(() => CredentialVersion, { nullable: true })
  to(@Ctx() ctx: RequestContext, @Root() rotation: Row<Rotation>): Promise<CredentialVersion | null> {
    return versionOf(ctx, rotation, rotation.toNumber);
  }
}

const versionOf = async (
  ctx: RequestContext,
  rotation: Rotation,
  number: number | null,
): Promise<CredentialVersion | null> =>
  (await versionsOfCredential(ctx).load(rotation.credentialId)).find(
    (version) => version.number === number,
  ) ?? null;

/** What credentials add to accounts. */
@Resolver(() => Account)
export class AccountCredentialsResolver {
  @FieldResolver(() => CredentialConnection)
  @PagedCredentials()
  credentials(
    @Ctx() ctx: RequestContext,
    @Root() account: Row<Account>,
    @Args(() => CredentialsArgs) args: CredentialsArgs,
  ) {
    return credentialsOfAccount(ctx, account.id, args);
  }
}

/** What credentials add to projects. */
@Resolver(() => Project)
export class ProjectCredentialsResolver {
  @FieldResolver(() => CredentialConnection, { description: 'Its credentials; of the admin project, all.' })
  @PagedCredentials()
  credentials(
    @Ctx() ctx: RequestContext,
    @Root() project: Row<Project>,
    @Args(() => CredentialsArgs) args: CredentialsArgs,
  ) {
    return credentialsOfProject(ctx, project.id, args);
  }
}

/** What credentials add to roles. */
@Resolver(() => Role)
export class RoleCredentialsResolver {
  @FieldResolver(() => CredentialConnection, { description: 'The credentials that carry it.' })
  @PagedCredentials()
  credentials(
    @Ctx() ctx: RequestContext,
    @Root() role: Row<Role>,
    @Args(() => CredentialsArgs) args: CredentialsArgs,
  ) {
    return credentialsWithRole(ctx, role.id, args);
  }
}

/** What credentials add to stores. */
@Resolver(() => CredentialStore)
export class StoreCredentialsResolver {
  @FieldResolver(() => CredentialConnection)
  @PagedCredentials()
  credentials(
    @Ctx() ctx: RequestContext,
    @Root() store: Row<CredentialStore>,
    @Args(() => CredentialsArgs) args: CredentialsArgs,
  ) {
    return credentialsOfStore(ctx, store.id, args);
  }
}
