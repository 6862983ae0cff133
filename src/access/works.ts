import { sql, type Sql } from '../database/database.js';

// Whether a credential works, in SQL and by the clock of the database. All that asks for it asks here: who is presented
// it, who calls with it, the field `status`, filters, counts and jobs. It is said of a credential `c`, and each
// condition is true or false, never null, so that it can be denied.

/** What keeps a credential from working by itself. */
type Hindrance =
  | 'ABANDONED'
  | 'DELETED'
  | 'REVOKED'
  | 'REVOKING'
  | 'GONE'
  | 'EXPIRED'
  | 'DISABLED'
  | 'PENDING'
  | 'UNKNOWN'
  | 'INVALID';

/** The same SQL by the time that it is, where `now()` is when the transaction began: it may have waited since. */
export const untilNow = (text: string): string => text.replaceAll('now()', 'clock_timestamp()');

/** What a credential is. Only what is ACTIVE or ROTATING works. */
export type Status = Hindrance | 'ROTATING' | 'ACTIVE';

/** Why a credential does not work, as the one who presents it is told. */
export type Fault = 'REVOKED' | 'EXPIRED' | 'DISABLED' | 'NOT_VALID';

/** What is told for each status; null for what works. */
const faults: Record<Status, Fault | null> = {
  ABANDONED: 'NOT_VALID',
  DELETED: 'NOT_VALID',
  REVOKED: 'REVOKED',
  REVOKING: 'REVOKED',
  GONE: 'NOT_VALID',
  EXPIRED: 'EXPIRED',
  DISABLED: 'DISABLED',
  PENDING: 'NOT_VALID',
  UNKNOWN: 'NOT_VALID',
  INVALID: 'NOT_VALID',
  ROTATING: null,
  ACTIVE: null,
};

/** That an account goes on: it may call, and what is of it or what it answers for works. */
export const goesOn = (account: string): string => `${account}.enabled AND ${account}.deleted_at IS NULL`;

/** That a version of a credential has a secret that works. */
export const live = (version: string): string =>
  `(${version}.state = 'CURRENT' OR ${version}.state = 'PREVIOUS' AND ${version}.valid_until > now())`;

/** How it is asked whether the account or the owner of a credential does not go on. */
type Stopped = (credential: string) => string;

/** For a row at hand: they are looked up. */
const lookedUp: Stopped = (c) =>
  `EXISTS (SELECT FROM accounts s WHERE s.id IN (${c}.account_id, ${c}.owner_id) AND NOT (${goesOn('s')}))`;

/**
 * For rows that are yet to be found: in what `stoppedAccounts` gave, so that PostgreSQL knows how many there will be.
 */
const listed: Stopped = (c) =>
  `${c}.account_id = ANY(:stopped) OR ${c}.owner_id IS NOT NULL AND ${c}.owner_id = ANY(:stopped)`;

/** What may keep a credential from working by itself. The first that holds is told. */
const hindrances = (c: string, stopped: Stopped): [Hindrance, string][] => [
  ['ABANDONED', `${c}.abandoned_at IS NOT NULL`],
  ['DELETED', `${c}.deleted_at IS NOT NULL`],
  ['REVOKED', `${c}.revoked_at IS NOT NULL`],
  ['REVOKING', `${c}.ending_since IS NOT NULL`],
  ['GONE', `${c}.gone_at IS NOT NULL`],
  ['EXPIRED', `coalesce(${c}.expires_at, 'infinity') <= now()`],
  ['DISABLED', `(NOT ${c}.enabled OR ${stopped(c)})`],
  ['PENDING', `${c}.standing = 'PENDING'`],
  ['UNKNOWN', `${c}.standing = 'UNKNOWN'`],
  ['INVALID', `${c}.standing = 'INVALID'`],
];

/** The first of these that holds; null where none does. */
const firstOf = (all: readonly (readonly [string, string])[], otherwise = 'NULL') =>
  `CASE ${all.map(([status, when]) => `WHEN ${when} THEN '${status}'`).join(' ')} ELSE ${otherwise} END`;

// A temporary credential works no longer, and nowhere else, than what it was derived from, and by the secret that this
// had then. What is told of a parent that is deleted is that the credential has ended.
const letGo = `(p.deleted_at IS NOT NULL OR p.project_id IS DISTINCT FROM c.project_id OR NOT EXISTS (
  SELECT FROM credential_versions pv
  WHERE pv.credential_id = p.id AND pv.number = coalesce(c.parent_version, pv.number) AND ${live('pv')}))`;

/** What keeps the parent of a temporary credential from working, and so the credential; null where nothing does. */
const byParent = (stopped: Stopped) =>
  `(SELECT ${firstOf([['REVOKED', letGo], ...hindrances('p', stopped)])} FROM credentials p WHERE p.id = c.parent_id)`;

