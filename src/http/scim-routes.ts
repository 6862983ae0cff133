import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify';
import type { RequestContext } from '../access/context.js';
import { afterChange } from '../access/standing.js';
import { callerOf, decisionOf, endedBy } from '../audit/decision.js';
import type { ScimDirectory } from '../config/scim-directories.js';
import { KeywayError } from '../errors.js';
import { isRefused } from '../graph/charges.js';
import { answerOf, seconds } from '../graph/errors/answer.js';
import { mutationCost } from '../graph/query-weight.js';
import type { Log } from '../log.js';
import { deleteUser } from '../scim/delete-user.js';
import { directoryOf, type Directory } from '../scim/directory.js';
import { groupById, listGroups, membersOf } from '../scim/find-groups.js';
import { userById, listUsers } from '../scim/find-users.js';
import { groupIn, groupResource, type FoundGroup } from '../scim/group.js';
import { isWanted, listResponse, readAsked, readWanted, selected } from '../scim/list.js';
import { groupChangeIn } from '../scim/patch-group.js';
import { patched } from '../scim/patch-user.js';
import { readPatch } from '../scim/patch.js';
import { ScimRefusal, scimError } from '../scim/refusal.js';
import { aboutScim, serviceProviderConfig } from '../scim/schemas.js';
import { etagOf, personIn, userResource, type FoundUser, type Person, type Resource } from '../scim/user.js';
import { expectMembers } from '../scim/values.js';
import { changeGroup, createGroup, deleteGroup } from '../scim/write-group.js';
import { changeUser, createUser } from '../scim/write-user.js';
import type { Telemetry } from '../telemetry/telemetry.js';

/** Where SCIM is, behind the path of a proxy. */
export const scimPath = '/scim/v2';

interface ScimOptions {
  directories: readonly ScimDirectory[];
  basePath: string;
  log: Log;
  telemetry: Telemetry;
  /** What is done with every request beside the graph: who it is of, and what its answer says of their limits. */
  hooks: Pick<RouteShorthandOptions, 'onRequest' | 'onSend'>;
  context: (request: FastifyRequest, reply: FastifyReply) => Promise<RequestContext>;
  /** Reads a body, as it does that of the graph. */
  parse: (request: FastifyRequest, body: Buffer) => Promise<unknown>;
  /** Charges what failed before it was charged. @returns what to answer */
  charged: (request: FastifyRequest, failure: unknown) => Promise<unknown>;
}

/** What a request comes to. */
interface Answered {
  status?: number;
  resource?: Resource | undefined;
  /** Of what is not answered with, but there. */
  version?: string;
}

/** A request, as far as its answer hangs on it. */
interface Request {
  ctx: RequestContext;
  directory: Directory;
  id: string;
  search: URLSearchParams;
  body: unknown;
  /** The header If-Match. */
  expected: string | undefined;
}

type Answer = (request: Request) => Promise<Answered>;

/** What is done to a kind of resources; each deed as the audit calls it. */
interface Kind {
  readonly list: Answer;
  readonly read: Answer;
  readonly changes: readonly {
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
    action: string;
    answer: Answer;
  }[];
}

