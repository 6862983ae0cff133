import { unsupported } from '../../errors.js';
import { mintPassword } from '../../keyring/token.js';
import type { Secret } from '../../secret.js';
import {
  adminOf,
  change,
  changeWhereItIs,
  expectDone,
  doneIn,
  whereIs,
  projectFor,
  projectsOf,
  userIn,
  usersIn,
} from './calls.js';
import { apinizerFault, isPartial } from './faults.js';
import { changedUser, expectPerson, newUser, observedIn } from './user.js';
import type { Connector, Known, ListedPart, Minted, Observed, Upstream, Wish } from '../connector.js';
import { apinizerConnection } from './connection.js';
import { expectShown, firstOf, listScopes, shownOf } from '../scopes.js';
import { listSetting } from '../settings.js';
import { beforehand, StoreError } from '../store-error.js';

export { apinizerFault, isPartial };

/**
 * Apinizer: users of an API gateway, with passwords, in projects. It takes passwords and never shows them again; a
 * change is a change of the whole, with the password. What is changed is deployed at once, to each environment.
 */
export const apinizer: Connector = {
  kind: 'APINIZER',
  connection: apinizerConnection,
  rotation: { chosenBy: 'caller', previous: 'dies' },
  kinds: ['PASSWORD'],
  // Users call the gateway, never the manager.
  use: { endpoint: ({ addresses }) => addresses['gateway'] ?? null },
  keeps: ['description', 'fullName', 'email', 'enabled', 'allowedIps', 'roles', 'expiresAt'],
  secretGoesAlong: 'undated',

  check: async (upstream) => {
    // Who names projects means each of them; without names, some may not be visible to the token.
    const which = listSetting(upstream, 'projects').length > 0 ? 'each' : 'any';
    await expectShown(await projectsOf(upstream), (project) => usersIn(upstream, project), which);
  },
  scopes: async (upstream) => (await projectsOf(upstream)).map((name) => ({ id: name, name })),
  list: listUsers,
  find: async (upstream, known) => {
    const place = await whereIs(upstream, known);
    return place && observedIn(place.user, place.project);
  },
  present: async (upstream, { scope, wish }) => {
    const { accessKey } = passwordIn(wish);
    const project = await projectFor(upstream, scope);
    return (await userIn(upstream, project, accessKey)) === undefined ? [] : [accessKey];
  },

  expect: expectPerson,
  create: async (upstream, { scope, wish, ...described }) => {
    const { accessKey, password: chosen } = passwordIn(wish);
    const password = chosen ?? mintPassword();
    const body = newUser(described, accessKey, password);
    const project = await beforehand(() => projectFor(upstream, scope));
    const path = [project, 'credentials'];
    const { partial } = await change(upstream, { method: 'POST', path, body });
    return { externalId: accessKey, scope: project, minted: mintedOf(accessKey, password, partial) };
  },
  update: async (upstream, known, changes, held) => {
    const password = held?.secret;
    if (!password)
      throw unsupported(
        'This store takes a change only together with the password, and Keyway does not have it: give it with the change (secret), or rotate the credential.',
      );
    const { project, body } = await beforehand(async () => {
      const place = await whereIs(upstream, known);
      if (!place) throw new StoreError('NOT_FOUND');
      return { project: place.project, body: changedUser(place.user, changes, password) };
    });
    return change(upstream, { method: 'PUT', path: [project, 'credentials'], body });
  },
  rotate: async (upstream, known, wish) => {
    const { externalId } = known;
    const password = passwordIn(wish).password ?? mintPassword();
    const body = { password: password.expose() };
    const answer = await changeWhereItIs(upstream, known, (project) => ({
      method: 'PATCH',
      path: [project, 'credentials', externalId],
      body,
    }));
    return mintedOf(externalId, password, doneIn(answer).partial);
  },
  revoke: remove,
  delete: remove,
};

/**
 * Project by project, each user where it belongs: the project that shows what is in the others comes last. Where it is
 * none of those that are looked into, it tells where known users were moved to; and where it does not, none of those
 * that are missing is known to be gone.
 */
async function* listUsers(upstream: Upstream, from: string | null): AsyncGenerator<ListedPart> {
  const admin = adminOf(upstream);
  const named = await projectsOf(upstream);
  const projects = named.includes(admin) ? named : [...named, admin];
  const elsewhere = new Set<string>();
  const read = async (project: string): Promise<Observed[]> => {
    const users = (await usersIn(upstream, project)).map((user) => observedIn(user, project));
    const entries = users.filter(({ externalId }) => !elsewhere.has(externalId));
    for (const { externalId } of entries) elsewhere.add(externalId);
    return entries;
  };
  let allShown = true;
  // What an earlier listing showed already is read again, so that the last project does not show it once more.
  for (const project of projects.slice(0, firstOf(projects, from)))
    if ((await shownOf(project, read)) instanceof StoreError) allShown = false;
  for await (const part of listScopes(projects, from, read)) {
    if (part.unread) allShown = false;
    if (part.next !== null) yield part;
    else if (named.includes(admin)) yield { ...part, sinceFirst: true };
    else if (allShown) yield { ...part, followed: true, sinceFirst: true };
    else yield { entries: [], unread: projects, next: null };
  }
}

async function remove(upstream: Upstream, known: Known): Promise<void> {
  const answer = await changeWhereItIs(upstream, known, (project) => ({
    method: 'DELETE',
    path: [project, 'credentials', known.externalId],
  }));
  if (!answer) return;
  expectDone(answer);
  if (isPartial(answer))
    throw new StoreError('UPSTREAM_ERROR', {
      message: 'The store ended it, but not in every environment yet.',
    });
}

/** @throws UNSUPPORTED for another kind of secret. */
function passwordIn(wish: Wish): Wish & { kind: 'PASSWORD' } {
  if (wish.kind !== 'PASSWORD') throw unsupported('This store keeps passwords alone.');
  return wish;
}

const mintedOf = (accessKey: string, password: Secret, partial: boolean): Minted => ({
  accessKey,
  secret: password,
  keys: null,
  proof: password,
  partial,
});
