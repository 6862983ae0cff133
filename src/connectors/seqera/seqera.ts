import { badInput, unsupported } from '../../errors.js';
import { at, expectNoContent, keyAt, neededAt, textAt } from '../answers.js';
import { seqeraConnection } from './connection.js';
import type {
  Changed,
  Connector,
  Described,
  Known,
  Minted,
  Observed,
  Scope,
  StoreRequest,
  UpdateTerms,
  Upstream,
  Wish,
} from '../connector.js';
import {
  entriesIn,
  entryOf,
  findApi,
  goodWithin,
  isGone,
  revisionIn,
  seqeraFault,
  sinceChange,
  trustIn,
  within,
  workspacesOf,
} from './calls.js';
import { externalIdFor, providerOf, theirKeysOf, theirNameOf, withExternalIdOf } from './providers.js';
import { expectShown, listScopes, shownOf } from '../scopes.js';
import { listSetting } from '../settings.js';
import { beforehand, StoreError } from '../store-error.js';
import { instantOf } from '../times.js';

export { seqeraFault };

/**
 * Seqera Platform, once Nextflow Tower: keys of other systems, in workspaces or in the personal space of the token's
 * owner. It takes keys and never shows them again; a change is a change of the whole, with the keys.
 */
export const seqera: Connector = {
  kind: 'SEQERA',
  connection: seqeraConnection,
  rotation: { chosenBy: 'caller', previous: 'dies' },
  kinds: ['PROVIDER_KEYS'],
  keeps: ['name', 'description', 'category', 'baseUrl'],
  secretGoesAlong: 'dated',
  budget: { limit: 20, windowMs: 1000 },

  check: async (upstream) => {
    const found = await findApi(upstream);
    const opened = { ...upstream, settings: { ...upstream.settings, ...found } };
    await expectShown(listSetting(upstream, 'workspaces'), (scope) => entriesSeen(opened, scope), 'each');
    return found;
  },
  scopes: async (upstream) => {
    const named = listSetting(upstream, 'workspaces');
    // The personal space has no id that could be given.
    if (named.length === 0) return [];
    return (await workspacesOf(upstream)).filter(({ id }) => named.includes(id));
  },
  list: (upstream, from) =>
    listScopes(scopesOf(upstream), from, async (scope) =>
      (await entriesIn(upstream, scope)).map((entry) => observedIn(entry, scope)),
    ),
  find: async (upstream, known) => {
    const entry = await entryOf(upstream, known);
    return entry === undefined ? undefined : observedIn(entry, known.scope);
  },
  present: async (upstream, { scope, name }) =>
    (await entriesIn(upstream, await scopeFor(upstream, scope)))
      .filter((entry) => textAt(entry, 'name') === name)
      .map((entry) => neededAt(entry, 'id')),

  expect: expectFit,
  create: async (upstream, { scope: given, wish, ...described }) => {
    const scope = await scopeFor(upstream, given);
    const { provider, keys } = providerKeysIn(wish);
    const theirKeys = theirKeysOf(provider, keys);
    const { json } = await written(upstream, scope, described.name, {
      method: 'POST',
      path: [],
      query: externalIdFor(theirKeys),
      body: { credentials: { ...textsIn(described), provider: theirNameOf(provider), keys: theirKeys } },
    });
    const externalId = keyAt(json, 'credentialsId');
    const since = await sinceChange(upstream, { scope, externalId });
    return { externalId, scope, minted: { ...mintedOf(keys), ...since } };
  },
  update: async (upstream, known, changes, held, terms = {}) => {
    if (!held?.keys)
      throw unsupported(
        'This store takes a change only together with the keys, and Keyway does not have them: give them with the change (secret), or rotate the credential.',
      );
    return replace(upstream, known, { provider: known.provider, keys: held.keys }, { changes, terms });
  },
  rotate: async (upstream, known, wish) => {
    const { provider, keys } = providerKeysIn(wish);
    const since = await replace(upstream, known, { provider, keys }, {});
    return { ...mintedOf(keys), ...since };
  },
  // What depends on a credential cannot keep it from being ended, only from being tidied away.
  revoke: (upstream, known) => remove(upstream, known, 'false'),
  delete: (upstream, known) => remove(upstream, known, 'true'),
};

