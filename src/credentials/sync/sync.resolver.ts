import { Ctx, Field, Mutation, ObjectType, Resolver } from 'type-graphql';
import { Permission } from '../../access/principal.js';
import type { RequestContext } from '../../access/context.js';
import { Needs } from '../../inputs/declared.js';
import { Takes } from '../../inputs/takes.js';
import { CredentialStore } from '../../stores/store.js';
import { SyncStoreInput } from './sync.input.js';
import { syncStore } from './sync-store.js';

@ObjectType({ simpleResolvers: true, description: 'What `syncStore` answers.' })
export class SyncStorePayload {
  @Field(() => CredentialStore, { description: 'The store, with how far the sync is in its `lastSync`.' })
  store: CredentialStore;
}

@Resolver()
export class SyncResolver {
  @Mutation(() => SyncStorePayload, {
    description:
      'Reads what an outside store lists, and brings the credentials that Keyway knows of it up to date. Waits for at most 10 seconds; after that the sync goes on by itself, and `lastSync` shows its progress.',
  })
  @Needs(Permission.STORE_MANAGE, 'store:sync')
  async syncStore(
    @Ctx() ctx: RequestContext,
    @Takes(() => SyncStoreInput) input: SyncStoreInput,
  ): Promise<SyncStorePayload> {
    return { store: await syncStore(ctx, input) };
  }
}
