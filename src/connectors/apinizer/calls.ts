import { badInput } from '../../errors.js';
import { apinizerFault, apinizerCode, isPartial, isSuccess } from './faults.js';
import { countAt, expectGood, listAt, neededAt, textAt, unreadableAnswer } from '../answers.js';
import type { Known, StoreAnswer, StoreRequest, Upstream } from '../connector.js';
import { missingPath } from '../endpoint.js';
import { shownOf } from '../scopes.js';
import { listSetting, textSetting } from '../settings.js';
import { beforehand, StoreError } from '../store-error.js';

/** A request below `/apiops/projects/`; every path of the vendor's ends with a slash. */
export function askApinizer(upstream: Upstream, { path, ...request }: StoreRequest): Promise<StoreAnswer> {
  return upstream.call({
    ...request,
    path: [...missingPath(upstream, ['apiops']), 'projects', ...path, ''],
    sign: () => bearer(upstream),
  });
}

/** The list that such a request is answered with: all of it, where it says how many there are. */
async function listOf(upstream: Upstream, path: readonly string[]): Promise<readonly unknown[]> {
  const answer = await askApinizer(upstream, { method: 'GET', path, large: true });
  expectDone(answer);
  const list = listAt(answer.json, 'resultList');
  if ((countAt(answer.json, 'resultCount') ?? list.length) !== list.length) throw unreadableAnswer();
  return list;
}

/** Changes something; whether it is stored, but not live in every environment. */
export async function change(upstream: Upstream, request: StoreRequest): Promise<{ partial: boolean }> {
  return doneIn(await askApinizer(upstream, request));
}

/** What a change came to. @throws StoreError NOT_FOUND where there is no answer: what was to change is gone. */
export function doneIn(answer: StoreAnswer | undefined): { partial: boolean } {
  if (!answer) throw new StoreError('NOT_FOUND');
  expectDone(answer);
  return { partial: isPartial(answer) };
}

/** @throws StoreError for an answer that does not say that what was asked for is done. */
export function expectDone(answer: StoreAnswer): void {
  expectGood(answer, apinizerFault, apinizerCode(answer));
  if (!isSuccess(answer)) throw unreadableAnswer();
}

/** All credentials that a project shows. @throws StoreError where one of them is none: the one looked for might be it */
export async function usersIn(upstream: Upstream, project: string): Promise<readonly unknown[]> {
  const users = await listOf(upstream, [project, 'credentials']);
  for (const user of users) neededAt(user, 'username');
  return users;
}

/** The one of that name; undefined where the project, which is there, does not show it. */
export const userIn = async (upstream: Upstream, project: string, username: string): Promise<unknown> =>
  (await usersIn(upstream, project)).find((user) => textAt(user, 'username') === username);

/** A user, and the project that it is in. */
export interface Placed {
  project: string;
  user: unknown;
}

/**
 * Where a user is by now: in the project that it is known in, or in another that it was moved to. User names are unique
 * over the installation, so that it is gone where the project that shows what is in all others does not have it.
 * Undefined there.
 * @throws StoreError FORBIDDEN where that project is not shown: then nothing tells that it is gone
 */
export async function whereIs(
  upstream: Upstream,
  { scope, externalId }: Pick<Known, 'scope' | 'externalId'>,
): Promise<Placed | undefined> {
  const read = async (project: string): Promise<Placed | undefined> => {
    const user = await shownOf(project, (one) => userIn(upstream, one, externalId));
    return user === undefined || user instanceof StoreError ? undefined : { project, user };
  };
  const known = isAdmin(upstream, scope) ? undefined : await read(scope);
  if (known) return known;
  const inAdmin = await userInAdmin(upstream, externalId);
  if (!inAdmin) return undefined;
  for (const project of await allProjects(upstream)) {
    const home = project === scope || isAdmin(upstream, project) ? undefined : await read(project);
    if (home) return home;
  }
  return inAdmin;
}

async function userInAdmin(upstream: Upstream, username: string): Promise<Placed | undefined> {
  const project = adminOf(upstream);
  const user = await shownOf(project, (one) => userIn(upstream, one, username));
  if (user instanceof StoreError) throw notAllShown(user);
  return user === undefined ? undefined : { project, user };
}

const notAllShown = (cause: StoreError) =>
  new StoreError('FORBIDDEN', {
    message:
      'The store does not show whether the user was moved to another project: the token of the connection must see the one that shows all (adminProject).',
    sent: cause.sent,
    cause: cause.cause,
  });

/**
 * Asks for something of a user in the project that it is known in; and where that does not have it, in the one that it
 * was moved to. Undefined where it is gone.
 * @throws StoreError
 */
export async function changeWhereItIs(
  upstream: Upstream,
  known: Known,
  requestIn: (project: string) => StoreRequest,
): Promise<StoreAnswer | undefined> {
  const answer = await askApinizer(upstream, requestIn(known.scope));
  if (apinizerFault(answer) !== 'NOT_FOUND') return answer;
  const place = await beforehand(() => whereIs(upstream, known));
  if (!place) return undefined;
  const moved =
    place.project === known.scope ? answer : await askApinizer(upstream, requestIn(place.project));
  if (apinizerFault(moved) === 'NOT_FOUND') throw outOfReach();
  return moved;
}

const outOfReach = () =>
  new StoreError('CONFLICT', {
    message: 'The store has it, in a project where it cannot be changed by this connection.',
  });

/** The projects of the connection, or all of them; the one that shows what is in the others is the last. */
export async function projectsOf(upstream: Upstream): Promise<readonly string[]> {
  const named = listSetting(upstream, 'projects');
  const projects = named.length > 0 ? named : await allProjects(upstream);
  return [...projects].sort(
    (one, other) => Number(isAdmin(upstream, one)) - Number(isAdmin(upstream, other)),
  );
}

/** In the order of their names: a listing that breaks off goes on in the same, whatever the vendor's is by then. */
const allProjects = async (upstream: Upstream): Promise<readonly string[]> =>
  (await listOf(upstream, [])).map((project) => neededAt(project, 'name')).sort();

/**
 * The project that is named, or the only one.
 * @throws BAD_USER_INPUT for one that listings would not show, and where there are several.
 */
export async function projectFor(upstream: Upstream, scope: string | null): Promise<string> {
  const named = listSetting(upstream, 'projects');
  if (scope && named.length > 0 && !named.includes(scope))
    throw badInput('input.scope', 'is none of the projects that the store was connected with');
  if (scope) return scope;
  const [only, ...others] = await projectsOf(upstream);
  if (only === undefined || others.length > 0)
    throw badInput('input.scope', 'is required: a project of the store, by its name');
  return only;
}

/** The project that shows what is in all others. Its name is nowhere written down. */
export const adminOf = (upstream: Upstream): string => textSetting(upstream, 'adminProject') ?? 'admin';

export const isAdmin = (upstream: Upstream, project: string): boolean => project === adminOf(upstream);

function bearer({ secrets: { token } }: Upstream): Record<string, string> {
  if (!token) throw new StoreError('UNAUTHENTICATED', { sent: false, cause: 'the connection has no token' });
  return { authorization: `Bearer ${token.expose()}` };
}
