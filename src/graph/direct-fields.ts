import { isObjectType, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import { getMetadataStorage } from 'type-graphql';

type Method = (...values: unknown[]) => unknown;
type Resolve = GraphQLFieldResolver<unknown, unknown>;

/** How a method is called, by what it takes. */
const calls: Readonly<Record<string, (method: Method) => Resolve>> = {
  root: (method) => (root) => method(root),
  'root,context': (method) => (root, _, ctx) => method(root, ctx),
  'context,root': (method) => (root, _, ctx) => method(ctx, root),
};

/**
 * Has fields without arguments call their methods with what was read and the context, as they are. TypeGraphQL sorts,
 * copies and looks through the parameters anew at each call, and a page of 50 credentials has 150 of them: its
 * sorting alone was a tenth of what a page left to the garbage collector. Belongs after all that TypeGraphQL builds: where it has more to do for a
 * field, as for arguments, middlewares and roles, that field stays as it is.
 * @param resolvers the classes that the schema was built from
 */
export function callDirectly(schema: GraphQLSchema, resolvers: readonly (abstract new () => object)[]): void {
  const { fieldResolvers, objectTypes } = getMetadataStorage();
  const made = new Map(resolvers.map((one) => [one as unknown, new (one as new () => object)()]));
  for (const {
    target,
    methodName,
    schemaName,
    getObjectType,
    params,
    middlewares,
    roles,
  } of fieldResolvers) {
    const instance = made.get(target) as Record<string, Method> | undefined;
    const type = schema.getType(objectTypes.find((one) => one.target === getObjectType?.())?.name ?? '');
    const field = isObjectType(type) ? type.getFields()[schemaName] : undefined;
    if (!instance || !field || roles || (middlewares ?? []).length > 0) continue;
    const ordered = [...(params ?? [])].sort((one, other) => one.index - other.index);
    if (ordered.some((one) => 'propertyName' in one && one.propertyName !== undefined)) continue;
    const call = calls[ordered.map(({ kind }) => kind).join()];
    const method = instance[methodName];
    if (call && method) field.resolve = call(method.bind(instance));
  }
}