const scopesOf = (upstream: Upstream): readonly string[] => {
  const workspaces = listSetting(upstream, 'workspaces');
  return workspaces.length > 0 ? workspaces : [''];
};

/**
 * The workspace that is named, or the only place there is; empty for the personal space.
 * @throws BAD_USER_INPUT for one that listings would not show, and where there are several.
 */
async function scopeFor(upstream: Upstream, scope: string | null): Promise<string> {
  const scopes = scopesOf(upstream);
  const [only = '', ...others] = scopes;
  if (scope !== null && scopes.includes(scope)) return scope;
  const known = oneOf(scopes.map((id) => ({ id, name: id === '' ? 'the personal workspace' : id })));
  if (scope) {
    const others = await othersSeen(upstream);
    throw badInput(
      'input.scope',
      `is none of the workspaces that the store was connected with: ${known}${others}`,
    );
  }
  if (others.length > 0)
    throw badInput('input.scope', `is required: a workspace of the store, by its id, ${known}`);
  return only;
}

/** The workspaces that the token sees and that the store was not connected with, and how that is done. */
async function othersSeen(upstream: Upstream): Promise<string> {
  const named = listSetting(upstream, 'workspaces');
  const seen = await shownOf(upstream, workspacesOf);
  const others = seen instanceof StoreError ? [] : seen.filter(({ id }) => !named.includes(id));
  if (others.length === 0) return '';
  return `. Its token sees others too (${namesOf(others)}): connect the store with them first, by updateStore (workspaces)`;
}

/**
 * Puts the whole in place of what is there; what is not to change stays as the store has it now.
 * @param terms of keys that Keyway has: they are sent only where they are those that the store has
 * @throws StoreError CONFLICT where it is a credential of another provider by now, or has been changed by others.
 */
async function replace(
  upstream: Upstream,
  known: Known,
  { provider, keys }: { provider: string | null; keys: Keys },
  { changes = {}, terms }: { changes?: Partial<Described>; terms?: UpdateTerms },
): Promise<Changed> {
  const credentials = await beforehand(async () => {
    const entry = await entryOf(upstream, known);
    if (entry === undefined) throw new StoreError('NOT_FOUND');
    if (terms && !terms.overwrites && !isAsWritten(entry, known)) {
      // Whoever wrote it last may have been this very change: what is so already need not be written.
      if (terms.again && isSo(entry, changes)) return undefined;
      throw new StoreError('CONFLICT', { message: changedThere });
    }
    const theirs = neededAt(entry, 'provider');
    if (provider === null || providerOf(theirs) !== provider)
      throw new StoreError('CONFLICT', { message: 'The store has it as keys of another provider.' });
    return {
      id: known.externalId,
      name: neededAt(entry, 'name'),
      description: textAt(entry, 'description'),
      category: textAt(entry, 'category'),
      baseUrl: textAt(entry, 'baseUrl'),
      ...textsIn(changes),
      provider: theirs,
      keys: withExternalIdOf(entry, theirKeysOf(provider, keys)),
    };
  });
  if (!credentials) return {};
  await written(upstream, known.scope, credentials.name, {
    method: 'PUT',
    path: [known.externalId],
    query: externalIdFor(credentials.keys),
    body: { credentials },
  });
  return sinceChange(upstream, known);
}

const changedThere =
  'The store may have other keys than Keyway by now, as it was changed by others: give its keys (secret), rotate it, or say that those that Keyway has are to be sent (overwriteSecret).';

const isAsWritten = (entry: unknown, { revision }: Known): boolean =>
  revision !== null && revisionIn(entry) === revision;

const isSo = (entry: unknown, changes: Partial<Described>): boolean =>
  Object.entries(textsIn(changes)).every(([name, text]) => textAt(entry, name) === (text || null));

async function remove(upstream: Upstream, known: Known, checked: 'true' | 'false'): Promise<void> {
  const { scope, externalId } = known;
  const answer = await within(upstream, scope, { method: 'DELETE', path: [externalId], query: { checked } });
  if (!(await isGone(upstream, known, answer))) expectNoContent(answer);
}

/** What a name may be by the platform's rule. One from before there was a rule stays, as long as it takes that. */
const isName = (name: string): boolean => /^[A-Za-z0-9_-]{1,100}$/.test(name);

