// Makes src/graph.ts of the graph's schema and of src/operations.graphql: the documents, and types of what they take and
// answer. Run it where either has changed; a test says so.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codegen } from '@graphql-codegen/core';
import * as operations from '@graphql-codegen/typescript-operations';
import { buildSchema, Kind, parse, print, visit } from 'graphql';
import { format, resolveConfig } from 'prettier';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');

/** Each scalar of the graph is a string or a number in JSON. */
const scalars = {
  DateTime: 'string',
  Duration: 'string',
  EmailAddress: 'string',
  ID: 'string',
  IPRange: 'string',
  NonNegativeInt: 'number',
  URL: 'string',
};

/** @returns what src/graph.ts is to be */
export async function generated() {
  const schema = readFileSync(join(root, 'schema.graphql'), 'utf8');
  const asked = parse(readFileSync(join(here, 'src/operations.graphql'), 'utf8'), { noLocation: true });
  const types = await codegen({
    schema: parse(schema),
    schemaAst: buildSchema(schema),
    config: { scalars, enumType: 'string-literal', useTypeImports: true, skipTypename: true },
    filename: 'graph.ts',
    documents: [{ location: 'operations.graphql', document: asked }],
    plugins: [{ operations: {} }],
    pluginMap: { operations },
  });
  const text = [
    '// Made by generate.mjs, of schema.graphql and operations.graphql: change those.',
    "import type { TypedText } from './documents.js';",
    '',
    types,
    ...asked.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION).map(documentOf(asked)),
  ].join('\n');
  return format(text, { ...(await resolveConfig(join(here, 'src/graph.ts'))), parser: 'typescript' });
}

const documentOf = (asked) => (operation) => {
  const name = operation.name.value;
  const kind = `${name}${operation.operation === 'query' ? 'Query' : 'Mutation'}`;
  const text = [operation, ...fragmentsIn(operation, asked)].map(print).join('\n');
  return `export const ${name}Document = ${JSON.stringify(text.replace(/\s+/g, ' '))} as TypedText<${kind}, ${kind}Variables>;`;
};

function fragmentsIn(operation, { definitions }) {
  const names = new Set();
  visit(operation, { FragmentSpread: ({ name }) => void names.add(name.value) });
  return definitions.filter(({ kind, name }) => kind === Kind.FRAGMENT_DEFINITION && names.has(name.value));
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(here, 'src/graph.ts'), await generated());
