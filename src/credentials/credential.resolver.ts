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
import { Permission } from '../access/principal.js';
import { DeleteAccountInput } from '../accounts/account.input.js';
import { Account } from '../accounts/account.js';
import { accountById, accountNamed } from '../accounts/find.js';
import { mostListed } from '../config/limits.js';
import type { RequestContext } from '../access/context.js';
import { instantMs } from '../time.js';
import { KeywayError } from '../errors.js';
import { decodeId } from '../inputs/decode-id.js';
import { Needs } from '../inputs/declared.js';
import { Takes } from '../inputs/takes.js';
import { IPRange } from '../inputs/scalars.js';
import { Forward, Paged } from '../lists/page-args.js';
import { connectionType } from '../lists/paging.js';
import { projectNamed } from '../projects/find.js';
import { Project } from '../projects/project.js';
import type { DeletedStore } from '../roles/delete-store.js';
import { Role } from '../roles/role.js';
import { DeleteStorePayload } from '../roles/role.resolver.js';
import { storeNamed } from '../stores/find.js';
import { CredentialStore } from '../stores/store.js';
import { createCredential } from './create.js';
import { Credential, CredentialKind, RotationPolicy } from './record/credential.js';
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
import { SecretFormat } from './secret/secret.input.js';
import { issueTemporaryCredential } from './issue.js';
import { AllCredentialsArgs, CredentialsArgs, PagedCredentials } from './list-args.js';
import { StoreChange, storeChangesOf } from './outside/store-change.js';
import { revealCredential } from './reveal.js';
import { revokeCredential } from './revoke.js';
import { rotateCredential } from './rotate.js';
import { CredentialVersion, Rotation } from './record/rotation.js';
import { updateCredential } from './update.js';
import type { Row } from '../database/columns.js';

export const CredentialConnection = connectionType('Credential', () => Credential);

@ObjectType({ simpleResolvers: true, description: 'What `createCredential` answers.' })
export class CreateCredentialPayload {
  @Field(() => Credential, { description: 'The new credential.' })
  credential: Credential;

  @Field(() => IssuedSecret, {
    nullable: true,
    description:
      'The new secret. Null if this is a repeated answer to the same `idempotencyKey` and the secret has been replaced or the credential has stopped working since.',
  })
  issued: IssuedSecret | null;
}

@ObjectType({ simpleResolvers: true, description: 'What `issueTemporaryCredential` answers.' })
export class IssueTemporaryCredentialPayload {
  @Field(() => Credential, { description: 'The new temporary credential.' })
  credential: Credential;

  @Field(() => IssuedSecret, {
    description:
      'The new pair. In a repeated answer to the same `idempotencyKey` its secret is null once the credential has stopped working.',
  })
  issued: IssuedSecret;
}

@ObjectType({ simpleResolvers: true, description: 'What `updateCredential` answers.' })
export class UpdateCredentialPayload {
  @Field(() => Credential, { description: 'The credential, as it is after the change.' })
  credential: Credential;

  @Field(() => Boolean, {
    description:
      'True if the store accepted the change only together with the secret that Keyway has, and could not show whether that secret was still its current one: a newer secret in the store is overwritten. Give the secret with the change to be sure.',
  })
  secretResent: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'What `rotateCredential` answers.' })
export class RotateCredentialPayload {
  @Field(() => Credential, { description: 'The credential, as it is after the rotation.' })
  credential: Credential;

  @Field(() => IssuedSecret, {
    description:
      'The new secret. In a repeated answer to the same `idempotencyKey` its fields `secret` and `keys` are null if it has been replaced or the credential has stopped working since.',
  })
  issued: IssuedSecret;
}

@ObjectType({ simpleResolvers: true, description: 'What `revokeCredential` answers.' })
export class RevokeCredentialPayload {
  @Field(() => Credential, { description: 'The credential, as it is after the change.' })
  credential: Credential;

