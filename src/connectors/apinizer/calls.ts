import { badInput } from '../../errors.js';
import { apinizerFault, apinizerCode, isPartial, isSuccess } from './faults.js';
import { expectGood, listAt, neededAt, textAt, unreadableAnswer } from '../answers.js';
import type { StoreAnswer, StoreRequest, Upstream } from '../connector.js';
import { missingPath } from '../endpoint.js';
import { listSetting, textSetting } from '../settings.js';
import { StoreError } from '../store-error.js';

/** A request below `/apiops/projects/`; every path of the vendor's ends with a slash. */
export function askApinizer(upstream: Upstream, { path, ...request }: StoreRequest): Promise<StoreAnswer> {
  return upstream.call({
    ...request,
    path: [...missingPath(upstream, ['apiops']), 'projects', ...path, ''],
    sign: () => bearer(upstream),
  });
}

/** The list that such a request is answered with. */
async function listOf(upstream: Upstream, path: readonly string[]): Promise<readonly unknown[]> {
  const answer = await askApinizer(upstream, { method: 'GET', path, large: true });
  expectGood(answer, apinizerFault, apinizerCode(answer));
  return listAt(answer.json, 'resultList');
}

/** Changes something; whether it is stored, but not live in every environment. */
export async function change(upstream: Upstream, request: StoreRequest): Promise<{ partial: boolean }> {
  const answer = await askApinizer(upstream, request);
  expectDone(answer);
  return { partial: isPartial(answer) };
}

/** @throws StoreError for an answer that does not say that what was asked for is done. */
export function expectDone(answer: StoreAnswer): void {
  expectGood(answer, apinizerFault, apinizerCode(answer));
  if (!isSuccess(answer)) throw unreadableAnswer();
}

/** All credentials that a project shows. */
export const usersIn = (upstream: Upstream, project: string): Promise<readonly unknown[]> =>
  listOf(upstream, [project, 'credentials']);

/** The one of that name; undefined where the project, which is there, does not show it. */
export const userIn = async (upstream: Upstream, project: string, username: string): Promise<unknown> =>
  (await usersIn(upstream, project)).find((user) => textAt(user, 'username') === username);

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

/** Whether this is the project that shows what is in all others. Its name is nowhere written down. */
export const isAdmin = (upstream: Upstream, project: string): boolean =>
  project === (textSetting(upstream, 'adminProject') ?? 'admin');

function bearer({ secrets: { token } }: Upstream): Record<string, string> {
  if (!token) throw new StoreError('UNAUTHENTICATED', { sent: false, cause: 'the connection has no token' });
  return { authorization: `Bearer ${token.expose()}` };
}
