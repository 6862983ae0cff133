import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { getMetadataStorage } from 'class-validator';
import {
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  isEnumType,
  isInputObjectType,
  validateSchema,
} from 'graphql';
import { Arg, Field, FieldResolver, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import { Permission } from '../../src/access/principal.js';
import { Needs } from '../../src/inputs/declared.js';
import { registry } from '../../src/connectors/registry.js';
import { expectGuards, openSchema, printGraph } from '../../src/graph/schema.js';

let schema: GraphQLSchema;
beforeAll(async () => {
  schema = await openSchema(registry);
});

test('schema.graphql at the root is what the code prints: npm run build writes it', () => {
  expect(printGraph(schema)).toBe(readFileSync('schema.graphql', 'utf8'));
});

test('the graph is a valid schema, which is not checked at each start', () => {
  expect(validateSchema(schema)).toEqual([]);
});

test('S40, S59: nothing is pushed to anybody: there is no subscription and no webhook, and so none that shows a secret', () => {
  expect(schema.getSubscriptionType()).toBeUndefined();
  const named = Object.keys(schema.getTypeMap()).filter((name) => /webhook|subscription/i.test(name));
  expect(named).toEqual([]);
});

test('S50: no answer is a table for a spreadsheet, whose cells could be formulas', () => {
  const types = Object.values(schema.getTypeMap());
  const values = types.filter(isEnumType).flatMap((type) => type.getValues().map(({ name }) => name));
  const named = [...types.map(({ name }) => name), ...values].filter((name) =>
    /csv|spreadsheet|xlsx/i.test(name),
  );
  expect(named).toEqual([]);
});

test('the graph prints the same each time it is built', async () => {
  expect(printGraph(await openSchema(registry))).toBe(printGraph(schema));
});

@Resolver()
class QueryWithoutNeeds {
  @Query(() => String)
  unguarded() {
    return 'seen';
  }
}

@Resolver()
class MutationWithoutNeeds {
  @Mutation(() => String)
  unguarded() {
    return 'done';
  }
}

@Resolver()
class MutationWithoutAction {
  @Mutation(() => String)
  @Needs(Permission.ROLE_MANAGE)
  unnamed() {
    return 'done';
  }
}

@ObjectType()
class Lone {
  @Field(() => String)
  name: string;
}

// Of a type of its own: what a resolver adds to a type stays with it, for whatever else is run beside this.
@Resolver(() => Lone)
class ArgumentsWithoutExpects {
  @Query(() => Lone)
  @Needs('OWN')
  lone(): Lone {
    return { name: 'lone' };
  }

  @FieldResolver(() => String)
  unlooked(@Arg('at', () => String) at: string) {
    return at;
  }
}

test.each([
  { what: 'a query without its permission', added: QueryWithoutNeeds, told: 'Query.unguarded' },
  { what: 'a mutation without its permission', added: MutationWithoutNeeds, told: 'Mutation.unguarded' },
  { what: 'a mutation without its action', added: MutationWithoutAction, told: 'unnamed' },
  {
    what: 'a field that takes arguments as they come',
    added: ArgumentsWithoutExpects,
    told: 'Lone.unlooked',
  },
])('S29: $what is refused at start, by name', async ({ added, told }) => {
  await expect(openSchema(registry, [added])).rejects.toThrow(told);
});

test('S29: a subscription without its permission is refused like a query', () => {
  const rootOf = (name: string, extensions: Record<string, unknown>) =>
    new GraphQLObjectType({ name, fields: { events: { type: GraphQLString, extensions } } });
  const withSubscription = (extensions: Record<string, unknown>) =>
    new GraphQLSchema({
      query: rootOf('Query', { permission: 'OWN' }),
      subscription: rootOf('Subscription', extensions),
    });
  expect(() => expectGuards(withSubscription({}))).toThrow('Subscription.events');
  expect(() => expectGuards(withSubscription({ permission: 'OWN' }))).not.toThrow();
});

interface InputClass {
  name: string;
  target: new () => object;
  fields: { name: string; schemaName: string }[];
}

/** The classes that TypeGraphQL makes inputs and arguments of. */
const inputClasses = (): InputClass[] => {
  const { inputTypes, argumentTypes } = (
    globalThis as unknown as {
      TypeGraphQLMetadataStorage: { inputTypes: InputClass[]; argumentTypes: InputClass[] };
    }
  ).TypeGraphQLMetadataStorage;
  return [...inputTypes, ...argumentTypes];
};

/** The rules of one class, by property. */
const rulesOf = (target: new () => object) =>
  getMetadataStorage()
    .getTargetValidationMetadatas(target, '', false, false)
    .map(({ propertyName, type, name }) => ({ propertyName, kind: name ?? type }));

test('S11: every member of every input and argument class has a rule of its own', () => {
  const classes = inputClasses();
  expect(classes.length).toBeGreaterThan(30);
  const bare = classes.flatMap(({ name, target, fields }) => {
    // What only lets a value pass is no rule.
    const ruled = rulesOf(target).filter(({ kind }) => kind !== 'conditionalValidation');
    return fields
      .filter((field) => !ruled.some(({ propertyName }) => propertyName === field.name))
      .map((field) => `${name}.${field.schemaName}`);
  });
  expect(bare).toEqual([]);
});

test('S11: a member that may hold any text never has its type alone for a rule', () => {
  const byName = new Map(inputClasses().map((one) => [one.name, one]));
  const loose = Object.values(schema.getTypeMap())
    .filter(isInputObjectType)
    .flatMap((type) =>
      Object.values(type.getFields())
        .filter(({ type: wanted }) => /^\[?(String|ID)\b/.test(String(wanted)))
        .filter((field) => {
          const kinds = rulesOf((byName.get(type.name) as InputClass).target)
            .filter(({ propertyName }) => propertyName === field.name)
            .map(({ kind }) => kind);
          return !kinds.some(
            (kind) => !['conditionalValidation', 'isDefined', 'whitelistValidation'].includes(kind),
          );
        })
        .map((field) => `${type.name}.${field.name}`),
    );
  expect(loose).toEqual([]);
});
