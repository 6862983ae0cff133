import { readFileSync } from 'node:fs';
import {
  buildSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isSpecifiedScalarType,
  type GraphQLNamedType,
  type GraphQLType,
} from 'graphql';

// The schema as it is printed: what a caller sees of it, one description at a time.
const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));
const types = Object.values(schema.getTypeMap()).filter(
  (type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type),
);

interface Described {
  path: string;
  side: 'type' | 'value' | 'output' | 'input';
  type?: GraphQLType;
  description: string;
}

/** A type with all that is described in it: its values, its fields, and their arguments. */
function describedIn(type: GraphQLNamedType): Described[] {
  const about = (path: string, one: { type?: GraphQLType; description?: string | null }) => ({
    path,
    ...(one.type && { type: one.type }),
    description: one.description ?? '',
  });
  const found: Described[] = [{ ...about(type.name, { description: type.description ?? '' }), side: 'type' }];
  if (isEnumType(type))
    for (const value of type.getValues())
      found.push({ ...about(`${type.name}.${value.name}`, value), side: 'value' });
  if (isInputObjectType(type))
    for (const field of Object.values(type.getFields()))
      found.push({ ...about(`${type.name}.${field.name}`, field), side: 'input' });
  if (isObjectType(type) || isInterfaceType(type))
    for (const field of Object.values(type.getFields())) {
      const path = `${type.name}.${field.name}`;
      found.push({ ...about(path, field), side: 'output' });
      for (const argument of field.args)
        found.push({ ...about(`${path}(${argument.name})`, argument), side: 'input' });
    }
  return found;
}

const all = types.flatMap(describedIn);
const outputs = all.filter(({ side }) => side === 'output');
const paths = (found: readonly Described[]) =>
  found.map(({ path, description }) => `${path}: ${description}`);
const bare = (type: GraphQLType): GraphQLType => (isNonNullType(type) ? type.ofType : type);

/** Whether the answer, or an item of it, may be null. */
const mayBeNull = (type: GraphQLType): boolean => {
  const inner = bare(type);
  return !isNonNullType(type) || (isListType(inner) && mayBeNull(inner.ofType as GraphQLType));
};

const named = (type: GraphQLType | undefined, ...names: string[]) =>
  type !== undefined && names.includes(getNamedType(type).name);

/** The words of a description, or of a name, without those that say nothing by themselves. */
const words = (text: string) =>
  text
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .match(/[a-z0-9]+/g)
    ?.map((word) => word.replace(/e?s$/, ''))
    .filter((word) => !/^(an?|the|of|it|i|thi|that)$/.test(word)) ?? [];

test('there is a schema to look at', () => {
  expect(all.length).toBeGreaterThan(500);
});

test('every type, value, field and argument has a description', () => {
  expect(paths(all.filter(({ description }) => description.trim() === ''))).toEqual([]);
  const directives = schema.getDirectives().filter(({ description }) => !description);
  expect(directives.map(({ name }) => name)).toEqual([]);
});

test('no description only repeats the name', () => {
  const hollow = all.filter(({ path, description }) => {
    const name = words(path.split(/[.(]/).at(-1) ?? '');
    return words(description).every((word) => name.includes(word));
  });
  expect(paths(hollow)).toEqual([]);
});

test('a field that may be null says when', () => {
  const nullable = outputs.filter(({ type }) => type && mayBeNull(type));
  expect(nullable.length).toBeGreaterThan(60);
  expect(paths(nullable.filter(({ description }) => !/\bnull\b/i.test(description)))).toEqual([]);
});

test('a time that is told says that it is in UTC', () => {
  const times = outputs.filter(({ type }) => named(type, 'DateTime'));
  expect(times.length).toBeGreaterThan(20);
  expect(paths(times.filter(({ description }) => !/\bUTC\b/.test(description)))).toEqual([]);
});

test('a length of time says in what format it is, and a number what it counts', () => {
  const lengths = all.filter(({ type }) => named(type, 'Duration'));
  const numbers = all.filter(({ type }) => named(type, 'Int', 'NonNegativeInt', 'Float'));
  expect(lengths.length).toBeGreaterThan(6);
  expect(numbers.length).toBeGreaterThan(20);
  expect(paths(lengths.filter(({ description }) => !/\bISO 8601 duration\b/.test(description)))).toEqual([]);
  const counting = /\bhow many\b|\bnumber of\b|\bversion\b|\b(milli)?seconds\b|\bbytes\b/i;
  expect(paths(numbers.filter(({ description }) => !counting.test(description)))).toEqual([]);
});

test('a list says in what order it is', () => {
  const lists = outputs.filter(
    ({ type, path }) =>
      type && (isListType(bare(type)) || /Connection$/.test(getNamedType(type).name)) && !/^Page/.test(path),
  );
  expect(lists.length).toBeGreaterThan(30);
  expect(paths(lists.filter(({ description }) => !/\border\b|\bfirst\b/.test(description)))).toEqual([]);
});

test('the words are plain: no figure of speech, no word that has gone out of use', () => {
  const unplain =
    /\b(anew|whoever|whom?soever|whatever becomes|nobody|lies|dead|hands?|eyes?|goes by|stands? (in|for it|before)|by the word|its word|asked of|came? to nothing|comes? of|stock|vouch\w*|heals?|no more|lives? on|proves? itself|way in|left out of|in place of|where (it|left|null))\b/i;
  expect(paths(all.filter(({ description }) => unplain.test(description)))).toEqual([]);
});
