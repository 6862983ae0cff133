import { Args, Ctx, Field, FieldResolver, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { may } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import type { RequestContext } from '../access/context.js';
import { ByName } from '../inputs/name-args.js';
import { Needs } from '../inputs/declared.js';
import { Takes } from '../inputs/takes.js';
import { instant } from '../time.js';
import { budgetOf } from './budget.js';
import { checkStore, scopesOf } from './check.js';
import { findStoreByName, lastSyncOfStore, listStores } from './find.js';
import { CheckStoreInput } from './store.input.js';
import {
  CredentialStore,
  PreviousSecret,
  SecretOrigin,
  StoreBudget,
  StoreCapability,
  StoreCircuit,
  StoreHealth,
  StoreKind,
  StoreRotation,
  StoreScope,
  StoreSettable,
  StoreSetting,
  StoreSync,
} from './store.js';
import { capabilitiesOf, settableOf } from './supporting.js';
import type { Row } from '../database/columns.js';

@ObjectType({ simpleResolvers: true, description: 'What `createStore` answers.' })
export class CreateStorePayload {
  @Field(() => CredentialStore, { description: 'The new store.' })
  store: CredentialStore;
}

@ObjectType({ simpleResolvers: true, description: 'What `updateStore` answers.' })
export class UpdateStorePayload {
  @Field(() => CredentialStore, { description: 'The store, as it is after the change.' })
  store: CredentialStore;
}

@ObjectType({ simpleResolvers: true, description: 'What `checkStore` answers.' })
export class CheckStorePayload {
  @Field(() => CredentialStore, { description: 'The store, with what was found out in its `health`.' })
  store: CredentialStore;
}

@Resolver(() => CredentialStore)
export class StoreResolver {
  @Query(() => CredentialStore, {
    nullable: true,
    description: 'The store with this name; null if there is none that the viewer may see.',
  })
  @Needs(Permission.CREDENTIAL_READ)
  store(@Ctx() ctx: RequestContext, @Args(() => ByName) { name }: ByName): Promise<CredentialStore | null> {
    return findStoreByName(ctx, name);
  }

  @Query(() => [CredentialStore], {
    description: 'All stores that the viewer may see, in the order of their names.',
  })
  @Needs(Permission.CREDENTIAL_READ)
  stores(@Ctx() ctx: RequestContext): Promise<CredentialStore[]> {
    return listStores(ctx);
  }

  @FieldResolver(() => [StoreCapability], {
    description: 'What Keyway can do in this store, in no particular order.',
  })
  capabilities(@Ctx() ctx: RequestContext, @Root() store: Row<CredentialStore>): StoreCapability[] {
    return capabilitiesOf(ctx.connectors[store.kind]);
  }

  @FieldResolver(() => [StoreSettable], {
    description:
      'What credentials of this store can be given beyond what every store takes, in no particular order: the others are refused.',
  })
  settable(@Ctx() ctx: RequestContext, @Root() store: Row<CredentialStore>): StoreSettable[] {
    return settableOf(ctx.connectors[store.kind]);
  }

  @FieldResolver(() => [StoreSetting], {
    nullable: true,
    description:
      'How Keyway reaches the store, without its secrets: addresses first, then the other settings. Null for a viewer who may not change the store.',
  })
  settings(@Ctx() { principal }: RequestContext, @Root() store: Row<CredentialStore>): StoreSetting[] | null {
    const { accountId, addresses, settings } = store;
    if (accountId === null || !may(principal, Permission.STORE_MANAGE, { accountId })) return null;
    return Object.entries({ ...addresses, ...settings }).map(([name, value]) => ({
      name,
      values: typeof value === 'object' ? [...value] : [String(value)],
    }));
  }

  @FieldResolver(() => StoreRotation, {
    nullable: true,
    description: 'How rotation works in this store; null if its credentials cannot be rotated.',
  })
  rotation(@Ctx() ctx: RequestContext, @Root() store: Row<CredentialStore>): StoreRotation | null {
    const rotation = ctx.connectors[store.kind]?.rotation;
    return rotation ? { chosenBy: origins[rotation.chosenBy], previous: fates[rotation.previous] } : null;
  }

  @FieldResolver(() => StoreHealth, { description: 'Whether the store answered when it was last called.' })
  health(@Ctx() ctx: RequestContext, @Root() store: Row<CredentialStore>): StoreHealth {
    if (store.kind === StoreKind.BUILT_IN) {
      return { reachable: true, checkedAt: instant(ctx.at), circuit: StoreCircuit.CLOSED, problem: null };
    }
    const { reachable, checkedAt, problem } = store;
    return {
      reachable: reachable ?? false,
      checkedAt,
      circuit: StoreCircuit[ctx.gates.circuitOf(store.id)],
      problem,
    };
  }

  @FieldResolver(() => StoreBudget, {
    nullable: true,
    description: 'How many calls the vendor allows; null if it sets no limit that Keyway knows of.',
  })
  budget(@Ctx() ctx: RequestContext, @Root() store: Row<CredentialStore>): StoreBudget | null {
    return budgetOf(store, ctx.connectors[store.kind]?.budget, ctx.at);
  }

  @FieldResolver(() => [StoreScope], {
    nullable: true,
    description:
      'The parts of the store in which Keyway can create credentials: the accounts, workspaces, users, projects or sub accounts that its credential sees, in the order of the store. Keyway calls the store for this. At most 1,000. Needs STORE_MANAGE, or CREDENTIAL_CREATE in the account of the store. Null for the built-in store, and with an error if the store does not answer.',
  })
  scopes(
    @Ctx() ctx: RequestContext,
    @Root() store: Row<CredentialStore>,
  ): Promise<readonly StoreScope[] | null> {
    return scopesOf(ctx, store);
  }

  /** Keyway's own database is its own inventory: there is nothing to sync. */
  @FieldResolver(() => StoreSync, {
    nullable: true,
    description:
      'The sync that is running, or the last one; null for the built-in store, and before the first sync.',
  })
  async lastSync(@Ctx() ctx: RequestContext, @Root() store: Row<CredentialStore>): Promise<StoreSync | null> {
    if (store.kind === StoreKind.BUILT_IN) return null;
    const [last] = await lastSyncOfStore(ctx).load(store.id);
    return last ?? null;
  }

  @Mutation(() => CheckStorePayload, {
    description:
      'Calls the store now, to find out whether it answers and accepts the credential that Keyway has for it. The result is in `health`; a store that does not answer is not an error.',
  })
  @Needs(Permission.STORE_MANAGE, 'store:check')
  async checkStore(
    @Ctx() ctx: RequestContext,
    @Takes(() => CheckStoreInput) input: CheckStoreInput,
  ): Promise<CheckStorePayload> {
    return { store: await checkStore(ctx, input) };
  }
}

const origins = { caller: SecretOrigin.CALLER, keyway: SecretOrigin.KEYWAY, store: SecretOrigin.STORE };
const fates = { lives: PreviousSecret.LIVES, dies: PreviousSecret.DIES };
