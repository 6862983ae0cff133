// Writes the types of the console's documents, and the documents as data, from schema.graphql: `npm run codegen -w console`.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writtenDocuments } from './documents.mjs';

const path = fileURLToPath(new URL('src/graph/documents.ts', import.meta.url));
writeFileSync(path, await writtenDocuments());
