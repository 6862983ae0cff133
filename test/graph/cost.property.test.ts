import fc from 'fast-check';
import { buildSchema, Kind, parse, print, type DocumentNode, type OperationDefinitionNode } from 'graphql';
import { countsOf } from '../../src/graph/document-counts.js';
import { measure } from '../../src/graph/query-limits.js';
import { expectAlways } from '../support/property.js';

const schema = buildSchema(`
  type Query { things(first: Int, last: Int): ThingConnection! thing: Thing named: [Thing!]! count: Int }
  type ThingConnection { nodes: [Thing!]! totalCount: Int! }
  type Thing { id: ID! name: String! parent: Thing parts: [Thing!]! things(first: Int): ThingConnection! }
`);

type Selection = string;
const size = fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined });
const alias = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined });
const named = (name: string, as: string | undefined) => (as === undefined ? name : `${as}: ${name}`);
const paged = (first: number | undefined) => (first === undefined ? '' : `(first: ${first})`);

const { ofThing } = fc.letrec<{ ofThing: Selection; things: Selection }>((tie) => ({
  ofThing: fc
    .array(
      fc.oneof(
        { depthSize: 'small', maxDepth: 5 },
        fc.tuple(fc.constantFrom('id', 'name'), alias).map(([name, as]) => named(name, as)),
        fc
          .tuple(fc.constantFrom('parent', 'parts'), alias, tie('ofThing'))
          .map(([name, as, inner]) => `${named(name, as)} ${inner}`),
        fc.tuple(alias, tie('things')).map(([as, inner]) => named(inner, as)),
        tie('ofThing').map((inner) => `... on Thing ${inner}`),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((parts) => `{ ${parts.join(' ')} }`),
  things: fc
    .tuple(size, tie('ofThing'))
    .map(([first, inner]) => `things${paged(first)} { totalCount nodes ${inner} }`),
}));
const ofQuery = fc.array(
  fc.oneof(
    fc
      .tuple(fc.constantFrom('thing', 'named'), alias, ofThing)
      .map(([name, as, inner]) => `${named(name, as)} ${inner}`),
    fc
      .tuple(alias, size, ofThing)
      .map(([as, first, inner]) => `${named('things', as)}${paged(first)} { nodes ${inner} }`),
    alias.map((as) => named('count', as)),
  ),
  { minLength: 1, maxLength: 4 },
);

function measured(text: string) {
  const document = parse(text);
  const operation = document.definitions.find(
    (one) => one.kind === Kind.OPERATION_DEFINITION,
  ) as OperationDefinitionNode;
  const { cost, rootFields, aliases, directives, depth } = measure(document, operation, {}, schema);
  const { fields, nameLength } = countsOf(document).whole;
  return { cost, rootFields, aliases, directives, depth, fields, nameLength };
}
const expectNoLess = (larger: string, smaller: string) => {
  const [more, less] = [measured(larger), measured(smaller)];
  for (const name of Object.keys(less) as (keyof typeof less)[])
    expect([larger, name, more[name] >= less[name]]).toEqual([larger, name, true]);
};

test('S2: who asks for more pays no less, and is within no limit that less was over', () =>
  expectAlways(
    fc.property(ofQuery, ofQuery, (one, more) => {
      expectNoLess(`{ ${[...one, ...more].join(' ')} }`, `{ ${one.join(' ')} }`);
      expectNoLess(`{ ${[...more, ...one].join(' ')} }`, `{ ${one.join(' ')} }`);
    }),
    80,
  ));

test('S2: a selection costs the same however it is put into fragments, and each time that it is spread', () =>
  expectAlways(
    fc.property(
      ofThing,
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom('thing', 'named'),
      (inner, times, field) => {
        const roots = (put: string) =>
          Array.from({ length: times }, (_, index) => `r${index}: ${field} ${put}`).join(' ');
        const written = `{ ${roots(inner)} }`;
        const { cost, depth } = measured(written);
        const spread = `{ ${roots('{ ...F }')} } fragment F on Thing ${inner}`;
        const through = `{ ${roots('{ ...G }')} } fragment G on Thing { ...F } fragment F on Thing ${inner}`;
        const inline = `{ ${roots(`{ ... on Thing ${inner} }`)} }`;
        for (const text of [spread, through, inline]) expect(measured(text)).toMatchObject({ cost, depth });
      },
    ),
    80,
  ));

test('S2: how a document is laid out, and what its parts are called, changes nothing of its cost', () =>
  expectAlways(
    fc.property(ofQuery, (parts) => {
      const text = `query { ${parts.join(' ')} }`;
      const { cost, fields, depth } = measured(text);
      expect(measured(print(parse(text)))).toMatchObject({ cost, fields, depth });
      expect(measured(text.replaceAll('{', '{ # }\n').replaceAll(' ', ' , '))).toMatchObject({
        cost,
        fields,
        depth,
      });
    }),
    50,
  ));

test('S2: a page costs no less than a smaller one, whether its size is written down or in a variable', () =>
  expectAlways(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 100 }),
      ofThing,
      (one, other, inner) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        const cost = (first: number) => measured(`{ things(first: ${first}) { nodes ${inner} } }`).cost;
        expect(cost(more)).toBeGreaterThanOrEqual(cost(less));
        const document: DocumentNode = parse(`query ($n: Int) { things(first: $n) { nodes ${inner} } }`);
        const operation = document.definitions[0] as OperationDefinitionNode;
        // One document is weighed for one value after another.
        for (const first of [more, less, more])
          expect(measure(document, operation, { n: first }, schema).cost).toBe(cost(first));
      },
    ),
    50,
  ));

test('S4: nothing that is spread within itself keeps the count from ending', () =>
  expectAlways(
    fc.property(
      fc.array(fc.tuple(fc.nat(4), fc.array(fc.nat(4), { maxLength: 5 })), { minLength: 1, maxLength: 5 }),
      (spreads) => {
        const fragments = [0, 1, 2, 3, 4].map((index) => {
          const inner = spreads
            .filter(([from]) => from === index)
            .flatMap(([, to]) => to.map((one) => `parent { ...F${one} } ...F${one}`));
          return `fragment F${index} on Thing { id ${inner.join(' ')} }`;
        });
        const { cost } = measured(`{ thing { ...F0 } named { ...F1 } } ${fragments.join(' ')}`);
        expect(Number.isFinite(cost)).toBe(true);
      },
    ),
    50,
  ));
