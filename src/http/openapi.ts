import type { GraphQLSchema } from 'graphql';
import { codes, type Code } from '../errors.js';
import { statusOf } from '../graph/errors/answer.js';
import type { JsonSchema } from '../inputs/rules.js';
import { describeAnswer, describeInput, refTo, type Components } from './json-schema.js';
import { exposedHeaders } from './rate-limit-headers.js';
import { verificationSelection } from './verify-route.js';

/**
 * The OpenAPI 3.1 document of the plain routes: what they take and answer is said by the graph, its input classes and the
 * codes of errors, and nowhere again.
 * @param basePath what stands before each path, such as `/keyway`; empty where nothing does
 */
export function openApiOf(schema: GraphQLSchema, basePath: string): JsonSchema {
  const schemas: Components = { Errors: errorsSchema };
  const input = describeInput(schema, 'VerifyCredentialInput', schemas);
  schemas['Verification'] = describeAnswer(schema, 'VerifyCredentialPayload', verificationSelection, schemas);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Keyway',
      version: '1',
      description:
        'The routes beside the graph. Everything else is asked and changed at `POST /graphql`, which describes itself.',
    },
    servers: [{ url: basePath || '/' }],
    tags: [
      { name: 'verification', description: 'Whether what a service was shown is good.' },
      { name: 'operation', description: 'Whether Keyway is up, and what it answers.' },
    ],
    paths: {
      '/v1/verify': {
        post: {
          operationId: 'verify',
          tags: ['verification'],
          summary: 'Checks a secret or a signed request that a service was presented with.',
          description:
            'A wrong secret is not an error: the answer says what is wrong, with the status 200. With any other status the question was not answered: refuse the client then.',
          security: [{ token: [] }, { signature: [] }],
          requestBody: { required: true, content: json(input) },
          responses: {
            200: {
              description: 'The result.',
              headers: headersOf(...exposedHeaders),
              content: json(refTo('Verification')),
            },
            ...failures(verifyCodes),
          },
        },
      },
      '/v1/openapi.json': {
        get: {
          operationId: 'describe',
          tags: ['operation'],
          summary: 'This document.',
          security: [],
          responses: {
            200: {
              description: 'An OpenAPI document.',
              content: json({ type: 'object', required: ['openapi', 'info', 'paths'] }),
            },
            ...failures(['UNAVAILABLE']),
          },
        },
      },
      '/health': {
        get: {
          operationId: 'health',
          tags: ['operation'],
          summary: 'Whether the process answers.',
          security: [],
          responses: { 200: { description: 'It does.', content: json(statusSchema('up')) } },
        },
      },
      '/ready': {
        get: {
          operationId: 'ready',
          tags: ['operation'],
          summary: 'Whether requests can be answered: send none where they cannot.',
          security: [{}, { token: [] }, { signature: [] }],
          responses: {
            200: { description: 'They can.', content: json(statusSchema('up')) },
            503: {
              description: 'They cannot.',
              content: json(
                statusSchema('down', {
                  reason: {
                    type: 'string',
                    description:
                      'Why, where the audit log holds everything up and the caller may read all of it.',
                  },
                }),
              ),
            },
          },
        },
      },
    },
    components: { schemas, securitySchemes, headers },
  };
}

const json = (schema: JsonSchema) => ({ 'application/json': { schema } });

/** What the route of verification is refused with. */
const verifyCodes: readonly Code[] = [
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'FORBIDDEN',
  'INTERNAL_SERVER_ERROR',
  'LIMIT_EXCEEDED',
  'RATE_LIMITED',
  'UNAUTHENTICATED',
  'UNAVAILABLE',
];

/** What is refused with a status of its own, of the codes that most often have another. */
const otherStatuses: readonly (readonly [status: number, code: Code, description: string])[] = [
  [408, 'BAD_REQUEST', 'The request did not come in time.'],
  [413, 'LIMIT_EXCEEDED', 'The body is too large.'],
  [415, 'BAD_REQUEST', 'The content type is not application/json.'],
  [431, 'LIMIT_EXCEEDED', 'The headers are too large.'],
];

function failures(told: readonly Code[]): Record<string, object> {
  const statuses = [...new Set(told.map((code) => statusOf[code]))];
  const usual = statuses.map((status) => {
    const own = told.filter((code) => statusOf[code] === status);
    return [status, own.map((code) => `\`${code}\`: ${codes[code]}`).join('\n\n')] as const;
  });
  const others = otherStatuses.filter(([, code]) => told.includes(code));
  const all = [...usual, ...others.map(([status, code, text]) => [status, `\`${code}\`: ${text}`] as const)];
  return Object.fromEntries(
    all.map(([status, description]) => [
      status,
      {
        description,
        headers: headersOf(...(status === 429 || status === 503 ? exposedHeaders : alwaysTold)),
        content: json(refTo('Errors')),
      },
    ]),
  );
}

const errorsSchema: JsonSchema = {
  type: 'object',
  description: 'Why the question was not answered. Nothing that was sent is repeated.',
  properties: {
    errors: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        properties: {
          message: { type: 'string', description: 'In words, for people.' },
          extensions: {
            type: 'object',
            properties: {
              code: { type: 'string', enum: Object.keys(codes), description: 'For programs.' },
              id: {
                type: 'string',
                description: 'The id of the request, which the log has too, and the header X-Request-Id.',
              },
              fields: {
                type: 'array',
                description: 'What is wrong with the input, with BAD_USER_INPUT.',
                items: {
                  type: 'object',
                  properties: {
                    path: {
                      type: 'string',
                      description: 'Where, such as `proof.secret`; empty for the whole input.',
                    },
                    message: { type: 'string', description: 'What it must be.' },
                  },
                  required: ['path', 'message'],
                  additionalProperties: false,
                },
              },
            },
            required: ['code', 'id'],
            additionalProperties: false,
          },
        },
        required: ['message', 'extensions'],
        additionalProperties: false,
      },
    },
  },
  required: ['errors'],
  additionalProperties: false,
};

const statusSchema = (word: string, more: Record<string, JsonSchema> = {}): JsonSchema => ({
  type: 'object',
  properties: { status: { const: word }, ...more },
  required: ['status'],
  additionalProperties: false,
});

const securitySchemes = {
  token: {
    type: 'http',
    scheme: 'bearer',
    description: "A token of Keyway's, or of an issuer that it trusts.",
  },
  signature: {
    type: 'apiKey',
    in: 'header',
    name: 'Signature',
    description:
      'A signature of the request by HTTP Message Signatures (RFC 9421) with hmac-sha256, beside its Signature-Input and Content-Digest.',
  },
};

/** What the headers tell that a caller may go by. */
const headers: Readonly<Record<(typeof exposedHeaders)[number], object>> = {
  RateLimit: told('string', 'What is left of a minute, and the seconds until its end.'),
  'RateLimit-Policy': told('string', 'What a minute allows.'),
  'Retry-After': told('integer', 'In how many seconds the same request may be taken.'),
  'X-RateLimit-Limit': told('integer', 'What a minute allows.'),
  'X-RateLimit-Remaining': told('integer', 'What is left of it.'),
  'X-RateLimit-Reset': told('integer', 'When it ends, in seconds since 1970.'),
  'X-Request-Id': told('string', 'The id of the request, which the log has too.'),
};

const alwaysTold = exposedHeaders.filter((name) => name !== 'Retry-After');

function told(type: string, description: string) {
  return { description, schema: { type } };
}

const headersOf = (...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