  @Field(() => Boolean, {
    description:
      'False if the credential had ended before, for another reason or for none that is known: its `revokeReason` stays as it was, and the `reason` that was given is recorded nowhere. True if none was given.',
  })
  reasonRecorded: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'What `deleteCredential` answers.' })
export class DeleteCredentialPayload {
  @Field(() => Credential, { description: 'The credential, as it was deleted.' })
  credential: Credential;
}

@ObjectType({ simpleResolvers: true, description: 'What `revealCredential` answers.' })
export class RevealCredentialPayload {
  @Field(() => Credential, { description: 'The credential whose secret is shown.' })
  credential: Credential;

  @Field(() => IssuedSecret, { description: 'The current secret.' })
  issued: IssuedSecret;

  @Field(() => IssuedSecret, {
    nullable: true,
    description:
      'The first of `others`, such as the previous secret in its grace period; null if there is none.',
  })
  other: IssuedSecret | null;

  @Field(() => [IssuedSecret], {
    description:
      'All other secrets that may work: one that a rotation is bringing in comes first, then previous secrets and those of rotations whose outcome is not known.',
  })
  others: IssuedSecret[];
}

@ObjectType({
  description: 'A credential that an account owned, and that stays as it is without that owner.',
})
export class UntouchedCredential {
  id: string;

  @Field(() => String, { description: 'Why it stays as it is.' })
  reason: string;
}

@ObjectType({ simpleResolvers: true, description: 'What `deleteAccount` answers.' })
export class DeleteAccountPayload {
  @Field(() => ID, { description: 'The id that the account had.' })
  deletedId: string;

  @Field(() => [UntouchedCredential], {
    description: `Credentials of other accounts that it owned and that the viewer may not revoke there, or give to another owner: they go on working without an owner. At most the first ${mostListed}.`,
  })
  untouched: UntouchedCredential[];

  @Field(() => Int, { description: 'How many there are of them.' })
  untouchedCount: number;
}

@Resolver(() => Credential)
export class CredentialResolver {
  @Query(() => Credential, {
    nullable: true,
    description:
      'The credential with this id, also if it is deleted; null if there is none that the viewer may see.',
  })
  @Needs(Permission.CREDENTIAL_READ)
  credential(
    @Ctx() ctx: RequestContext,
    @Arg('id', () => ID, { description: 'The id of the credential.' }) id: string,
  ): Promise<Credential | null> {
    return credentialById(ctx).load(decodeId('Credential', id, 'id'));
  }

  @Query(() => CredentialConnection, {
    description: 'The credentials that the viewer may see, newest first unless `orderBy` says otherwise.',
  })
  @Needs(Permission.CREDENTIAL_READ)
  credentials(@Ctx() ctx: RequestContext, @Args(() => AllCredentialsArgs) args: AllCredentialsArgs) {
    return listCredentials(ctx, args);
  }

  @FieldResolver(() => SecretFormat, {
    nullable: true,
    description: 'How the secret of an access key is written; null for other kinds, and in outside stores.',
  })
  secretFormat(@Root() { secretFormat }: Row<Credential>): SecretFormat | null {
    return secretFormat === null ? null : SecretFormat[secretFormat];
  }

