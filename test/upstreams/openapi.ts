import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import type { Arrived } from './stand-in.js';

/** An API file, to hold requests and answers against. */
export interface OpenApi {
  /** What is wrong with a request: its path, its query or its body. Empty where nothing is. */
  faultsOfRequest(method: string, target: string, body?: unknown): string[];
  /** What is wrong with an answer: its status or its body, undefined for none. Empty where nothing is. */
  faultsOfAnswer(method: string, target: string, status: number, body?: unknown): string[];
}

/** Where what is published beside the file is known to differ from it. */
export interface Beside {
  /** Members that may be null, as `Schema.member`. */
  nulls?: string[];
  /** Statuses that any call may answer with, each with the schema of its body; null where there need not be one. */
  statuses?: Record<number, string | null>;
}

type Direction = 'request' | 'answer';
type Schema = Record<string, unknown> & { properties?: Record<string, Schema>; $ref?: string };
interface Operation {
  parameters?: { name: string; in: string; schema: { type: string } }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}
interface File {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** Seqera's file. It knows nothing of a wrong token, too many calls and taken names, which other pages tell. */
export const seqeraApi = () =>
  readOpenApi('test/vectors/openapi/seqera.yaml', {
    statuses: { 401: null, 409: 'ErrorResponse', 429: null },
  });

/** Apinizer's file. It knows no 400, and not that two members may be null, as the pages and their examples say. */
export const apinizerApi = () =>
  readOpenApi('test/vectors/openapi/apinizer.yaml', {
    nulls: ['CredentialDTO.password', 'CredentialDTO.expireDate'],
    statuses: { 400: 'ApiOpsResponseError' },
  });

/** Reads an OpenAPI file of version 3.0, and what is known beside it. */
export function readOpenApi(path: string, { nulls = [], statuses = {} }: Beside = {}): OpenApi {
  const file = parse(readFileSync(path, 'utf8')) as File;
  for (const [schema, member] of nulls.map((name) => name.split('.'))) {
    const found = file.components.schemas[schema ?? '']?.properties?.[member ?? ''];
    if (!found) throw new Error(`${schema}.${member} is not in the file.`);
    found.nullable = true;
  }
  const [requests, answers] = [compiler(file, 'request'), compiler(file, 'answer')];

  return {
    faultsOfRequest(method, target, body) {
      const operation = operationOf(file, method, target);
      if (!operation) return [`${method} ${target} is not in the file`];
      const schema = operation.requestBody?.content['application/json']?.schema;
      if (!schema) return [...faultsOfQuery(operation, target), ...(body === undefined ? [] : ['a body'])];
      return [...faultsOfQuery(operation, target), ...requests(schema, body)];
    },
    faultsOfAnswer(method, target, status, body) {
      const operation = operationOf(file, method, target);
      if (!operation) return [`${method} ${target} is not in the file`];
      const answer = operation.responses[status];
      const beside = statuses[status];
      if (answer?.content) return answers(answer.content['application/json']?.schema ?? {}, body);
      // Where no body is promised, none comes with good news, and any may come with bad.
      if (answer) return status < 400 && body !== undefined ? ['a body'] : [];
      if (beside === undefined) return [`status ${status}`];
      return beside === null ? [] : answers({ $ref: `#/components/schemas/${beside}` }, body);
    },
  };
}

/** What is wrong with the requests of these calls; `base` is what stands before the paths of the file. */
export function faultsOfCalls(api: OpenApi, calls: Arrived[], base = ''): string[] {
  return calls.flatMap(({ method, target, body }) => {
    const sent = body === '' ? undefined : (JSON.parse(body) as unknown);
    return api
      .faultsOfRequest(method, target.slice(base.length), sent)
      .map((fault) => `${method} ${target}: ${fault}`);
  });
}

function operationOf({ paths }: File, method: string, target: string): Operation | undefined {
  const [path = ''] = target.split('?');
  const fitting = Object.keys(paths).filter((template) =>
    new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  // A path that is written out goes before one with a place in it.
  const [best = ''] = fitting.sort((one, other) => one.split('{').length - other.split('{').length);
  return paths[best]?.[method.toLowerCase()];
}

function faultsOfQuery({ parameters = [] }: Operation, target: string): string[] {
  const values: Record<string, RegExp> = { integer: /^-?\d+$/, boolean: /^(true|false)$/ };
  return [...new URLSearchParams(target.split('?')[1])].flatMap(([name, value]) => {
    const known = parameters.find((one) => one.in === 'query' && one.name === name);
    return values[known?.schema.type ?? '']?.test(value) === false ? [`query ${name}`] : [];
  });
}

/** Holds values to schemas of the file, in one direction. */
function compiler(file: File, direction: Direction): (schema: Schema, value: unknown) => string[] {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const schemas = Object.entries(file.components.schemas).map(([name, schema]) => [
    name,
    translated(schema, file, direction),
  ]);
  ajv.addSchema({ $id: 'file', components: { schemas: Object.fromEntries(schemas) as object } });
  const compiled = new Map<Schema, ValidateFunction>();
  return (schema, value) => {
    const validate = compiled.get(schema) ?? ajv.compile(translated(schema, file, direction));
    compiled.set(schema, validate);
    // The values stay out of the faults: they may be secret.
    return validate(value) ? [] : (validate.errors ?? []).map((one) => `${one.instancePath} ${one.message}`);
  };
}

/** A schema of OpenAPI 3.0 as one of JSON Schema, of what may go in this direction. */
function translated(schema: Schema, file: File, direction: Direction): Schema {
  if (schema.$ref !== undefined) return { $ref: schema.$ref.replace(/^#/, 'file#') };
  const { nullable, discriminator, properties, required, oneOf, ...others } = schema;
  const hidden = (one: Schema) => one[direction === 'request' ? 'readOnly' : 'writeOnly'] === true;
  const each = (one: unknown) => translated(one as Schema, file, direction);
  const result: Schema = { ...others };
  for (const name of ['allOf', 'anyOf'])
    if (Array.isArray(others[name])) result[name] = others[name].map(each);
  if (others.items) result.items = each(others.items);
  if (properties) {
    const members = Object.entries(properties);
    const translations = members.map(([name, one]) => [name, hidden(one) ? { not: {} } : each(one)]);
    result.properties = Object.fromEntries(translations) as Record<string, Schema>;
    result.required = ((required as string[] | undefined) ?? []).filter(
      (name) => !hidden(properties[name] ?? {}),
    );
    const tied = members.flatMap(([name, one]) => ties(name, one, properties, file));
    if (direction === 'request' && tied.length > 0) result.allOf = tied;
  }
  const { mapping } = (discriminator ?? {}) as { mapping?: Record<string, string> };
  if (mapping && direction === 'answer') {
    result.required = ['discriminator'];
    result.properties = { discriminator: { enum: Object.keys(mapping) } };
    result.allOf = Object.entries(mapping).map(([value, $ref]) => when('discriminator', value, { $ref }));
  } else if (Array.isArray(oneOf)) result[mapping ? 'anyOf' : 'oneOf'] = oneOf.map(each);
  return nullable === true ? { anyOf: [result, { type: 'null' }] } : result;
}

/** What is sent names its kind beside it: the provider of the keys. */
function ties(name: string, one: Schema, siblings: Record<string, Schema>, file: File): Schema[] {
  const target = file.components.schemas[one.$ref?.split('/').at(-1) ?? ''];
  const { mapping = {} } = (target?.discriminator ?? {}) as { mapping?: Record<string, string> };
  if (!siblings.provider) return [];
  return Object.entries(mapping).map(([value, $ref]) =>
    when('provider', value, { properties: { [name]: { $ref } } }),
  );
}

const when = (name: string, value: string, then: Schema): Schema => ({
  if: { properties: { [name]: { const: value } }, required: [name] },
  then: JSON.parse(JSON.stringify(then).replaceAll('"#/', '"file#/')) as Schema,
});
