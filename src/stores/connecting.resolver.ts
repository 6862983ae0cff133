import { Ctx, Field, InputType, Mutation, Resolver } from 'type-graphql';
import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import type { Registry } from '../connectors/registry.js';
import { Needs } from '../inputs/declared.js';
import { Takes } from '../inputs/takes.js';
import { connectionInput, type StoreConnectionInput } from './connection.input.js';
import { createStore } from './create.js';
import { CreateStoreInput, UpdateStoreInput } from './store.input.js';
import { CreateStorePayload, UpdateStorePayload } from './store.resolver.js';
import { updateStore } from './update.js';

type ResolverClass = abstract new () => object;

/**
 * The mutations that connect stores of these kinds, for the graph: what they ask for is told by the connectors. The same
 * class for the same registry.
 */
export function connectingResolver(connectors: Registry): ResolverClass {
  const known = made.get(connectors) ?? resolverFor(connectors);
  made.set(connectors, known);
  return known;
}

const made = new WeakMap<Registry, ResolverClass>();

function resolverFor(connectors: Registry): ResolverClass {
  const connectionClass = connectionInput(connectors);

  @InputType('CreateStoreInput', { description: 'What `createStore` takes.' })
  class Create extends CreateStoreInput {
    @Field(() => connectionClass, { description: 'How Keyway reaches the system.' })
    override connection: StoreConnectionInput;
  }

  @InputType('UpdateStoreInput', {
    description: 'A field that is left out keeps its value.',
  })
  class Update extends UpdateStoreInput {
    @Field(() => connectionClass, {
      nullable: true,
      description:
        'How Keyway reaches the system. It replaces the whole connection, secrets included, and must be of the same kind.',
    })
    override connection?: StoreConnectionInput;
  }

  @Resolver()
  class ConnectingResolver {
    @Mutation(() => CreateStorePayload, {
      description:
        'Connects an outside system. Keyway calls it first: if it does not answer, or does not accept the credential, nothing is stored.',
    })
    @Needs(Permission.STORE_MANAGE, 'store:create')
    async createStore(
      @Ctx() ctx: RequestContext,
      @Takes(() => Create) input: Create,
    ): Promise<CreateStorePayload> {
      return { store: await createStore(ctx, input) };
    }

    @Mutation(() => UpdateStorePayload, {
      description:
        'Changes the name of a store, or its connection. A new connection is tried first, as in `createStore`.',
    })
    @Needs(Permission.STORE_MANAGE, 'store:update')
    async updateStore(
      @Ctx() ctx: RequestContext,
      @Takes(() => Update) input: Update,
    ): Promise<UpdateStorePayload> {
      return { store: await updateStore(ctx, input) };
    }
  }
  return ConnectingResolver;
}
