import { Arg, Ctx, Field, InputType, Mutation, Resolver } from 'type-graphql';
import { Permission } from '../access/principal.js';
import type { Registry } from '../connectors/registry.js';
import type { RequestContext } from '../context.js';
import { Needs } from '../inputs/declared.js';
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

  @InputType('CreateStoreInput')
  class Create extends CreateStoreInput {
    @Field(() => connectionClass)
    override connection: StoreConnectionInput;
  }

  @InputType('UpdateStoreInput', {
    description: 'A field left out keeps its value. Another connection is given whole.',
  })
  class Update extends UpdateStoreInput {
    @Field(() => connectionClass, { nullable: true, description: 'Of the same kind of system.' })
    override connection?: StoreConnectionInput;
  }

  @Resolver()
  class ConnectingResolver {
    @Mutation(() => CreateStorePayload, {
      description: 'Connects a system, once it has answered and taken what Keyway proves itself with.',
    })
    @Needs(Permission.STORE_MANAGE, 'store:create')
    async createStore(
      @Ctx() ctx: RequestContext,
      @Arg('input', () => Create) input: Create,
    ): Promise<CreateStorePayload> {
      return { store: await createStore(ctx, input) };
    }

    @Mutation(() => UpdateStorePayload)
    @Needs(Permission.STORE_MANAGE, 'store:update')
    async updateStore(
      @Ctx() ctx: RequestContext,
      @Arg('input', () => Update) input: Update,
    ): Promise<UpdateStorePayload> {
      return { store: await updateStore(ctx, input) };
    }
  }
  return ConnectingResolver;
}
