import cors from '@fastify/cors';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RouteHandlerMethod,
} from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { clientAddress } from './access/addresses.js';
import { authenticate } from './access/authenticate.js';
import { statusOf } from './answer-errors.js';
import { openAnswers } from './answer.js';
import { adminAccountId } from './accounts/account.js';
import { AuditOutcome } from './audit/audit-event.js';
import type { Refusals } from './audit/refusals.js';
import type { Config } from './config.js';
import type { Registry } from './connectors/registry.js';
import type { RequestContext } from './context.js';
import type { LastUsed } from './credentials/last-used.js';
import type { Database } from './database.js';
import { KeywayError, unavailable, type Code } from './errors.js';
import { explorerPage } from './explorer/page.js';
import { newId } from './ids.js';
import { parseJsonBody } from './json-body.js';
import type { Keyring } from './keyring/keyring.js';
import type { Log } from './log.js';
import { publicError } from './public-error.js';
import { instant } from './time.js';

/** The parts of Keyway that answer requests. */
export interface Parts {
  db: Database;
  keyring: Keyring;
  connectors: Registry;
  schema: GraphQLSchema;
  refusals: Refusals;
  lastUsed: LastUsed;
}

export interface HttpOptions {
  config: Config;
  log: Log;
  /** The parts, or undefined while there are none: then every request is answered UNAVAILABLE. */
  parts: Parts | undefined;
  ready: () => Promise<boolean>;
}

const mostBytes = 256 * 1024;
const slowestHeadersMs = 10_000;
const slowestRequestMs = 15_000;

/** The HTTP door: a request in, a response out. */
export async function openHttp({ config, log, parts, ready }: HttpOptions): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: mostBytes,
    requestTimeout: slowestRequestMs,
    connectionTimeout: 60_000,
    keepAliveTimeout: 10_000,
    forceCloseConnections: 'idle',
    genReqId: () => newId(),
    http: { headersTimeout: slowestHeadersMs, maxHeaderSize: 16 * 1024 },
  });
  // Ours is the only body there is, and its parser the only one.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_: FastifyRequest, text: string) => parseJsonBody(text),
  );
  app.addHook('onRequest', async ({ id, headers }, reply) => {
    void reply.headers({
      'x-request-id': id,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity')
      return refuse(reply, 415, 'BAD_USER_INPUT', 'The body must not be encoded.');
  });
  app.addHook(
    'onResponse',
    async ({ id, method, url, routeOptions, principal }, { statusCode, elapsedTime }) => {
      log.info(
        {
          id,
          method,
          path: routeOptions.url ?? url.split('?')[0],
          status: statusCode,
          ms: Math.round(elapsedTime),
          account: principal?.accountId,
        },
        'request',
      );
    },
  );
  app.setErrorHandler(async (error, _, reply) => answerFailure(reply, error, log));
  app.setNotFoundHandler(async (_, reply) =>
    refuse(reply, 404, 'NOT_FOUND', 'There is nothing at this address.'),
  );
  if (config.corsOrigins.length > 0) {
    await app.register(cors, {
      origin: [...config.corsOrigins],
      methods: ['GET', 'POST'],
      credentials: false,
      maxAge: 600,
    });
  }
  app.decorateRequest('principal', undefined);
  app.decorateRequest('at', 0);

  app.get('/health', async () => ({ status: 'up' }));
  app.get('/ready', async (_, reply) => {
    const up = await ready();
    return reply.code(up ? 200 : 503).send({ status: up ? 'up' : 'down' });
  });
  if (config.explorer) addExplorer(app);
  if (parts) await addGraph(app, config, log, parts);
  else app.all('/graphql', async (_, reply) => answerFailure(reply, unavailable(), log));
  return app;
}

async function addGraph(app: FastifyInstance, config: Config, log: Log, parts: Parts): Promise<void> {
  const { db, keyring, connectors, refusals, lastUsed } = parts;
  const apollo = openAnswers(parts.schema, { introspection: config.introspection, refusals });
  apollo.addPlugin(fastifyApolloDrainPlugin(app));
  await apollo.start();

  const addressOf = ({ socket, headers }: FastifyRequest) =>
    clientAddress(socket.remoteAddress, headers['x-forwarded-for'], config.trustedProxies);

  /** Finds who is calling, before anything else is done with the request. */
  async function prove(request: FastifyRequest): Promise<void> {
    const ip = addressOf(request);
    try {
      request.principal = await authenticate(db, keyring, authorizationOf(request), ip);
      lastUsed.note(request.principal.credentialId, request.principal.credentialVersion, instant(request.at));
    } catch (error) {
      if (error instanceof KeywayError && error.code === 'UNAUTHENTICATED') noteStranger(request.id, ip);
      throw error;
    }
  }

  const noteStranger = (requestId: string, ip: string | undefined) =>
    refusals.note({
      accountId: adminAccountId,
      projectId: null,
      actorId: null,
      actorCredentialId: null,
      action: 'authenticate',
      outcome: AuditOutcome.REFUSED,
      code: 'UNAUTHENTICATED',
      targetType: null,
      targetId: null,
      ip: ip ?? null,
      requestId,
    });

  const context = async (request: FastifyRequest): Promise<RequestContext> => {
    if (!request.principal) throw new KeywayError('UNAUTHENTICATED');
    const { id: requestId, principal, at } = request;
    return {
      requestId,
      at,
      principal,
      ip: addressOf(request),
      db,
      keyring,
      connectors,
      log: log.child({ id: requestId }),
    };
  };

  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    onRequest: async (request, reply) => {
      request.at = db.now();
      // Answers can hold secrets.
      void reply.header('cache-control', 'no-store');
      await prove(request);
    },
    handler: fastifyApolloHandler(apollo, { context }) as RouteHandlerMethod,
  });
}

