import { Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { Permission } from '../access/principal.js';
import type { RequestContext } from '../context.js';
import { KeywayError } from '../errors.js';
import { ByName } from '../name-args.js';
import { Needs } from '../needs.js';
import { findStoreByName, listStores } from './find.js';
import {
  CredentialStore,
  PreviousSecret,
  SecretOrigin,
  StoreBudget,
  StoreCapability,
  StoreHealth,
  StoreRotation,
  StoreSync,
} from './store.js';
import { capabilitiesOf } from './supporting.js';
import type { Row } from '../columns.js';

@Resolver(() => CredentialStore)
export class StoreResolver {
  @Query(() => CredentialStore, { nullable: true })
  @Needs(Permission.CREDENTIAL_READ)
  store(@Ctx() ctx: RequestContext, @Args(() => ByName) { name }: ByName): Promise<CredentialStore | null> {
    return findStoreByName(ctx, name);
  }

  @Query(() => [CredentialStore])
  @Needs(Permission.CREDENTIAL_READ)
  stores(@Ctx() ctx: RequestContext): Promise<CredentialStore[]> {
    return listStores(ctx);
  }

  @FieldResolver(() => [StoreCapability])
  capabilities(@Ctx() ctx: RequestContext, @Root() store: Row<CredentialStore>): StoreCapability[] {
    return capabilitiesOf(ctx.connectors[store.kind]);
  }

  @FieldResolver(() => StoreRotation, { nullable: true })
  rotation(@Ctx() ctx: RequestContext, @Root() store: Row<CredentialStore>): StoreRotation | null {
    const rotation = ctx.connectors[store.kind]?.rotation;
    return rotation ? { chosenBy: origins[rotation.chosenBy], previous: fates[rotation.previous] } : null;
  }

  @FieldResolver(() => StoreHealth)
  async health(@Ctx() ctx: RequestContext, @Root() store: Row<CredentialStore>): Promise<StoreHealth> {
    const checkedAt = new Date().toISOString();
    try {
      await ctx.connectors[store.kind]?.check({ endpoint: store.endpoint });
      return { reachable: true, checkedAt };
    } catch (error) {
      if (error instanceof KeywayError) return { reachable: false, checkedAt };
      throw error;
    }
  }

  /** Keyway's own database does not limit calls. */
  @FieldResolver(() => StoreBudget, { nullable: true, description: 'Where the system limits calls.' })
  budget(): StoreBudget | null {
    return null;
  }

  /** Keyway's own database is its own inventory: there is nothing to take stock of. */
  @FieldResolver(() => StoreSync, { nullable: true })
  lastSync(): StoreSync | null {
    return null;
  }
}

const origins = { caller: SecretOrigin.CALLER, keyway: SecretOrigin.KEYWAY, store: SecretOrigin.STORE };
const fates = { lives: PreviousSecret.LIVES, dies: PreviousSecret.DIES };