/** SCIM 2.0 (RFC 7644), as routes of their own: bodies and errors are of its media type. */
export async function addScim(app: FastifyInstance, options: ScimOptions): Promise<void> {
  const { directories, log, telemetry, hooks, context, parse, charged } = options;
  const base = `${options.basePath}${scimPath}`;
  const types = ['application/json', 'application/scim+json'];
  app.removeContentTypeParser('application/json');
  // A DELETE may name a type of a body that it does not have.
  app.addContentTypeParser(types, { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) =>
    request.method === 'DELETE' && body.length === 0 ? request.proveBody?.(body) : parse(request, body),
  );
  app.setErrorHandler(async (error, request, reply) =>
    sendFailure(request, reply, await charged(request, error), log),
  );
  app.setNotFoundHandler((request, reply) =>
    sendFailure(request, reply, new KeywayError('NOT_FOUND', 'There is nothing at this address.'), log),
  );

  const about: [string, (id: string) => Resource][] = [
    ['/ServiceProviderConfig', () => serviceProviderConfig(base)],
    ...(['ResourceTypes', 'Schemas'] as const).flatMap((kind): [string, (id: string) => Resource][] => [
      [`/${kind}`, () => aboutScim(kind, base)],
      [`/${kind}/:id`, (id) => aboutScim(kind, base, id)],
    ]),
  ];
  for (const [url, resource] of about)
    app.get<{ Params: { id: string } }>(url, hooks, async (request, reply) => {
      await request.allowance?.charge(1);
      return send(reply, { resource: resource(request.params.id) });
    });

  const route = (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    answer: Answer,
    action?: string,
  ) =>
    app.route<{ Params: { id?: string } }>({
      method,
      url,
      ...hooks,
      handler: (request, reply) =>
        telemetry.within({ name: `scim ${method} ${url}` }, async () => {
          const ctx = await context(request, reply);
          ctx.outcome.kind = action === undefined ? 'query' : 'mutation';
          try {
            // Who is to be taken away can be, also where all else is used up.
            await ctx.allowance.charge(action === undefined ? 1 : mutationCost, method === 'DELETE');
            const { searchParams: search } = new URL(request.url, 'http://localhost');
            const expected = request.headers['if-match'];
            const { id = '' } = request.params;
            const directory = directoryOf(directories, ctx);
            return send(reply, await answer({ ctx, directory, id, search, body: request.body, expected }));
          } catch (error) {
            if (error instanceof KeywayError && isRefused(error.code)) await ctx.allowance.countFailures(1);
            const told = afterChange(ctx, error);
            if (action !== undefined) noteRefusal(ctx, action, told);
            throw told;
          }
        }),
    });
  for (const [name, kind] of [
    ['Users', usersAt(base)],
    ['Groups', groupsAt(base)],
  ] as const) {
    route('GET', `/${name}`, kind.list);
    route('GET', `/${name}/:id`, kind.read);
    for (const { method, action, answer } of kind.changes)
      route(method, method === 'POST' ? `/${name}` : `/${name}/:id`, answer, action);
  }
}

function usersAt(base: string): Kind {
  const told = (user: FoundUser, { search }: Request, status = 200): Answered => ({
    status,
    resource: selected(userResource(user, base), readWanted(search)),
  });
  return {
    list: async ({ ctx, directory, search }) => {
      const asked = readAsked(search);
      const wanted = readWanted(search);
      const { rows, total } = await listUsers(ctx, directory, asked);
      const resources = rows.map((user) => selected(userResource(user, base), wanted));
      return { resource: listResponse(resources, total, asked.startIndex) };
    },
    read: async (request) => told(await userById(request.ctx, request.directory, request.id), request),
    changes: [
      {
        method: 'POST',
        action: 'account:create',
        answer: async (request) => {
          const person = personIn(expectMembers(request.body));
          return told(await createUser(request.ctx, request.directory, person), request, 201);
        },
      },
      {
        method: 'PUT',
        action: 'account:update',
        answer: async (request) => {
          const body = expectMembers(request.body);
          const { ctx, directory, id, expected } = request;
          const change = (person: Person) => personIn(body, person);
          return told(await changeUser(ctx, directory, id, expected, change), request);
        },
      },
      {
        method: 'PATCH',
        action: 'account:update',
        answer: async (request) => {
          const operations = readPatch(request.body);
          const { ctx, directory, id, expected } = request;
          const change = (person: Person) => patched(person, operations);
          return told(await changeUser(ctx, directory, id, expected, change), request);
        },
      },
      {
        method: 'DELETE',
        action: 'account:delete',
        answer: async ({ ctx, directory, id, expected }) => {
          await deleteUser(ctx, directory, id, expected);
          return { status: 204 };
        },
      },
    ],
  };
}