  @FieldResolver(() => CredentialStore, { description: 'The store that it is in.' })
  store(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<CredentialStore | null> {
    return storeNamed(ctx).load(credential.storeId);
  }

  @FieldResolver(() => Account, { description: 'The account that it belongs to.' })
  account(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Account | null> {
    return accountNamed(ctx).load(credential.accountId);
  }

  @FieldResolver(() => Account, {
    nullable: true,
    description: 'The account of the person or service that is responsible for it; null if none is recorded.',
  })
  owner(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Account | null> | null {
    return credential.ownerId === null ? null : accountNamed(ctx).load(credential.ownerId);
  }

  @FieldResolver(() => Account, {
    nullable: true,
    description:
      'The account that created or issued it. Null if Keyway made it by itself or found it in an outside store, if it was made before Keyway recorded this, or if the viewer may not see the account.',
  })
  createdBy(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Account | null> | null {
    return credential.createdById === null ? null : accountById(ctx).load(credential.createdById);
  }

  @FieldResolver(() => Project, {
    nullable: true,
    description: 'The project that it is in; null if it is in none.',
  })
  project(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Project | null> | null {
    return credential.projectId === null ? null : projectNamed(ctx).load(credential.projectId);
  }

  @FieldResolver(() => [Role], {
    description: 'Its roles, which a service that verifies it is told, in the order of their names.',
  })
  roles(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Role[]> {
    return rolesOfCredential(ctx).load(credential.id);
  }

  @FieldResolver(() => Credential, {
    nullable: true,
    description:
      'The permanent credential that this temporary one was derived from. Null if it is not temporary, or if the viewer may not see the parent.',
  })
  parent(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Credential | null> | null {
    return credential.parentId === null ? null : credentialById(ctx).load(credential.parentId);
  }

  @FieldResolver(() => CredentialConnection, {
    description: 'The temporary credentials derived from it, newest first.',
  })
  @Paged(orderOf(null))
  derived(
    @Ctx() ctx: RequestContext,
    @Root() credential: Row<Credential>,
    @Args(() => Forward) page: Forward,
  ) {
    return derivedCredentials(ctx, credential.id, page);
  }

  @FieldResolver(() => [CredentialVersion], {
    description: 'All secrets that it has had, newest first. The secrets themselves are not shown.',
  })
  versions(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<CredentialVersion[]> {
    return versionsOfCredential(ctx).load(credential.id);
  }

  @FieldResolver(() => Rotation, {
    nullable: true,
    description: 'The rotation under way, or else the last one; null if it was never rotated.',
  })
  async rotation(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<Rotation | null> {
    return (await latestRotation(ctx).load(credential.id))[0] ?? null;
  }

  @FieldResolver(() => [StoreChange], {
    description:
      'What Keyway has still to do for it in its outside store, oldest first; empty if there is nothing, and in the built-in store.',
  })
  storeChanges(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): Promise<StoreChange[]> {
    return storeChangesOf(ctx).load(credential.id);
  }

  @FieldResolver(() => Boolean, {
    nullable: true,
    description:
      'Whether it is switched on; null if its outside store does not say. A credential that is switched on can still not work for another reason: see `status`.',
  })
  enabled(@Root() { enabled, unsaid }: Row<Credential>): boolean | null {
    return unsaid.includes('enabled') ? null : enabled;
  }

  @FieldResolver(() => [IPRange], {
    nullable: true,
    description:
      'The addresses that it may be used from, in no particular order; empty means any address. Null if its outside store does not say. An entry of an outside store that is not a valid address is shown as 255.255.255.255, from which no request can come.',
  })
  allowedIps(@Root() { allowedIps, unsaid }: Row<Credential>): string[] | null {
    return unsaid.includes('allowedIps') ? null : allowedIps;
  }

  @FieldResolver(() => RotationPolicy, {
    nullable: true,
    description: 'How often Keyway rotates it by itself; null if it does not.',
  })
  rotationPolicy(@Ctx() ctx: RequestContext, @Root() credential: Row<Credential>): RotationPolicy | null {
    const { rotateEvery: every, rotateGrace: gracePeriod, rotationDueAt: nextAt, revokedAt } = credential;
    if (every === null || gracePeriod === null || nextAt === null) return null;
    const isLate = revokedAt === null && instantMs(nextAt) <= ctx.at;
    return { every, gracePeriod, nextAt, overdueSince: isLate ? nextAt : null };
  }

  @Mutation(() => CreateCredentialPayload, {
    description: 'Creates a credential with its first secret, which the answer shows.',
  })
  @Needs(Permission.CREDENTIAL_CREATE, 'credential:create')
  createCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => CreateCredentialInput) input: CreateCredentialInput,
  ): Promise<CreateCredentialPayload> {
    return createCredential(ctx, input);
  }

  @Mutation(() => UpdateCredentialPayload, {
    description: 'Changes the fields of a credential, but not its secret.',
  })
  @Needs(Permission.CREDENTIAL_UPDATE, 'credential:update')
  updateCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => UpdateCredentialInput) input: UpdateCredentialInput,
  ): Promise<UpdateCredentialPayload> {
    return updateCredential(ctx, input);
  }

  @Mutation(() => RotateCredentialPayload, {
    description: 'Replaces the secret of a credential. The answer shows the new one.',
  })
  @Needs(Permission.CREDENTIAL_ROTATE, 'credential:rotate')
  rotateCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => RotateCredentialInput) input: RotateCredentialInput,
  ): Promise<RotateCredentialPayload> {
    return rotateCredential(ctx, input);
  }

  @Mutation(() => RevokeCredentialPayload, {
    description:
      'Revokes a credential and every temporary credential derived from it, in its store as well. They stop working at once; this cannot be undone.',
  })
  @Needs(Permission.CREDENTIAL_REVOKE, 'credential:revoke')
  revokeCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => RevokeCredentialInput) input: RevokeCredentialInput,
  ): Promise<RevokeCredentialPayload> {
    return revokeCredential(ctx, input);
  }

  @Mutation(() => DeleteCredentialPayload, {
    description:
      'Revokes a credential, in its store as well, and removes it from all lists (unless the filter asks for deleted ones). Its audit events are kept.',
  })
  @Needs(Permission.CREDENTIAL_REVOKE, 'credential:delete')
  async deleteCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => DeleteCredentialInput) input: DeleteCredentialInput,
  ): Promise<DeleteCredentialPayload> {
    return { credential: await deleteCredential(ctx, input) };
  }

  @Mutation(() => RevealCredentialPayload, {
    description:
      'Shows the secret of a retrievable credential again. Needs CREDENTIAL_REVEAL; for a temporary credential, being its owner or signing with it is enough. Each time is recorded in the audit log.',
  })
  @Needs(Permission.CREDENTIAL_REVEAL, 'credential:reveal')
  revealCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => RevealCredentialInput) input: RevealCredentialInput,
  ): Promise<RevealCredentialPayload> {
    return revealCredential(ctx, input);
  }

  @Mutation(() => IssueTemporaryCredentialPayload, {
    description:
      'Derives a temporary access key from a permanent credential. It expires by itself, and stops working when its parent does.',
  })
  @Needs(Permission.CREDENTIAL_CREATE, 'credential:issue')
  issueTemporaryCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => IssueTemporaryCredentialInput) input: IssueTemporaryCredentialInput,
  ): Promise<IssueTemporaryCredentialPayload> {
    return issueTemporaryCredential(ctx, input);
  }

  @Mutation(() => DeleteAccountPayload, {
    description:
      'Deletes an account, with the roles that it has and those that were granted on it. Those with AUDIT_READ still allow to read its audit log, and nothing else.',
  })
  @Needs(Permission.ACCOUNT_MANAGE, 'account:delete')
  async deleteAccount(
    @Ctx() ctx: RequestContext,
    @Takes(() => DeleteAccountInput) input: DeleteAccountInput,
  ): Promise<DeleteAccountPayload> {
    const { untouched, ...deleted } = await deleteAccount(ctx, input);
    return { ...deleted, untouched: untouched.map((id) => ({ id, reason: notYours })) };
  }
}

