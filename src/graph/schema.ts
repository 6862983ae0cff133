import {
  defaultFieldResolver,
  extendSchema,
  getNullableType,
  GraphQLInputObjectType,
  isLeafType,
  isObjectType,
  lexicographicSortSchema,
  parse,
  printSchema,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { buildSchema, type NonEmptyArray } from 'type-graphql';
import { decidedByNow } from '../access/standing.js';
import { AccountResolver } from '../accounts/account.resolver.js';
import { MfaResolver } from '../accounts/mfa.resolver.js';
import { AuditEventResolver } from '../audit/audit-event.resolver.js';
import { CredentialResolver, RotationResolver } from '../credentials/credential.resolver.js';
import { CredentialVerbsResolver } from '../credentials/credential-verbs.resolver.js';
import {
  AbandonedResolver,
  AccountCredentialsResolver,
  ProjectCredentialsResolver,
  RoleCredentialsResolver,
  StoreCredentialsResolver,
} from '../credentials/credentials-of.resolver.js';
import {
  DeleteAccountResolver,
  UntouchedCredentialResolver,
} from '../credentials/hand-over/delete-account.resolver.js';
import { CredentialUseResolver, InsightResolver, StoreCountResolver } from '../insight/insight.resolver.js';
import { ViewerMayResolver, viewerMayResolvers } from '../insight/viewer-may.resolver.js';
import { KeyringKeyResolver } from '../insight/keyring-key.resolver.js';
import { WhoResolver } from '../insight/who.resolver.js';
import { CredentialLimitsResolver } from '../credentials/limits/limits.resolver.js';
import { registry, type Registry } from '../connectors/registry.js';
import type { RequestContext } from '../access/context.js';
import { encodeId, prefixes, type NodeType } from '../ids.js';
import { callDirectly } from './direct-fields.js';
import { SyncResolver } from '../credentials/sync/sync.resolver.js';
import { AuditEventLinksResolver, CredentialAuditResolver, NodeResolver } from './nodes.js';
import { AccountProjectsResolver, ProjectResolver } from '../projects/project.resolver.js';
import {
  AccountGrantsResolver,
  GrantResolver,
  ProjectGrantsResolver,
  RoleResolver,
  StoreRolesResolver,
} from '../roles/role.resolver.js';
import { validation } from '../inputs/rules.js';
import { connectingResolver } from '../stores/connecting.resolver.js';
import { ScopeGrantResolver, StoreScopeGrantsResolver } from '../stores/scopes/scope.resolver.js';
import { StoreResolver } from '../stores/store.resolver.js';
import { VerificationResolver } from '../credentials/verification/verification.resolver.js';
import { StoreKind } from '../stores/store.js';
import type { Telemetry } from '../telemetry/telemetry.js';

type Resolver = abstract new () => object;

const oneOfInputs = ['NewSecretInput', 'ProofInput', 'ProviderKeysInput', 'StoreConnectionInput'];

/** The classes that the graph is built from, whatever can be connected. */
const resolvers: NonEmptyArray<Resolver> = [
  NodeResolver,
  CredentialResolver,
  CredentialVerbsResolver,
  DeleteAccountResolver,
  CredentialLimitsResolver,
  RotationResolver,
  UntouchedCredentialResolver,
  AbandonedResolver,
  VerificationResolver,
  AccountResolver,
  MfaResolver,
  AccountCredentialsResolver,
  AccountProjectsResolver,
  AccountGrantsResolver,
  ProjectResolver,
  ProjectCredentialsResolver,
  ProjectGrantsResolver,
  RoleResolver,
  RoleCredentialsResolver,
  GrantResolver,
  StoreResolver,
  StoreCredentialsResolver,
  StoreRolesResolver,
  StoreScopeGrantsResolver,
  ScopeGrantResolver,
  AuditEventResolver,
  AuditEventLinksResolver,
  CredentialAuditResolver,
  SyncResolver,
  InsightResolver,
  StoreCountResolver,
  CredentialUseResolver,
  KeyringKeyResolver,
  WhoResolver,
  ViewerMayResolver,
  ...viewerMayResolvers,
];

/**
 * The graph, built from its classes.
 * @param connectors the kinds of stores that it knows; all that there are, if left out.
 * @param more resolvers besides Keyway's own.
 * @throws where a root field does not say what it needs, and one below how its arguments are looked at.
 */
export async function openSchema(
  connectors: Registry = registry,
  more: readonly Resolver[] = [],
): Promise<GraphQLSchema> {
  const all: NonEmptyArray<Resolver> = [...resolvers, connectingResolver(connectors), ...more];
  const built = await buildSchema({
    resolvers: all,
    validate: validation,
    // A test checks what is built, so that no start needs the eighth of a second.
    skipCheck: true,
  });
  const schema = withKinds(built, connectors);
  for (const name of oneOfInputs) {
    // TypeGraphQL has no word for it.
    const type = schema.getType(name);
    if (!(type instanceof GraphQLInputObjectType)) throw new Error(`${name} is no input type`);
    type.isOneOf = true;
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (isObjectType(type) && type.name in prefixes) encodeIds(type, type.name as NodeType);
  }
  describeRoots(schema);
  callDirectly(schema, all);
  readByResolvers(schema);
  decideByNow(schema);
  const node = schema.getType('Node') as { resolveType?: unknown };
  // TypeGraphQL's own is asynchronous, for every single row.
  node.resolveType = ({ __typename }: { __typename: string }) => __typename;
  expectGuards(schema);
  return schema;
}

/** @throws where a field of any root does not say what it needs, and one below how its arguments are looked at. */
export function expectGuards(schema: GraphQLSchema): void {
  const roots = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    if (roots.has(type)) expectNeeds(type);
    else expectExpectations(type);
  }
}

