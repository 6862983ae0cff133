import { readFileSync } from 'node:fs';
import { buildSchema, isScalarType, isSpecifiedScalarType } from 'graphql';

test('the map for code generators has each scalar of the graph, and no other', () => {
  const own = Object.values(buildSchema(readFileSync('schema.graphql', 'utf8')).getTypeMap())
    .filter((type) => isScalarType(type) && !isSpecifiedScalarType(type))
    .map(({ name }) => name);
  const page = readFileSync('docs/requests.md', 'utf8');
  const [, json = ''] = /## Types for clients[^]*?```json\n([^]*?)```/.exec(page) ?? [];
  const map = JSON.parse(json) as Record<string, string>;
  expect(Object.keys(map).sort()).toEqual(own.sort());
  expect(own.length).toBeGreaterThan(4);
  expect(Object.values(map).every((type) => type === 'string' || type === 'number')).toBe(true);
});