/** @throws BAD_USER_INPUT for what the platform refuses, by its place */
function expectFit({
  name,
  category,
  baseUrl,
  provider,
}: Parameters<NonNullable<Connector['expect']>>[0]): void {
  if (name !== undefined && !isName(name)) throw notAName();
  if (category && category.length > 20)
    throw badInput('input.category', 'must have at most 20 characters here');
  if (baseUrl && baseUrl.length > 200)
    throw badInput('input.baseUrl', 'must have at most 200 characters here');
  if (provider === 'GITEA' && baseUrl === null)
    throw badInput('input.baseUrl', 'is required for Gitea: the address of its server');
}

const notAName = () =>
  badInput(
    'input.name',
    'must be 1 to 100 letters, digits, underscores and hyphens in this store, without spaces',
  );

/** Writes a whole credential. @throws BAD_USER_INPUT for a name that the platform does not take */
async function written(upstream: Upstream, scope: string, name: string, request: StoreRequest) {
  const answer = await shownOf(scope, () => goodWithin(upstream, scope, request));
  if (!(answer instanceof StoreError)) return answer;
  // The platform tells what is wrong in words that may change: that it is the name, the rule of names tells.
  throw answer.fault === 'INVALID_INPUT' && !isName(name) ? notAName() : answer;
}

/** @throws StoreError, with the workspaces that the token sees, for one that it does not see */
async function entriesSeen(upstream: Upstream, scope: string): Promise<unknown> {
  const entries = await shownOf(scope, (id) => entriesIn(upstream, id));
  if (!(entries instanceof StoreError)) return entries;
  const seen = await shownOf(scope, () => workspacesOf(upstream));
  if (scope === '' || seen instanceof StoreError || seen.some(({ id }) => id === scope)) throw entries;
  throw new StoreError(entries.fault, {
    message: `The token of the connection does not see one of its workspaces. It sees ${oneOf(seen)}.`,
    cause: entries.cause,
  });
}

/** Some workspaces in one line, by their ids and names: only such names as callers could give. */
const oneOf = (scopes: readonly Scope[]): string =>
  scopes.length === 0 ? 'none' : `one of ${namesOf(scopes)}`;

function namesOf(scopes: readonly Scope[]): string {
  const shown = scopes.slice(0, 20).map(({ id, name }) => {
    const plain = /^[\p{L}\p{N} /._-]{1,100}$/u.test(name) && name !== id ? ` (${name})` : '';
    return `${/^\d{1,19}$/.test(id) ? id : "''"}${plain}`;
  });
  return `${shown.join(', ')}${scopes.length > 20 ? ' and others' : ''}`;
}

type Keys = NonNullable<Minted['keys']>;

/** The texts that the platform keeps, of those that are given. */
const textsIn = ({ name, description, category, baseUrl }: Partial<Described>) => ({
  ...(name !== undefined && { name }),
  ...(description !== undefined && { description }),
  ...(category !== undefined && { category }),
  ...(baseUrl !== undefined && { baseUrl }),
});

function providerKeysIn(wish: Wish): Wish & { kind: 'PROVIDER_KEYS' } {
  if (wish.kind !== 'PROVIDER_KEYS') throw unsupported('This store keeps the keys of providers alone.');
  return wish;
}

const mintedOf = (keys: Keys): Minted => ({ accessKey: null, secret: null, keys, proof: null });

/** A provider that Keyway has no name for is null: the credential is there all the same. */
function observedIn(entry: unknown, scope: string): Observed {
  return {
    externalId: neededAt(entry, 'id'),
    scope,
    kind: 'PROVIDER_KEYS',
    name: neededAt(entry, 'name'),
    description: textAt(entry, 'description'),
    category: textAt(entry, 'category'),
    provider: providerOf(textAt(entry, 'provider')) ?? null,
    baseUrl: textAt(entry, 'baseUrl'),
    invalid: invalidIn(entry),
    trust: trustIn(entry, null),
    createdAt: instantOf(at(entry, 'dateCreated')),
    lastUsedAt: instantOf(at(entry, 'lastUsed')),
  };
}

/** What the provider said at the last probe; servers that do not probe say nothing of it. */
function invalidIn(entry: unknown): Observed['invalid'] {
  const status = textAt(entry, 'status');
  if (status === null) return undefined;
  return status === 'INVALID' ? { problem: textAt(entry, 'message') } : null;
}