/** The graph as text, sorted by name: the order of its classes is the order in which files happen to be loaded. */
export const printGraph = (schema: GraphQLSchema): string =>
  `${printSchema(lexicographicSortSchema(schema))}\n`;

/** The graph with these kinds of stores: its classes name Keyway's own alone. */
function withKinds(schema: GraphQLSchema, connectors: Registry): GraphQLSchema {
  const others = Object.values(connectors).filter(({ kind }) => kind !== StoreKind.BUILT_IN);
  // A string of JSON is one of the graph's language too.
  const values = others.map(({ kind, connection }) => `${JSON.stringify(connection?.system ?? '')} ${kind}`);
  return values.length === 0
    ? schema
    : extendSchema(schema, parse(`extend enum StoreKind { ${values.join(' ')} }`));
}

/** TypeGraphQL makes the roots itself, and has no words for them. */
function describeRoots(schema: GraphQLSchema): void {
  const words = {
    Query: 'What can be read. No query changes anything, and none shows a secret.',
    Mutation: 'What can be done. Several in one request are done one after the other.',
  };
  for (const [name, description] of Object.entries(words)) {
    const root = schema.getType(name);
    if (root) root.description = description;
  }
}

/** Inside, ids are the database's; outside, they tell their type. */
function encodeIds(type: GraphQLObjectType, name: NodeType): void {
  const field = type.getFields()['id'];
  if (field) field.resolve = ({ id }: { id: string }) => encodeId(name, id);
}

/**
 * Gives fields of objects and lists the resolver that they have by default: compiled queries would read the property
 * several times, and would neither call nor await what is in it.
 */
function readByResolvers(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields()))
      if (!isLeafType(getNullableType(field.type))) field.resolve ??= defaultFieldResolver;
  }
}

/** Each mutation decides by what its caller may do when it is done, however long it had to wait. */
function decideByNow(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const resolve = field.resolve as GraphQLFieldResolver<unknown, RequestContext>;
    field.resolve = (root, given, ctx: RequestContext, info) =>
      decidedByNow(ctx, async (asking) => resolve(root, given, asking, info));
  }
}

/** Has each verb, and each query, told as a step of its request. */
export function traceVerbs(schema: GraphQLSchema, within: Telemetry['within']): void {
  for (const root of [schema.getQueryType(), schema.getMutationType()])
    for (const field of Object.values(root?.getFields() ?? {})) {
      const resolve = field.resolve as GraphQLFieldResolver<unknown, RequestContext>;
      field.resolve = (source, given, ctx: RequestContext, info) =>
        within({ name: field.name }, async () => resolve(source, given, ctx, info));
    }
}

function expectNeeds(root: GraphQLObjectType): void {
  for (const field of Object.values(root.getFields())) {
    if (!field.extensions['permission'])
      throw new Error(`${root.name}.${field.name} does not say which permission it needs`);
    if (root.name === 'Mutation' && !field.extensions['action'])
      throw new Error(`${field.name} does not say its action`);
  }
}

function expectExpectations(type: GraphQLObjectType): void {
  for (const { name, args, extensions } of Object.values(type.getFields()))
    if (args.length > 0 && !extensions['expects'])
      throw new Error(`${type.name}.${name} does not say how its arguments are looked at before a mutation`);
}