/** That a rotation of a credential is under way, or its previous secret may still work. */
export const rotating = '(c.rotating_until IS NOT NULL AND c.rotating_until > now())';

function statusBy(stopped: Stopped): string {
  return firstOf(
    hindrances('c', stopped),
    `coalesce(CASE WHEN c.parent_id IS NOT NULL THEN ${byParent(stopped)} END,
    CASE WHEN ${rotating} THEN 'ROTATING' ELSE 'ACTIVE' END)`,
  );
}

/** The status of a credential. */
export const status = statusBy(lookedUp);

const quoted = (texts: readonly string[]) => texts.map((text) => `'${text}'`).join(', ');
const told = Object.entries(faults);

/** The same for many rows at once. Its parameter `:stopped` is what `stoppedAccounts` gives. */
export const statusAmong = statusBy(listed);

/** What a credential is that works. */
export const workingStatuses: readonly Status[] = ['ACTIVE', 'ROTATING'];

/** Why a credential does not work; null where it does. */
export const fault = `CASE ${status} ${told.flatMap(([name, code]) => (code ? [`WHEN '${name}' THEN '${code}'`] : [])).join(' ')} END`;

/** That a credential works. */
export const works = `${status} IN (${quoted(told.flatMap(([name, code]) => (code ? [] : [name])))})`;

/**
 * That the status of a credential is one of these: the same, for a WHERE that is to find such by their indexes. Its
 * parameter `:stopped` is what `stoppedAccounts` gives.
 */
export function hasStatus(wanted: readonly Status[]): string {
  const all = hindrances('c', listed);
  const none = (before: number) => all.slice(0, before).map(([, when]) => `NOT (${when})`);
  const ways = all.flatMap(([name, when], index) => (wanted.includes(name) ? [[...none(index), when]] : []));
  const parents = wanted.filter((name) => !ownAlone.includes(name));
  if (parents.length > 0) ways.push([...none(all.length), ...hinderedByParent(parents)]);
  const working = [...none(all.length), `(c.parent_id IS NULL OR ${byParent(listed)} IS NULL)`];
  if (wanted.includes('ROTATING')) ways.push([...working, rotating]);
  if (wanted.includes('ACTIVE')) ways.push([...working, `NOT ${rotating}`]);
  const any = ways.map((way) => `(${way.join(' AND ')})`).join(' OR ');
  return ways.length === 0
    ? 'false'
    : `(${any})${wanted.every((name) => name === 'EXPIRED') ? lastToExpire : ''}`;
}

// What is told of a parent that is deleted is REVOKED.
const ownAlone: readonly Status[] = ['ABANDONED', 'DELETED', 'ROTATING', 'ACTIVE'];

/** That a credential, which nothing else hinders, is hindered by its parent in one of these ways. */
function hinderedByParent(parents: readonly Status[]): string[] {
  const conditions = ['c.parent_id IS NOT NULL', `${byParent(listed)} IN (${quoted(parents)})`];
  // Where few parents can be meant, they are found first; else each temporary credential that lives is looked at.
  const own = hindrances('p', listed).filter(([name]) => parents.includes(name));
  return parents.every((name) => rare.includes(name))
    ? [...conditions, `c.parent_id = ANY(ARRAY(SELECT p.id FROM credentials p WHERE ${either(own)}))`]
    : conditions;
}

const rare: readonly Status[] = ['REVOKING', 'GONE', 'PENDING', 'UNKNOWN', 'INVALID'];
const either = (all: readonly [Hindrance, string][]) => all.map(([, when]) => when).join(' OR ');

// What has not expired but for its parent is temporary, and so near its end: what ends later than all such need not be
// passed over, in the order of ends, to find the first that has expired.
const lastToExpire = ` AND coalesce(c.expires_at, 'infinity') <= greatest(now(),
  (SELECT max(coalesce(t.expires_at, 'infinity')) FROM credentials t WHERE t.parent_id IS NOT NULL))`;

/** The ids of the accounts that do not go on. */
export async function stoppedAccounts(db: Sql): Promise<string[]> {
  return (await db.rows<{ id: string }>(stopped)).map(({ id }) => id);
}

const stopped = sql(`SELECT s.id FROM accounts s WHERE NOT (${goesOn('s')})`);

/**
 * That it carries the role of `cr`, which is attached to it: what was derived with a role has it while its parent does.
 */
export const carriesRole = `(c.parent_id IS NULL OR EXISTS (
    SELECT 1 FROM credential_roles pr WHERE pr.credential_id = c.parent_id AND pr.role_id = cr.role_id))`;

/** The roles `r` that it carries. */
export const carriedRoles = `credential_roles cr JOIN roles r ON r.id = cr.role_id
  WHERE cr.credential_id = c.id AND ${carriesRole}`;
