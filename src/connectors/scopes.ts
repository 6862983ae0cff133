import type { ListedPart, Observed } from './connector.js';
import { StoreError, type StoreFault } from './store-error.js';

type Read<Thing> = (scope: string) => Promise<Thing>;

/**
 * Lists scope by scope, from where an earlier listing broke off, and goes on after one that the store does not show.
 * @throws StoreError where it shows none
 */
export async function* listScopes(
  scopes: readonly string[],
  from: string | null,
  read: Read<readonly Observed[]>,
): AsyncGenerator<ListedPart> {
  const first = firstOf(scopes, from);
  let isShown = first > 0;
  for (const [index, scope] of [...scopes.entries()].slice(first)) {
    const next = scopes[index + 1] ?? null;
    const answer = await shownOf(scope, read);
    isShown ||= !(answer instanceof StoreError);
    if (!(answer instanceof StoreError)) yield { entries: answer, next };
    else if (isShown || next !== null) yield { entries: [], unread: [scope], next };
    else throw answer;
  }
}

/** Where to go on; at the first if that one no longer exists: what is listed twice does no harm. */
export const firstOf = (scopes: readonly string[], from: string | null): number =>
  Math.max(0, from === null ? 0 : scopes.indexOf(from));

/** A page of those whose credentials a store has: users, or what it calls them. */
export interface UserPage<User> {
  users: readonly User[];
  /** How many there are on all pages; undefined where that is not told. */
  total: number | undefined;
  isLast: boolean;
}

/**
 * Lists page by page, from where an earlier listing broke off. A store that shows a page again, or one with nobody on
 * it, has reached its end, whatever it says; where it has not shown as many as it says there are, it has not shown all.
 * @param size how many are on a page that others follow
 * @throws StoreError
 */
export async function* listPages<User extends { id: string }>(
  { from, size }: { from: string | null; size: number },
  pageAt: (page: number) => Promise<UserPage<User>>,
  read: (user: User) => Promise<readonly Observed[]>,
): AsyncGenerator<ListedPart> {
  const first = Number(from ?? 0);
  const shown = new Set<string>();
  for (let page = first, goesOn = true; goesOn; page++) {
    const { users, total, isLast } = await pageAt(page);
    const fresh = users.filter(({ id }) => !shown.has(id));
    for (const { id } of fresh) shown.add(id);
    goesOn = !isLast && fresh.length > 0;
    const isWhole = first * size + shown.size === total;
    yield {
      ...(await readEach(fresh, read)),
      ...(!goesOn && !isWhole && { incomplete: true }),
      next: goesOn ? String(page + 1) : null,
    };
  }
}

/**
 * What a store shows of each of these users, which are scopes by their ids, and of which of them it shows nothing.
 * @throws StoreError where it shows none
 */
async function readEach<User extends { id: string }>(
  users: readonly User[],
  read: (user: User) => Promise<readonly Observed[]>,
): Promise<Pick<ListedPart, 'entries' | 'unread'>> {
  const entries: Observed[] = [];
  const unread: string[] = [];
  for (const user of users) {
    const answer = await shownOf(user, read);
    if (!(answer instanceof StoreError)) entries.push(...answer);
    else if (unread.push(user.id) === users.length) throw answer;
  }
  return { entries, unread };
}

/**
 * Asks whether a store shows each of these scopes, or any of them, as far as its budget goes.
 * @throws StoreError where it does not
 */
export async function expectShown(
  scopes: readonly string[],
  read: Read<unknown>,
  which: 'each' | 'any',
): Promise<void> {
  let refused: StoreError | undefined;
  for (const [index, scope] of scopes.entries()) {
    try {
      await read(scope);
      if (which === 'any') return;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (index > 0 && error.fault === 'RATE_LIMITED' && !error.sent) break;
      if (which === 'each' || !ofOne.has(error.fault)) throw error;
      refused = error;
    }
  }
  if (refused) throw refused;
}

/** What a scope shows, or why it is not shown. @throws what says something of the whole store. */
export async function shownOf<Scope, Thing>(
  scope: Scope,
  read: (scope: Scope) => Promise<Thing>,
): Promise<Thing | StoreError> {
  try {
    return await read(scope);
  } catch (error) {
    if (error instanceof StoreError && ofOne.has(error.fault)) return error;
    throw error;
  }
}

/** What a store may say of one scope while it shows the others. */
const ofOne: ReadonlySet<StoreFault> = new Set<StoreFault>([
  'FORBIDDEN',
  'NOT_FOUND',
  'INVALID_INPUT',
  'UPSTREAM_ERROR',
]);
