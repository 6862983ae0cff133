import cors from '@fastify/cors';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { addressAllowed } from '../access/addresses.js';
import { authenticate } from '../access/authenticate.js';
import type { Admit } from '../access/identity.js';
import type { KeySets } from '../access/issuers/key-sets.js';
import { whoseOf } from '../access/principal.js';
import type { PublicError } from '../graph/errors/answer.js';
import { openApollo } from '../graph/apollo.js';
import { revokingIn } from '../graph/charges.js';
import { suggestFor } from '../graph/errors/suggest.js';
import { adminAccountId } from '../accounts/account.js';
import { FirstSights } from '../accounts/identities/first-sight.js';
import { decisionOf, endedBy, nobody } from '../audit/decision.js';
import type { Config } from '../config/config.js';
import type { RequestContext } from '../access/context.js';
import { KeywayError, unavailable } from '../errors.js';
import { newId } from '../ids.js';
import type { RateLimits } from '../rate-limits/rate-limits.js';
import { addressOf, callOf } from './call.js';
import { addressBelow, refusalOfHead } from './head.js';
import { readJsonBody } from './json-body.js';
import type { Log } from '../log.js';
import { largeBody } from '../config/limits.js';
import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import type { Outcome, RequestSpan, Telemetry } from '../telemetry/telemetry.js';
import { Turns } from '../graph/turns.js';
import {
  always,
  answerFailure,
  costless,
  refuse,
  refuseBytes,
  refuseExpectation,
  refuseTunnel,
} from './failures.js';
import { expectAsked, expectAskedByGet } from './asked.js';
import { limitRequests } from './admission/admission.js';
import { endStalled, limitConnections } from './connections.js';
import { mediaTypeFor } from './media-type.js';
import { addPages } from './pages.js';
import { exposedHeaders, rateLimitHeaders } from './rate-limit-headers.js';
import { reasonFor } from './readiness.js';
import { UnderWay } from './under-way.js';
import { addScim, scimPath } from './scim-routes.js';
import { openApiOf } from './openapi.js';
import { answerVerification } from './verify-route.js';

/** The parts of Keyway that answer requests: what each request carries, whom callers are known by, and the graph. */
export interface Parts extends Pick<
  RequestContext,
  'db' | 'keyring' | 'keyStandings' | 'connectors' | 'gates' | 'syncs' | 'decisions' | 'lastUsed'
> {
  /** A server that queries may be read from. */
  replica: { forQuery(own: Parts['db']): Promise<{ db: Parts['db']; asOf: number }> } | undefined;
  keySets: KeySets;
  rateLimits: RateLimits;
  schema: GraphQLSchema;
}

/** How long a connection may be still where something is to be sent on it. */
const stalledMs = 60_000;

export interface HttpOptions {
  config: Config;
  log: Log;
  telemetry: Telemetry;
  /** The parts, or undefined while there are none: then every request is answered UNAVAILABLE. */
  parts: Parts | undefined;
  ready: () => Promise<boolean>;
  /** Where the audit log is not what its checkpoints say: while there is any, every request is answered UNAVAILABLE. */
  breaks: () => readonly unknown[];
}

