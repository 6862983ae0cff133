// The reference of the graph, as Markdown: made of schema.graphql, whose descriptions say what there is to say.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import {
  astFromValue,
  buildSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isScalarType,
  isSpecifiedScalarType,
  print,
} from 'graphql';
import { slugOf } from './slug.mjs';

/** The pages of the reference, each with what it begins with. */
export const kinds = [
  { kind: 'queries', title: 'Queries', begin: 'Each is a field of the root type `Query`.' },
  { kind: 'mutations', title: 'Mutations', begin: 'Each is a field of the root type `Mutation`.' },
  { kind: 'objects', title: 'Objects', begin: 'What answers consist of. A type with `!` is never null.' },
  {
    kind: 'inputs',
    title: 'Inputs',
    begin: 'What arguments consist of. One with `!` must be given, if it has no default.',
  },
  { kind: 'enums', title: 'Enums', begin: 'Fields and arguments that have one of a few values.' },
  { kind: 'scalars', title: 'Scalars', begin: 'Single values, and how each is written.' },
];

/** Where the pages are made, as files: the index of the search reads no others. Git knows nothing of them. */
export const madeIn = 'site/reference';

const root = new URL('../', import.meta.url);

/** Writes each page. */
export function makeReference() {
  const folder = new URL(`${madeIn}/`, root);
  mkdirSync(folder, { recursive: true });
  for (const { kind, content } of pagesOf(readFileSync(new URL('schema.graphql', root), 'utf8')))
    writeFileSync(new URL(`${kind}.md`, folder), content);
}

function pagesOf(source) {
  const schema = buildSchema(source);
  const roots = { queries: schema.getQueryType(), mutations: schema.getMutationType() };
  const types = Object.values(schema.getTypeMap()).filter(
    (type) =>
      !type.name.startsWith('__') && !Object.values(roots).includes(type) && !isSpecifiedScalarType(type),
  );
  return kinds.map(({ kind, title, begin }) => {
    const from = roots[kind];
    const parts = from
      ? Object.values(from.getFields()).map(rootField)
      : types.filter((type) => kindOf(type) === kind).map(describedType);
    return { kind, content: paragraphs(head, `# ${title}`, begin, from?.description, ...parts) };
  });
}

const kindOf = (type) => {
  if (isEnumType(type)) return 'enums';
  if (isScalarType(type)) return 'scalars';
  return isInputObjectType(type) ? 'inputs' : 'objects';
};

/** Only the types are told beside a page: there are hundreds of fields. */
const head = '---\noutline: 2\n---';

const paragraphs = (...parts) => parts.filter(Boolean).join('\n\n');

const rootField = (field) =>
  paragraphs(`## ${field.name}`, about(field), `Answers ${linked(field.type)}.`, listOf(field.args));

function describedType(type) {
  const interfaces = type.getInterfaces?.() ?? [];
  const parts = isEnumType(type) ? type.getValues() : Object.values(type.getFields?.() ?? {});
  return paragraphs(
    `## ${type.name}`,
    about(type),
    type.isOneOf && 'Exactly one of its fields is given.',
    interfaces.length > 0 && `Implements ${interfaces.map(linked).join(', ')}.`,
    ...parts.map((part) => describedPart(type, part)),
  );
}

/** A field of a type, or a value of an enum. */
const describedPart = (type, part) =>
  paragraphs(
    `### ${part.name} {#${slugOf(`${type.name} ${part.name}`)}}`,
    part.type && typeOf(part),
    about(part),
    listOf(part.args ?? []),
  );

const listOf = (given) =>
  given.map((one) => `- \`${one.name}\`: ${typeOf(one)}. ${about(one).replace(/\s*\n\s*/g, ' ')}`).join('\n');

const typeOf = ({ type, defaultValue }) =>
  linked(type) +
  (defaultValue === undefined ? '' : `, \`${print(astFromValue(defaultValue, type))}\` if left out`);

const about = ({ description, deprecationReason }) =>
  paragraphs(description, deprecationReason && `**Deprecated**: ${deprecationReason}`);

/** A type as it is written, with a link to where its name is described. */
function linked(type) {
  const named = getNamedType(type);
  const text = `\`${type}\``;
  return isSpecifiedScalarType(named)
    ? text
    : `[${text}](/reference/${kindOf(named)}.md#${slugOf(named.name)})`;
}
