import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { Account } from '../accounts/account.js';
import { accountNamed } from '../accounts/find.js';
import { mostListed } from '../config/limits.js';
import type { RequestContext } from '../access/context.js';
import { Project } from '../projects/project.js';
import type { DeletedStore } from '../roles/delete-store.js';
import { Role } from '../roles/role.js';
import { DeleteStorePayload } from '../roles/role.resolver.js';
import { CredentialStore } from '../stores/store.js';
import { Credential, CredentialKind } from './record/credential.js';
import {
  credentialById,
  credentialsOfAccount,
  credentialsOfProject,
  credentialsOfStore,
  credentialsWithRole,
} from './record/find.js';
import { CredentialsArgs, PagedCredentials } from './list-args.js';
import type { Row } from '../database/columns.js';
import { CredentialConnection } from './credential.resolver.js';

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