function groupsAt(base: string): Kind {
  const told = async (group: FoundGroup, { ctx, search }: Request, status = 200): Promise<Answered> => {
    const wanted = readWanted(search);
    const members = isWanted(wanted, 'members') ? await membersOf(ctx, [group]) : undefined;
    return { status, resource: selected(groupResource(group, members?.get(group.id), base), wanted) };
  };
  return {
    list: async ({ ctx, directory, search }) => {
      const asked = readAsked(search);
      const wanted = readWanted(search);
      const { rows, total } = await listGroups(ctx, directory, asked);
      const members = isWanted(wanted, 'members') && rows.length > 0 ? await membersOf(ctx, rows) : undefined;
      const resources = rows.map((group) =>
        selected(groupResource(group, members?.get(group.id), base), wanted),
      );
      return { resource: listResponse(resources, total, asked.startIndex) };
    },
    read: async (request) => told(await groupById(request.ctx, request.directory, request.id), request),
    changes: [
      {
        method: 'POST',
        action: 'group:create',
        answer: async (request) => {
          const group = groupIn(expectMembers(request.body));
          return told(await createGroup(request.ctx, request.directory, group), request, 201);
        },
      },
      {
        method: 'PUT',
        action: 'group:update',
        answer: async (request) => {
          const group = groupIn(expectMembers(request.body));
          const { ctx, directory, id, expected } = request;
          return told(await changeGroup(ctx, directory, id, expected, group), request);
        },
      },
      {
        method: 'PATCH',
        action: 'group:update',
        answer: async (request) => {
          const change = groupChangeIn(readPatch(request.body));
          const { ctx, directory, id, expected, search } = request;
          const group = await changeGroup(ctx, directory, id, expected, change);
          // A group may have more members than one answer: they are told to who asks for attributes.
          return search.has('attributes') ? told(group, request) : { status: 204, version: group.version };
        },
      },
      {
        method: 'DELETE',
        action: 'group:delete',
        answer: async ({ ctx, directory, id, expected }) => {
          await deleteGroup(ctx, directory, id, expected);
          return { status: 204 };
        },
      },
    ],
  };
}

const mediaType = 'application/scim+json; charset=utf-8';

function send(reply: FastifyReply, { status = 200, resource, version }: Answered): FastifyReply {
  if (version !== undefined) void reply.header('etag', etagOf(version));
  if (!resource) return reply.code(status).send();
  const { meta } = resource as { meta?: { location?: string; version?: string } };
  if (meta?.version) void reply.header('etag', meta.version);
  if (status === 201 && meta?.location) void reply.header('location', meta.location);
  return reply.code(status).type(mediaType).send(JSON.stringify(resource));
}

/** An error of ours in the words of SCIM; the log has what is no caller's. */
function sendFailure(request: FastifyRequest, reply: FastifyReply, error: unknown, log: Log): FastifyReply {
  const { status: usual, answer } = answerOf(error, request.id);
  const { code } = answer.extensions;
  if (code === 'INTERNAL_SERVER_ERROR') log.error({ id: request.id, error }, 'a request failed inside');
  const limit = error instanceof KeywayError ? error.limit : undefined;
  request.outcome = { ...request.outcome, code, limit };
  const retryInMs = error instanceof KeywayError ? error.retryInMs : undefined;
  if (retryInMs !== undefined) void reply.header('retry-after', seconds(retryInMs));
  if (code === 'UNAUTHENTICATED') void reply.header('www-authenticate', 'Bearer realm="keyway"');
  const own = error instanceof ScimRefusal ? error : undefined;
  const status = own?.status ?? usual;
  const scimType = own?.scimType ?? (code === 'BAD_REQUEST' && status === 400 ? 'invalidSyntax' : undefined);
  return reply
    .code(status)
    .type(mediaType)
    .send(JSON.stringify(scimError(status, answer.message, scimType)));
}

function noteRefusal(ctx: RequestContext, action: string, error: unknown): void {
  const known = error instanceof KeywayError ? error : undefined;
  if (known?.recorded) return;
  const target = known?.about ?? null;
  const deed = { action, accountId: ctx.principal.accountId, target };
  ctx.decisions.note(decisionOf(callerOf(ctx), deed, endedBy(known?.code ?? 'INTERNAL_SERVER_ERROR')));
}
