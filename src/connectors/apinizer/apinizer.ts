import { unsupported } from '../../errors.js';
import { mintPassword } from '../../keyring/token.js';
import type { Secret } from '../../secret.js';
import {
  askApinizer,
  change,
  expectDone,
  projectFor,
  projectsOf,
  isAdmin,
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
  keeps: ['description', 'fullName', 'email', 'enabled', 'allowedIps', 'roles', 'expiresAt'],

  check: async (upstream) => {
    // Whoever names projects means each of them; of all that there are, some may be for other eyes.
    const which = listSetting(upstream, 'projects').length > 0 ? 'each' : 'any';
    await expectShown(await projectsOf(upstream), (project) => usersIn(upstream, project), which);
  },
  list: listUsers,
  find: async (upstream, { scope, externalId }) => {
    const user = await userIn(upstream, scope, externalId);
    return user === undefined ? undefined : observedIn(user, scope);
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
  update: async (upstream, { scope, externalId }, changes, held) => {
    const password = held?.secret;
    if (!password)
      throw unsupported(
        'This store takes a change only together with the password, and Keyway does not have it. Rotate the credential: from then on Keyway has its password.',
      );
    const body = await beforehand(async () => {
      const found = await userIn(upstream, scope, externalId);
      if (found === undefined) throw new StoreError('NOT_FOUND');
      return changedUser(found, changes, password);
    });
    return change(upstream, { method: 'PUT', path: [scope, 'credentials'], body });
  },
  rotate: async (upstream, { scope, externalId }, wish) => {
    const password = passwordIn(wish).password ?? mintPassword();
    const path = [scope, 'credentials', externalId];
    const body = { password: password.expose() };
    const { partial } = await change(upstream, { method: 'PATCH', path, body });
    return mintedOf(externalId, password, partial);
  },
  revoke: remove,
  delete: remove,
};

/** Project by project, each user where it belongs: the project that shows what is in the others comes last. */
async function* listUsers(upstream: Upstream, from: string | null): AsyncGenerator<ListedPart> {
  const projects = await projectsOf(upstream);
  const elsewhere = new Set<string>();
  const read = async (project: string): Promise<Observed[]> => {
    const users = (await usersIn(upstream, project)).map((user) => observedIn(user, project));
    const entries = users.filter(({ externalId }) => !elsewhere.has(externalId));
    for (const { externalId } of entries) elsewhere.add(externalId);
    return entries;
  };
  // What an earlier listing showed already is read again, so that the last project does not show it once more.
  if (projects.some((project) => isAdmin(upstream, project)))
    for (const project of projects.slice(0, firstOf(projects, from))) await shownOf(project, read);
  yield* listScopes(projects, from, read);
}

async function remove(upstream: Upstream, { scope, externalId }: Known): Promise<void> {
  const answer = await askApinizer(upstream, { method: 'DELETE', path: [scope, 'credentials', externalId] });
  const fault = apinizerFault(answer);
  // A project that is out of reach is not found either: a user is gone where the project's list does not have it.
  if (fault === 'NOT_FOUND' && (await beforehand(() => userIn(upstream, scope, externalId))) === undefined)
    return;
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