/** The HTTP door: a request in, a response out. */
export async function openHttp({
  config,
  log,
  telemetry,
  parts,
  ready,
  breaks,
}: HttpOptions): Promise<FastifyInstance> {
  const { limits } = config;
  const app = Fastify({
    bodyLimit: limits.body,
    requestTimeout: limits.requestSeconds * 1_000,
    keepAliveTimeout: config.keepAliveMs,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    genReqId: () => newId(),
    rewriteUrl: ({ url = '/' }) => addressBelow(config.basePath, url),
    // A request without the header Host is refused below: Node would answer with nothing.
    http: {
      headersTimeout: limits.headersSeconds * 1_000,
      maxHeaderSize: limits.headers,
      requireHostHeader: false,
      // Left to itself Node looks at slow clients each half minute.
      connectionsCheckingInterval: 1_000,
    },
    // What is refused before there is a route, and before there is a request: Fastify's own words repeat the address.
    frameworkErrors: (error, { id }, reply) => void answerFailure(reply.headers(always(id)), error, log),
    clientErrorHandler: (error, socket) => refuseBytes(error, socket, { log, telemetry, limits }),
  });
  limitConnections(app.server, limits.connections, log, telemetry);
  const admittedAs = limitRequests(app.server, {
    config,
    log,
    telemetry,
    revoking: revokingIn(parts?.schema),
  });
  endStalled(app.server, stalledMs);
  const turns = new Turns();
  // Ours is the only body there is, and its parser the only one.
  app.removeAllContentTypeParsers();
  app.addHook('preParsing', async (request) => {
    if (hasBody(request) && !request.raw.complete) admittedAs(request.raw)?.awaitBody();
  });
  const parse = async (request: FastifyRequest, body: Buffer) => {
    admittedAs(request.raw)?.readBody();
    request.proveBody?.(body);
    if (body.length > largeBody) await turns.take(request.principal ? whoseOf(request.principal) : []);
    return readJsonBody(body);
  };
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, parse);
  app.addHook('onRequest', async (request, reply) => {
    const { id, raw } = request;
    request.outcome = {};
    void reply.headers(always(id));
    const refusal = refusalOfHead(raw);
    if (refusal) return refuse(reply, refusal.status, 'BAD_REQUEST', refusal.message);
  });
  if (config.traces) traceRequests(app, config, telemetry);
  app.server.on('checkExpectation', (_, response: ServerResponse) => refuseExpectation(response));
  app.server.on('connect', (_, socket) => refuseTunnel(socket, log));
  app.addHook(
    'onResponse',
    async ({ id, method, routeOptions, principal, outcome, span }, { statusCode, elapsedTime }) => {
      const seconds = elapsedTime / 1_000;
      const answered = { ...outcome, route: routeOptions.url, status: statusCode, seconds };
      telemetry.answered(answered);
      span?.end({ ...answered, method });
      log.info(
        {
          id,
          method,
          // An address that leads nowhere may be anything, such as a token that was pasted in the wrong place.
          path: routeOptions.url,
          status: statusCode,
          ms: Math.round(elapsedTime),
          account: principal?.accountId,
          // Of several users who call as one account, only this tells who it was.
          issuer: principal?.identity?.issuer,
          subject: principal?.identity?.subject,
          trace_id: span?.traceId,
          span_id: span?.spanId,
        },
        'request',
      );
    },
  );
  app.setErrorHandler(async (error, request, reply) =>
    answerFailure(reply, await charged(request, error), log, limits.body),
  );
  app.setNotFoundHandler(async (_, reply) =>
    refuse(reply, 404, 'NOT_FOUND', 'There is nothing at this address.'),
  );
  if (config.corsOrigins.length > 0) {
    await app.register(cors, {
      origin: [...config.corsOrigins],
      methods: ['GET', 'POST'],
      credentials: false,
      exposedHeaders: [...exposedHeaders],
      maxAge: 600,
    });
  }
  app.decorateRequest('principal', undefined);
  app.decorateRequest('at', 0);
  app.decorateRequest('db', undefined);
  app.decorateRequest('proveBody', undefined);
  app.decorateRequest('context', undefined);
  app.decorateRequest('span', undefined);
  app.decorateRequest('outcome', undefined as unknown as Outcome);
  app.decorateRequest('allowance', undefined);

  app.get('/health', async () => ({ status: 'up' }));
  app.get('/ready', async (request, reply) => {
    if (await ready()) return { status: 'up' };
    const { db, keyring, keySets } = parts ?? {};
    const reason =
      breaks().length > 0 && db && keyring && keySets
        ? await reasonFor({ db, keyring, keySets, hosts: config.hosts }, callOf(request, config, db.now()))
        : undefined;
    return reply.code(503).send({ status: 'down', reason });
  });
  addPages(app, config);
  if (parts)
    await addGraph(app, {
      config,
      log,
      telemetry,
      parts,
      turns,
      parse,
      admittedAs,
      held: () => breaks().length > 0,
    });
  else
    for (const path of ['/graphql', '/v1/verify', openApiPath, `${scimPath}/*`])
      app.all(path, async (_, reply) => answerFailure(reply, unavailable(), log));
  return app;
}

/**
 * Charges what failed before it came to be an operation, such as a body that cannot be read, as the least that does. Not
 * before it fails: until its body is read, it may be one that revokes, which has a reserve.
 * @returns what to answer: the refusal, where its caller has no points left
 */
async function charged({ principal, allowance }: FastifyRequest, failure: unknown): Promise<unknown> {
  if (!principal || !allowance || allowance.isCharged) return failure;
  return allowance.charge(1).then(
    () => failure,
    (refusal: unknown) => refusal,
  );
}

interface GraphOptions extends Pick<HttpOptions, 'config' | 'log' | 'telemetry'> {
  parts: Parts;
  turns: Turns;
  parse: (request: FastifyRequest, body: Buffer) => Promise<unknown>;
  admittedAs: ReturnType<typeof limitRequests>;
  held: () => boolean;
}

