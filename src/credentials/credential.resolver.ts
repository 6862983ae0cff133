import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { Permission } from '../access/principal.js';
import { Account } from '../accounts/account.js';
import { accountById, accountNamed } from '../accounts/find.js';
import type { RequestContext } from '../access/context.js';
import { instantMs } from '../time.js';
import { decodeId } from '../inputs/decode-id.js';
import { Needs } from '../inputs/declared.js';
import { IPRange } from '../inputs/scalars.js';
import { Forward, Paged } from '../lists/page-args.js';
import { connectionType } from '../lists/paging.js';
import { projectNamed } from '../projects/find.js';
import { Project } from '../projects/project.js';
import { Role } from '../roles/role.js';
import { storeNamed } from '../stores/find.js';
import { CredentialStore } from '../stores/store.js';
import { Credential, RotationPolicy } from './record/credential.js';
import { orderOf } from './record/filter.js';
import {
  credentialById,
  derivedCredentials,
  latestRotation,
  listCredentials,
  rolesOfCredential,
  versionsOfCredential,
} from './record/find.js';
import { SecretFormat } from './secret/secret.input.js';
import { AllCredentialsArgs } from './list-args.js';
import { StoreChange, storeChangesOf } from './outside/store-change.js';
import { CredentialVersion, Rotation } from './record/rotation.js';
import { KeywayError } from '../errors.js';
import type { Row } from '../database/columns.js';

export const CredentialConnection = connectionType('Credential', () => Credential);

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
}

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
