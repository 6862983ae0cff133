import { readFileSync } from 'node:fs';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as operations from '@graphql-codegen/typescript-operations';
import { buildASTSchema, isAbstractType, parse } from 'graphql';
import * as prettier from 'prettier';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

/** @returns what src/graph/documents.ts has to be, by the schema and the documents of the console as they are. */
export async function writtenDocuments() {
  const schema = parse(read('../schema.graphql'));
  const graph = buildASTSchema(schema);
  const source = await codegen({
    schema,
    schemaAst: graph,
    documents: [{ location: 'console.graphql', document: parse(read('src/graph/console.graphql')) }],
    filename: 'documents.ts',
    config: {
      useTypeImports: true,
      scalars,
      enumsAsTypes: true,
      onlyOperationTypes: true,
      // What is not asked for under its own name would be there twice.
      skipTypename: true,
      dedupeFragments: true,
      inlineFragmentTypes: 'combine',
      documentMode: 'graphQLTag',
      gqlImport: '@urql/core#gql',
    },
    plugins: [{ operations: {} }, { typedDocumentNode: {} }],
    pluginMap: { operations, typedDocumentNode },
  });
  const possible = Object.values(graph.getTypeMap())
    .filter((type) => isAbstractType(type) && !type.name.startsWith('__'))
    .map((type) => [type.name, graph.getPossibleTypes(type).map(({ name }) => name)]);
  const written = `// Written by codegen.mjs.
    ${source}
    /** What each interface and union of the graph may be. */
    export const possibleTypes = ${JSON.stringify(Object.fromEntries(possible))};`;
  return prettier.format(written, {
    ...JSON.parse(read('../package.json')).prettier,
    parser: 'typescript',
  });
}

const asText = ['ID', 'Date', 'DateTime', 'Duration', 'EmailAddress', 'IPRange', 'URL'];
/** How each scalar of the graph comes and goes as JSON. */
const scalars = {
  ...Object.fromEntries(asText.map((name) => [name, 'string'])),
  NonNegativeInt: 'number',
};
