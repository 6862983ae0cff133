/** @embedded the command line */
import { readdirSync, readFileSync } from 'node:fs';
import * as account from '../../src/commands/documents/account.js';
import * as audit from '../../src/commands/documents/audit.js';
import * as byName from '../../src/commands/documents/by-name.js';
import * as changes from '../../src/commands/documents/credential-changes.js';
import * as credential from '../../src/commands/documents/credential.js';
import * as project from '../../src/commands/documents/project.js';
import * as role from '../../src/commands/documents/role.js';
import * as store from '../../src/commands/documents/store.js';
import * as viewer from '../../src/commands/documents/viewer.js';
import { buildSchema, Kind, OperationTypeNode, parse, validate } from 'graphql';

const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));
const files = {
  account,
  audit,
  'by-name': byName,
  credential,
  'credential-changes': changes,
  project,
  role,
  store,
  viewer,
};
const documents = Object.values(files).flatMap((file): [string, string][] => Object.entries(file));

test('all files of documents are looked at', () => {
  const there = readdirSync('src/commands/documents').map((name) => name.replace(/\.ts$/, ''));
  expect(Object.keys(files).sort()).toEqual(there.sort());
});

/** Mutations without a command, and why. */
const without = {
  enrolMfa: 'its answer is a picture to scan: it is for the explorer or a console',
  confirmMfa: 'it goes with enrolMfa',
  removeMfa: 'mfa remove is the operator’s, for who has lost the factor',
  verifyCredentials: 'a person verifies one; services call /v1/verify',
};

test.each(documents)('%s fits the schema', (_, document) => {
  expect(validate(schema, parse(document)).map(({ message }) => message)).toEqual([]);
});

test('each mutation of the graph has a command, or a reason why it has none', () => {
  const sent = documents.flatMap(([, document]) =>
    parse(document).definitions.flatMap((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION && definition.operation === OperationTypeNode.MUTATION
        ? definition.selectionSet.selections.flatMap((field) =>
            field.kind === Kind.FIELD ? field.name.value : [],
          )
        : [],
    ),
  );
  const all = Object.keys(schema.getMutationType()?.getFields() ?? {});
  expect(all.length).toBeGreaterThan(25);
  expect([...sent, ...Object.keys(without)].sort()).toEqual(all.sort());
});
