import { readFileSync } from 'node:fs';
import { buildSchema, isEnumType, isInputObjectType, type GraphQLInputObjectType } from 'graphql';
import { auditFilterOf, auditFilters } from '../../console/src/audit/audit-filters.js';
import { filterFields, filterOf, orderOf } from '../../console/src/credentials/filters.js';
import { durationInWords } from '../../console/src/parts/duration.js';
import { texts } from '../../console/src/texts.js';

// What the console knows of the graph, against the graph as it is.

const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));

test('the documents and their types are what codegen writes', async () => {
  const path: string = '../../console/documents.mjs';
  const { writtenDocuments } = (await import(path)) as { writtenDocuments: () => Promise<string> };
  expect(readFileSync('console/src/graph/documents.ts', 'utf8') === (await writtenDocuments())).toBe(true);
});

test('the forms ask what the inputs of the graph ask', async () => {
  const path: string = '../../console/forms.mjs';
  const { writtenForms } = (await import(path)) as { writtenForms: () => Promise<string> };
  expect(readFileSync('console/src/graph/forms.ts', 'utf8') === (await writtenForms())).toBe(true);
});

test('every filter of the graph stands in the address', () => {
  const type = schema.getType('CredentialFilter');
  expect(isInputObjectType(type)).toBe(true);
  const names = Object.keys((type as GraphQLInputObjectType).getFields());
  expect(filterFields.map(({ name }) => name).sort()).toEqual(names.sort());
});

test('every filter of the audit stands in its address', () => {
  const type = schema.getType('AuditFilter');
  const names = isInputObjectType(type) ? Object.keys(type.getFields()) : [];
  expect([...auditFilters].sort()).toEqual(names.sort());
  expect(
    auditFilterOf(
      new URLSearchParams('action=a:b,c:d&outcome=FAILED&target=cred_1&since=2026-01-01T00:00:00Z&no=such'),
    ),
  ).toEqual({
    action: ['a:b', 'c:d'],
    outcome: ['FAILED'],
    target: ['cred_1'],
    since: '2026-01-01T00:00:00Z',
  });
});

test('an address becomes a filter, and what it does not know is left out', () => {
  const address = new URLSearchParams(
    'search=a%20b&status=ACTIVE,ROTATING&unusedFor=P90D&withoutOwner=true&includeDeleted=false&expiresBefore=2026-12-24T00:00:00Z&no=such',
  );
  expect(filterOf(address)).toEqual({
    search: 'a b',
    status: ['ACTIVE', 'ROTATING'],
    unusedFor: 'P90D',
    withoutOwner: true,
    expiresBefore: '2026-12-24T00:00:00Z',
  });
});

test.each([
  ['', { by: 'CREATED_AT', direction: 'DESC' }],
  ['order=NAME', { by: 'NAME', direction: 'ASC' }],
  ['order=EXPIRES_AT&direction=ASC', { by: 'EXPIRES_AT', direction: 'ASC' }],
  ['order=__proto__&direction=UP', { by: 'CREATED_AT', direction: 'DESC' }],
])('the order of %j', (address, order) => {
  expect(orderOf(new URLSearchParams(address))).toEqual(order);
});

test.each([
  ['status', 'CredentialStatus'],
  ['kind', 'CredentialKind'],
  ['storeKind', 'StoreKind'],
  ['versionState', 'CredentialVersionState'],
  ['outcome', 'AuditOutcome'],
  ['accountKind', 'AccountKind'],
  ['permission', 'Permission'],
] as const)('there are words for each %s', (name, enumeration) => {
  const type = schema.getType(enumeration);
  const values = isEnumType(type) ? type.getValues().map(({ name }) => name) : [];
  expect(Object.keys(texts[name]).sort()).toEqual(values.sort());
});

test.each([
  ['P1D', '1 day'],
  ['P1DT12H', '1 day 12 hours'],
  ['PT0S', '0 seconds'],
  ['P', 'P'],
])('%s in words is %j', (duration, words) => {
  expect(durationInWords(duration)).toBe(words);
});