/** The one Authorization header. @throws UNAUTHENTICATED where there are several. */
function authorizationOf({ raw }: FastifyRequest): string | undefined {
  const given = raw.rawHeaders.filter(
    (name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization',
  );
  if (given.length > 1) throw new KeywayError('UNAUTHENTICATED');
  return raw.headers.authorization;
}

function addExplorer(app: FastifyInstance): void {
  app.get('/', async ({ headers }, reply) => {
    const { html, gzip, etag, contentSecurityPolicy } = explorerPage();
    void reply.headers({
      'content-security-policy': contentSecurityPolicy,
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      etag,
      vary: 'accept-encoding',
    });
    if (headers['if-none-match'] === etag) return reply.code(304).send();
    if (!/\bgzip\b/.test(String(headers['accept-encoding']))) return reply.send(html);
    return reply.header('content-encoding', 'gzip').send(gzip);
  });
}

/** Answers what went wrong outside the graph, in the words that the graph has for it. */
function answerFailure(reply: FastifyReply, error: unknown, log: Log): FastifyReply {
  const { id } = reply.request;
  const status =
    error instanceof KeywayError ? statusOf.get(error.code) : (error as { statusCode?: number }).statusCode;
  const known = error instanceof KeywayError ? error : bodyFault(status);
  const answer = publicError(known ?? error, { requestId: id });
  if (answer.extensions.code === 'INTERNAL_SERVER_ERROR') log.error({ id, error }, 'a request failed inside');
  if (answer.extensions.code === 'UNAUTHENTICATED')
    void reply.header('www-authenticate', 'Bearer realm="keyway"');
  return reply.code(known ? (status ?? 500) : 500).send({ errors: [answer] });
}

/** What Fastify refuses before our own code sees it. */
function bodyFault(status: number | undefined): KeywayError | undefined {
  if (status === 413) return new KeywayError('LIMIT_EXCEEDED', 'The body is too large.');
  if (status === 415) return new KeywayError('BAD_USER_INPUT', 'The content type must be application/json.');
  if (status !== undefined && status >= 400 && status < 500)
    return new KeywayError('BAD_USER_INPUT', 'The request cannot be read.');
  if (status === 503) return unavailable();
  return undefined;
}

function refuse(reply: FastifyReply, status: number, code: Code, message: string): FastifyReply {
  const answer = publicError(new KeywayError(code, message), { requestId: reply.request.id });
  return reply.code(status).send({ errors: [answer] });
}

declare module 'fastify' {
  interface FastifyRequest {
    /** When it came, by the clock of the database. */
    at: number;
    principal: import('./access/principal.js').Principal | undefined;
  }
}
