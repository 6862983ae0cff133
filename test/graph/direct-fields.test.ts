import 'reflect-metadata';
import type { GraphQLObjectType, GraphQLSchema } from 'graphql';
import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  Int,
  ObjectType,
  Query,
  Resolver,
  Root,
  UseMiddleware,
} from 'type-graphql';
import { registry } from '../../src/connectors/registry.js';
import { openSchema } from '../../src/graph/schema.js';
import { Expects, Needs } from '../../src/inputs/declared.js';

@ObjectType()
class Called {
  @Field(() => Int)
  own: number;
}

/** Of a type of its own, as a resolver adds to a type for good. */
@Resolver(() => Called)
class CalledResolver {
  readonly made = 'by it';

  @Query(() => Called)
  @Needs('OWN')
  called(): Called {
    return row;
  }

  @FieldResolver(() => String)
  rootFirst(@Root() root: object, @Ctx() ctx: object): unknown {
    return [this.made, root, ctx];
  }

  @FieldResolver(() => String)
  contextFirst(@Ctx() ctx: object, @Root() root: object): unknown {
    return [this.made, root, ctx];
  }

  @FieldResolver(() => String)
  rootAlone(@Root() root: object): unknown {
    return [this.made, root];
  }

  @FieldResolver(() => String)
  ofRoot(@Root('own') own: number): unknown {
    return [this.made, own];
  }

  @FieldResolver(() => String)
  @UseMiddleware((_, next) => next().then((value: unknown) => ['after', value]))
  withMiddleware(@Root() root: object): unknown {
    return root;
  }

  @FieldResolver(() => String)
  @Expects(() => undefined)
  withArgument(@Root() root: object, @Arg('given', () => Int) given: number): unknown {
    return [this.made, root, given];
  }
}

let schema: GraphQLSchema;
beforeAll(async () => {
  schema = await openSchema(registry, [CalledResolver]);
});

const row: Called = Object.freeze({ own: 7 });
const ctx = Object.freeze({ isContext: true });
const resolved = (name: string, given: object = {}) =>
  (schema.getType('Called') as GraphQLObjectType).getFields()[name]?.resolve?.(row, given, ctx, {} as never);

test('fields without arguments get the row and the context themselves, in the order of their parameters', () => {
  for (const name of ['rootFirst', 'contextFirst']) {
    const [made, root, context] = resolved(name) as unknown[];
    expect(made).toBe('by it');
    expect(root).toBe(row);
    expect(context).toBe(ctx);
  }
  expect(resolved('rootAlone')).toEqual(['by it', row]);
});

test('a field for which more is to be done is left to TypeGraphQL', async () => {
  expect(resolved('ofRoot')).toEqual(['by it', 7]);
  expect(await resolved('withMiddleware')).toEqual(['after', row]);
  expect(await resolved('withArgument', { given: 3 })).toEqual(['by it', row, 3]);
});

test('what a page asks of each credential is called directly', () => {
  const source = (type: string, name: string) =>
    String((schema.getType(type) as GraphQLObjectType).getFields()[name]?.resolve);
  for (const name of ['account', 'owner', 'project', 'roles', 'store', 'versions'])
    expect(source('Credential', name)).toBe(source('Called', 'contextFirst'));
});
