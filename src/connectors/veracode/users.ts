import type { SigningKey } from '../../signatures/scheme.js';
import { at, countAt, expectGood, flagAt, listAt, neededAt, textAt, unreadableAnswer } from '../answers.js';
import type { Upstream } from '../connector.js';
import type { UserPage } from '../scopes.js';
import { askVeracode, askVeracodeAs } from './api.js';
import { veracodeCode, veracodeFault } from './faults.js';

export interface User {
  id: string;
  name: string;
  fullName: string | undefined;
  email: string | undefined;
  /** Whether it may sign in and is active, as far as is said: lists of users say only the one. Undefined for neither. */
  active: boolean | undefined;
  /** Undefined where nothing is said of it, or nothing that could be read. */
  allowedIps: readonly string[] | undefined;
}

/** With up to two requests for each user behind it, three pages are what a sync may ask for in a minute. */
export const usersOnPage = 50;

/**
 * A page of the users, counted from 0.
 * @param pair as which of Keyway's pairs alone sees it
 * @param only the name of the users that are wanted
 */
export async function pageOfUsers(
  upstream: Upstream,
  page: number,
  size = usersOnPage,
  { pair, only }: { pair?: SigningKey; only?: string } = {},
): Promise<UserPage<User>> {
  const query = {
    ...{ page: String(page), size: String(size), detailed: 'Yes' },
    ...(only !== undefined && { user_name: only }),
  };
  const request = { method: 'GET', path: ['users'], query } as const;
  const answer = await (pair ? askVeracodeAs(upstream, pair, request) : askVeracode(upstream, request));
  expectGood(answer, veracodeFault, veracodeCode(answer));
  const embedded = at(answer.json, '_embedded');
  const totals = at(answer.json, 'page');
  if (embedded === undefined && totals === undefined) throw unreadableAnswer();
  // A page without users may come without that member.
  const users = at(embedded, 'users') === undefined ? [] : listAt(embedded, 'users').map(userIn);
  const pages = at(totals, 'total_pages');
  const goesOn = typeof pages === 'number' ? page + 1 < pages : users.length >= size;
  return { users, total: countAt(totals, 'total_elements'), isLast: !goesOn };
}

/** One user; undefined where there is none. */
export async function findUser(upstream: Upstream, id: string): Promise<User | undefined> {
  const answer = await askVeracode(upstream, { method: 'GET', path: ['users', id] });
  if (veracodeFault(answer) === 'NOT_FOUND') return undefined;
  expectGood(answer, veracodeFault, veracodeCode(answer));
  const user = userIn(answer.json);
  if (user.id !== id) throw unreadableAnswer();
  return user;
}

/**
 * One user, with what only lists say of it: whether it may sign in. A user that is not active may not, whatever they say.
 * Undefined where there is none.
 */
export async function findWholeUser(upstream: Upstream, id: string): Promise<User | undefined> {
  const user = await findUser(upstream, id);
  if (user?.active !== true) return user;
  const { users } = await pageOfUsers(upstream, 0, usersOnPage, { only: user.name });
  return { ...user, active: users.find((one) => one.id === id)?.active ?? user.active };
}

/** The id of the user whose pair this is; undefined where Veracode does not take what it signs. */
export async function userOf(upstream: Upstream, pair: SigningKey): Promise<string | undefined> {
  const answer = await askVeracodeAs(upstream, pair, { method: 'GET', path: ['users', 'self'] });
  if (veracodeFault(answer) === 'UNAUTHENTICATED') return undefined;
  expectGood(answer, veracodeFault, veracodeCode(answer));
  return neededAt(answer.json, 'user_id');
}

function userIn(json: unknown): User {
  const id = neededAt(json, 'user_id');
  const names = [textAt(json, 'first_name'), textAt(json, 'last_name')].filter((name) => name !== null);
  return {
    id,
    name: textAt(json, 'user_name') ?? id,
    fullName: names.join(' ') || undefined,
    email: textAt(json, 'email_address') ?? undefined,
    active: activeIn(json),
    allowedIps: allowedIpsIn(json),
  };
}

function activeIn(json: unknown): boolean | undefined {
  const flags = [flagAt(json, 'login_enabled'), flagAt(json, 'active')];
  return flags.includes(false) ? false : flags.find((flag) => flag !== undefined);
}

function allowedIpsIn(json: unknown): readonly string[] | undefined {
  const restricted = flagAt(json, 'ip_restricted');
  if (restricted !== true) return restricted === false ? [] : undefined;
  const ips = at(json, 'allowed_ip_addresses');
  const texts = Array.isArray(ips) ? ips.filter((one) => typeof one === 'string' && one !== '') : [];
  // None at all would be read as no restriction, and there is one.
  return texts.length > 0 ? (texts as string[]) : ['unknown'];
}
