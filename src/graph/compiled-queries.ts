import { HeaderMap, type ApolloServerPlugin, type GraphQLResponse } from '@apollo/server';
import {
  BREAK,
  Kind,
  OperationTypeNode,
  visit,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';

/** What is known of a document's operation: that it was asked once; that graphql-js is to run it; or its code. */
type Known = 'seen' | 'plain' | Compiled;

/** The code of a query. */
interface Compiled {
  /** How many more times graphql-js is to run it all the same. */
  rest: number;
  /** @returns the data; undefined where there was an error, after which it rests. */
  run(ctx: unknown, variables: Readonly<Record<string, unknown>>): Promise<Data | undefined>;
}

type Data = Record<string, unknown>;

/** A query that was run as compiled code, and brought no error. */
export interface KnownQuery {
  /** Of its text, as Apollo Server makes it. */
  readonly hash: string;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly code: Compiled;
}

/** What keeps queries by their texts. */
interface Keeping {
  keep(text: string, operationName: string | undefined, query: KnownQuery): void;
}

const mostKept = 500;
// Compiling takes up to a tenth of a millisecond for each, in which nobody else is answered.
const mostFields = 200;
/**
 * How many times code rests that has brought an error: what fails mostly fails again, and would be run twice each time.
 * Not for good, as one caller's values would then slow down the document for all.
 */
const restAfterError = 20;

/**
 * Runs queries that come again as compiled code. An answer with an error in it is thrown away and left to graphql-js,
 * as is each operation that is not `isCompilable`: so callers see what graphql-js answers, and no mutation runs here.
 * The schema must give resolvers to fields of objects and lists, and `resolveType` to its interfaces.
 * @param known is told of each query that was run so.
 */
export function compiledQueries(known?: Keeping): ApolloServerPlugin {
  const seen = new Map<string, Known>();

  /** Compiled at its second time: what is asked only once is not worth it. The one used longest ago gives way. */
  function find(schema: GraphQLSchema, document: DocumentNode, key: string, name: string | undefined): Known {
    const before = seen.get(key);
    const now = before === 'seen' ? compile(schema, document, name) : (before ?? 'seen');
    seen.delete(key);
    seen.set(key, now);
    const [oldest] = seen.size > mostKept ? seen.keys() : [];
    if (oldest !== undefined) seen.delete(oldest);
    return now;
  }

  return {
    requestDidStart: async () => ({
      responseForOperation: async ({ schema, document, operation, queryHash, request, contextValue }) => {
        // None where the document has several and none is named, whatever the hook's type says.
        if ((operation as typeof operation | undefined)?.operation !== OperationTypeNode.QUERY) return null;
        const name = operation.name?.value;
        const code = find(schema, document, `${queryHash} ${name ?? ''}`, name);
        if (typeof code === 'string') return null;
        if (code.rest > 0) {
          code.rest--;
          return null;
        }
        const data = await code.run(contextValue, request.variables ?? {});
        if (!data) return null;
        if (request.query !== undefined && queryHash !== undefined)
          known?.keep(request.query, request.operationName, { hash: queryHash, document, operation, code });
        return answered(data);
      },
    }),
  };
}

/**
 * Whether compiled code answers this document as graphql-js does. It does not where there are directives, names that
 * mean something to JavaScript, or variables inside a literal that may be left out. Texts are refused because the
 * compiler writes them into the code, where a caller's text can become code itself.
 */
export function isCompilable(document: DocumentNode): boolean {
  if (fieldsOf(document) > mostFields) return false;
  let compilable = true;
  const refuse = () => {
    compilable = false;
    return BREAK;
  };
  const optional = new Set<string>();
  let nested = 0;
  const nest = { enter: () => void nested++, leave: () => void nested-- };
  visit(document, {
    StringValue: refuse,
    Directive: refuse,
    Name: ({ value }) => (value.startsWith('__') && value !== '__typename' ? refuse() : undefined),
    ListValue: nest,
    ObjectValue: nest,
    VariableDefinition: ({ variable, type }) => {
      if (type.kind !== Kind.NON_NULL_TYPE) optional.add(variable.name.value);
    },
    // The compiler puts null for what graphql-js leaves out.
    Variable: ({ name }) => (nested > 0 && optional.has(name.value) ? refuse() : undefined),
  });
  return compilable;
}

/** How many fields there are with every fragment written out, counted up to one too many. */
function fieldsOf(document: DocumentNode): number {
  const fragments = new Map<string, SelectionSetNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition.selectionSet);
  let count = 0;
  const walk = (set: SelectionSetNode | undefined): void => {
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FIELD) count++;
      if (count > mostFields) return;
      if (selection.kind === Kind.FRAGMENT_SPREAD) walk(fragments.get(selection.name.value));
      else walk(selection.selectionSet);
    }
  };
  for (const definition of document.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION) walk(definition.selectionSet);
  return count;
}

function compile(schema: GraphQLSchema, document: DocumentNode, name: string | undefined): Known {
  if (!isCompilable(document)) return 'plain';
  const compiled = compileQuery(schema, document, name, { disablingCapturingStackErrors: true });
  if (!isCompiledQuery(compiled)) return 'plain';
  const code: Compiled = {
    rest: 0,
    run: async (ctx, variables) => {
      const { data, errors } = await compiled.query(undefined, ctx, variables);
      if (errors) code.rest = restAfterError;
      return errors ? undefined : (data ?? undefined);
    },
  };
  return code;
}

const answered = (data: Data): GraphQLResponse => ({
  http: { headers: new HeaderMap() },
  body: { kind: 'single', singleResult: { data } },
});