@Resolver(() => UntouchedCredential)
export class UntouchedCredentialResolver {
  @FieldResolver(() => Credential, {
    nullable: true,
    description: 'The credential; null if the viewer may not see it.',
  })
  credential(
    @Ctx() ctx: RequestContext,
    @Root() { id }: UntouchedCredential,
  ): Promise<Row<Credential> | null> {
    return credentialById(ctx).load(id);
  }
}

/** What credentials add to what is answered when a store is disconnected. */
@Resolver(() => DeleteStorePayload)
export class AbandonedResolver {
  @FieldResolver(() => [Credential], {
    description: `The credentials that were abandoned, and that the viewer may see: their secrets may still work in that system. At most the first ${mostListed}, oldest first.`,
  })
  async abandoned(
    @Ctx() ctx: RequestContext,
    @Root() { abandonedIds }: Pick<DeletedStore, 'abandonedIds'>,
  ): Promise<Credential[]> {
    const found = await Promise.all(abandonedIds.map((id) => credentialById(ctx).load(id)));
    return found.filter((one) => one !== null);
  }
}

const notYours = 'You may not revoke it, or give it to another owner, in the account that it belongs to.';

@Resolver(() => Rotation)
export class RotationResolver {
  @FieldResolver(() => Credential, { description: 'The credential that is rotated.' })
  credential(@Ctx() ctx: RequestContext, @Root() rotation: Row<Rotation>): Promise<Credential | null> {
    return credentialById(ctx).load(rotation.credentialId);
  }