async function addGraph(
  app: FastifyInstance,
  { config, log, telemetry, parts, turns, parse, admittedAs, held }: GraphOptions,
): Promise<void> {
  const { db, keyring, connectors, gates, syncs, keySets, decisions, lastUsed, replica, rateLimits } = parts;
  const issuers = new Set(keySets.keys());
  const firstSights = new FirstSights(keyring);
  const claimedRoles = [...keySets.values()].flatMap(({ issuer }) => issuer.roles);
  const underWay = new UnderWay(config.requestsPerCaller);
  const { apollo, known } = openApollo(parts.schema, {
    introspection: config.introspection,
    decisions,
    turns,
    limits: config.limits.query,
  });
  apollo.addPlugin(fastifyApolloDrainPlugin(app));
  await apollo.start();

  /** Finds who is calling, before anything else is done with the request; where the body is signed, once it is read. */
  async function prove(request: FastifyRequest, reply: FastifyReply, own: Parts['db']): Promise<void> {
    const call = callOf(request, config, request.at);
    const { at } = request;
    const from = { requestId: request.id, ip: addressOf(request, config) };
    const admit: Admit = (identified, newcomer) => firstSights.admit(own, identified, newcomer, from);
    const means = { db: own, keyring, keySets, hosts: config.hosts, admit };
    const { principal, bodyMatches } = await authenticate(means, call).catch(async (error: unknown) => {
      if (error instanceof KeywayError && error.code === 'UNAUTHENTICATED') {
        noteStranger(request);
        if (typeof error.cause === 'string')
          log.info({ id: request.id, cause: error.cause }, 'a caller was refused');
        await rateLimits.countStranger(from.ip, (work) => own.during(work));
      }
      throw error;
    });
    const proveBody = (body?: Buffer) => {
      if (bodyMatches && !(body && bodyMatches(body))) {
        noteStranger(request);
        throw new KeywayError('UNAUTHENTICATED');
      }
      admittedAs(request.raw)?.countFor(`tenant ${principal.tenantId}`);
      request.allowance = rateLimits.of(principal, (work) => own.during(work));
      finished(reply.raw, underWay.enter(principal.accountId));
      request.principal = principal;
      const { credentialId, credentialVersion } = principal;
      if (credentialId !== null && credentialVersion !== null)
        lastUsed.note(credentialId, credentialVersion, at);
    };
    if (!hasBody(request)) proveBody(Buffer.alloc(0));
    else if (bodyMatches && request.method === 'POST') request.proveBody = proveBody;
    // The body of a GET is never read, and so never the one that was signed.
    else proveBody();
  }

  const noteStranger = (request: FastifyRequest) => {
    const deed = { action: 'authenticate', accountId: adminAccountId };
    const from = (ip?: string) => decisionOf(nobody(request.id, ip), deed, endedBy('UNAUTHENTICATED'));
    decisions.note(from(addressOf(request, config)), from());
  };

  const context = async (request: FastifyRequest, { raw }: FastifyReply): Promise<RequestContext> => {
    const { id: requestId, principal, at, db: own, outcome, allowance } = request;
    if (!principal || !own || !allowance) throw new KeywayError('UNAUTHENTICATED');
    const admitted = admittedAs(request.raw);
    const leaving = new AbortController();
    // The caller may have left while it was found out who it is.
    if (raw.destroyed) leaving.abort();
    raw.once('close', () => {
      if (!raw.writableFinished) leaving.abort();
    });
    return {
      requestId,
      at,
      principal,
      ip: addressOf(request, config),
      left: leaving.signal,
      db: own,
      replica: replica && { forQuery: () => replica.forQuery(own) },
      keyring,
      keyStandings: parts.keyStandings,
      connectors,
      gates,
      syncs,
      change: { verbs: 0, made: false, earlier: false },
      asked: {},
      outboundHttp: config.outboundLocal || config.outboundHttpRanges.length > 0,
      issuers,
      claimedRoles,
      decisions,
      lastUsed,
      allowance,
      log: log.child({ id: requestId }),
      telemetry,
      outcome,
      revokesAlone: admitted?.revokesAlone === true,
      elsewhere: (work) => (admitted ? admitted.elsewhere(work) : work()),
    };
  };

  const onRequest = async (request: FastifyRequest, reply: FastifyReply) => {
    request.at = db.now();
    // Answers can hold secrets.
    void reply.header('cache-control', 'no-store');
    // Nothing could be recorded; and a database that was put back may take for good what has been revoked since.
    if (held()) throw unavailable();
    await prove(request, reply, (request.db = db.within()));
  };
  const tellLimits = async (request: FastifyRequest, reply: FastifyReply) => {
    const { allowance } = request;
    const isOfStranger = !allowance && (reply.statusCode === 401 || reply.statusCode === 429);
    const standing = isOfStranger
      ? rateLimits.standingOfStranger(addressOf(request, config))
      : allowance?.standing;
    if (standing) void reply.headers(rateLimitHeaders(standing, db.now()));
  };
  const contextOf = async ({ context: known }: FastifyRequest) => {
    if (!known) throw new KeywayError('UNAUTHENTICATED');
    return known;
  };
  const answer = fastifyApolloHandler(apollo, { context: contextOf }) as unknown as (
    request: FastifyRequest,
    reply: FastifyReply,
  ) => Promise<string>;
  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    onSend: tellLimits,
    onRequest: async (request, reply) => {
      const type = mediaTypeFor(request.headers.accept);
      if (!type) return refuse(reply, 406, 'BAD_REQUEST', notAccepted);
      // Apollo Server would find out after it has run the operation.
      request.headers.accept = type;
      return onRequest(request, reply);
    },
    handler: async (request, reply) => {
      const byGet = request.method === 'GET';
      if (byGet && !isJson(request.headers['content-type'])) {
        await request.allowance?.charge(1);
        return refuse(reply, 415, 'BAD_REQUEST', noBody);
      }
      if (byGet) expectAskedByGet(parametersOf(request.url));
      else expectAsked(request.body);
      const ctx = (request.context = await context(request, reply));
      const again = byGet || ctx.revokesAlone ? undefined : await known.answer(request.body, ctx);
      if (again !== undefined) {
        ctx.outcome.kind = 'query';
        return reply.header('content-type', `${request.headers.accept}; charset=utf-8`).send(again);
      }
      const body = await answer(request, reply);
      // What never came to be an operation costs as much as the least that does, and is refused where that is.
      if (reply.statusCode !== 429) await ctx.allowance.charge(1);
      return reply.statusCode < 400 ? body : withId(body, request.id);
    },
  });
  const rules = { suggest: suggestFor(config.introspection), limits: config.limits.query };
  app.post('/v1/verify', { onRequest, onSend: tellLimits }, async (request, reply) =>
    telemetry.within({ name: 'verifyCredential' }, async () => {
      const ctx = await context(request, reply);
      const answer = await answerVerification(parts.schema, ctx, request.body, rules);
      if (answer.retryAfter !== null) void reply.header('retry-after', answer.retryAfter);
      return answer;
    }),
  );
  const { scim: directories, basePath } = config;
  // Not at the start, which few ask for it after.
  let description: string | undefined;
  app.get(openApiPath, async (_, reply) =>
    reply
      .headers({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' })
      .send((description ??= JSON.stringify(openApiOf(parts.schema, basePath)))),
  );
  const hooks = { onRequest, onSend: tellLimits };
  const means = { directories, basePath, log, telemetry, hooks, context, parse, charged };
  if (directories.length > 0) await app.register((scim) => addScim(scim, means), { prefix: scimPath });
}

/**
 * Traces requests. Who is to say which trace one belongs to is a proxy that is trusted: of anybody else it would be a text of
 * theirs, and whether it is traced is said by nobody.
 */
function traceRequests(app: FastifyInstance, { trustedProxies }: Config, telemetry: Telemetry): void {
  app.addHook('onRequest', (request, _, done) => {
    const { traceparent } = request.headers;
    const isTrusted =
      trustedProxies.length > 0 && addressAllowed(request.socket.remoteAddress, trustedProxies);
    request.span = telemetry.begin(isTrusted && typeof traceparent === 'string' ? traceparent : undefined);
    if (request.span) request.span.run(done);
    else done();
  });
  // What reads a body comes back from the socket, which belongs to no request.
  app.addHook('preValidation', (request, _, done) => {
    if (request.span) request.span.run(done);
    else done();
  });
}

/** What Apollo Server refuses before there is a context, such as a body that asks nothing, comes without id and cost. */
function withId(body: string, id: string): string {
  const { errors, ...rest } = JSON.parse(body) as { errors: PublicError[] };
  const named = errors.map((error) => ({ ...error, extensions: { ...error.extensions, id } }));
  return JSON.stringify({ errors: named, ...costless, ...rest });
}

const openApiPath = '/v1/openapi.json';

const notAccepted =
  'The header Accept allows none of application/graphql-response+json and application/json, which are what is sent.';

/** Of a body that is never read: there is none by GET. */
const isJson = (type: string | undefined): boolean =>
  type === undefined || /^\s*application\/json\s*(;|$)/i.test(type);

const noBody = 'A GET has no body: leave out the header Content-Type, or let it be application/json.';

const parametersOf = (url: string) => new URL(url, 'http://localhost').searchParams;

const hasBody = ({ headers }: FastifyRequest) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

declare module 'fastify' {
  interface FastifyRequest {
    /** When it came, by the clock of the database. */
    at: number;
    /** The database, as long as it may wait for it. */
    db: Parts['db'] | undefined;
    principal: import('../access/principal.js').Principal | undefined;
    /** Holds the body to what was signed, where it was. @throws UNAUTHENTICATED */
    proveBody: ((body: Buffer) => void) | undefined;
    /** Where it is traced. */
    span: RequestSpan | undefined;
    /** How it comes out. */
    outcome: Outcome;
    /** What the caller may still do. */
    allowance: RequestContext['allowance'] | undefined;
    /** What is answered with. */
    context: RequestContext | undefined;
  }
}
