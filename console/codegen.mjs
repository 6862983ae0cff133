// Writes what the console has from schema.graphql: the types of its documents with the documents as data, and what its forms
// ask for. `npm run codegen -w console`.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writtenDocuments } from './documents.mjs';
import { writtenForms } from './forms.mjs';

const write = (path, text) => writeFileSync(fileURLToPath(new URL(path, import.meta.url)), text);

write('src/graph/documents.ts', await writtenDocuments());
write('src/graph/forms.ts', await writtenForms());