  @FieldResolver(() => Account, {
    nullable: true,
    description:
      'The account that asked for it. Null if a rotation policy started it, or if the viewer may not see the account.',
  })
  startedBy(@Ctx() ctx: RequestContext, @Root() rotation: Row<Rotation>): Promise<Account | null> | null {
    return rotation.startedById === null ? null : accountById(ctx).load(rotation.startedById);
  }

  @FieldResolver(() => CredentialVersion, { description: 'The version of the secret before the rotation.' })
  async from(@Ctx() ctx: RequestContext, @Root() rotation: Row<Rotation>): Promise<CredentialVersion> {
    const version = await versionOf(ctx, rotation, rotation.fromNumber);
    if (!version) throw new KeywayError('INTERNAL_SERVER_ERROR');
    return version;
  }

  @FieldResolver(() => CredentialVersion, {
    nullable: true,
    description: 'The version of the new secret; null if there is none.',
  })
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
  @FieldResolver(() => CredentialConnection, {
    description:
      'The credentials of the account that the viewer may see, newest first unless `orderBy` says otherwise.',
  })
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
  @FieldResolver(() => CredentialConnection, {
    description:
      'The credentials in the project that the viewer may see; for the admin project, all of them. Newest first unless `orderBy` says otherwise.',
  })
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
  @FieldResolver(() => CredentialConnection, {
    description:
      'The credentials with this role that the viewer may see, newest first unless `orderBy` says otherwise.',
  })
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
  @FieldResolver(() => Account, {
    nullable: true,
    description:
      'The account whose credentials are in it; null for the built-in store, which is for all accounts.',
  })
  account(@Ctx() ctx: RequestContext, @Root() store: Row<CredentialStore>): Promise<Account | null> | null {
    return store.accountId === null ? null : accountNamed(ctx).load(store.accountId);
  }

  @FieldResolver(() => CredentialConnection, {
    description:
      'The credentials in the store that the viewer may see, newest first unless `orderBy` says otherwise.',
  })
  @PagedCredentials()
  credentials(
    @Ctx() ctx: RequestContext,
    @Root() store: Row<CredentialStore>,
    @Args(() => CredentialsArgs) args: CredentialsArgs,
  ) {
    return credentialsOfStore(ctx, store.id, args);
  }

  @FieldResolver(() => [CredentialKind], {
    description: 'The kinds of credential that can be created in it, in no particular order.',
  })
  creates(@Ctx() { connectors }: RequestContext, @Root() { kind }: Row<CredentialStore>): CredentialKind[] {
    const connector = connectors[kind];
    if (!connector?.create) return [];
    const kinds: readonly string[] = connector.kinds ?? Object.values(CredentialKind);
    return Object.values(CredentialKind).filter((one) => kinds.includes(one));
  }
}
