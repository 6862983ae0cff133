/** A directory of people that an identity provider keeps by SCIM: whose requests keep it, and where its people are. */
export interface ScimDirectory {
  /** The account that the identity provider calls as. Ids are as callers see them. */
  readonly client: string;
  /** The account that its people are part of. */
  readonly parent: string;
  /** The issuer whose users the people are; none, where undefined: then nobody gets an identity. */
  readonly issuer: string | undefined;
  /** Which attribute of a person is the subject at that issuer. */
  readonly subject: 'externalId' | 'userName';
  /** The account that gets what a person has who is deleted; what they have ends, where undefined. */
  readonly heir: string | undefined;
  /** Which roles the members of its groups hold. */
  readonly roles: readonly GroupRole[];
}

/** A role that the members of a group hold at one place. */
export interface GroupRole {
  /** The group's `displayName`, in whatever case. */
  readonly group: string;
  /** Ids as callers see them. */
  readonly role: string;
  readonly onAccount: string | null;
  readonly onProject: string | null;
}

type Given = Record<string, unknown>;

interface Member {
  readonly name: string;
  readonly fits: (value: unknown, issuers: ReadonlySet<string>) => boolean;
  readonly must: string;
}

/** Roles that the groups of one directory bring: as many as of an issuer. */
const mostGroupRoles = 100;

const members: readonly Member[] = [
  { name: 'client', fits: (value) => isIdOf('acct', value), must: 'the id of an account' },
  { name: 'parent', fits: (value) => isIdOf('acct', value), must: 'the id of an account' },
  {
    name: 'issuer',
    fits: (value, issuers) => value === undefined || (typeof value === 'string' && issuers.has(value)),
    must: 'an issuer of KEYWAY_JWT_ISSUERS',
  },
  {
    name: 'subject',
    fits: (value = 'externalId') => value === 'externalId' || value === 'userName',
    must: 'externalId or userName',
  },
  {
    name: 'heir',
    fits: (value) => value === undefined || isIdOf('acct', value),
    must: 'the id of an account',
  },
  {
    name: 'roles',
    fits: (value) =>
      value === undefined ||
      (Array.isArray(value) && value.length <= mostGroupRoles && value.every(isGroupRole)),
    must: `a list of at most ${mostGroupRoles} objects with group (its displayName), the id of a role, and one of onAccount, onProject (an id) and everywhere (true)`,
  },
];

/**
 * The directories in a JSON list of objects with these members, or what is wrong with it, in words that hold no value.
 * @param issuers those whose tokens are taken
 */
export function readScimDirectories(
  text: string,
  issuers: ReadonlySet<string>,
): { directories: ScimDirectory[]; faults: string[] } {
  const faults: string[] = [];
  const directories: ScimDirectory[] = [];
  const items = listIn(text);
  if (!items) return { directories, faults: ['must be a JSON list of directories'] };
  for (const [index, item] of items.entries()) {
    const fault = (member: string, what: string) =>
      void faults.push(`must have at [${index}]${member} ${what}`);
    if (!isGiven(item)) {
      fault('', 'an object');
      continue;
    }
    const names = members.map(({ name }) => name);
    if (Object.keys(item).some((name) => !names.includes(name)))
      fault('', `no members but ${names.join(', ')}`);
    for (const { name, fits, must } of members) if (!fits(item[name], issuers)) fault(`.${name}`, must);
    for (const name of ['client', 'parent'] as const)
      if (directories.some((other) => other[name] === item[name])) fault(`.${name}`, 'another than before');
    directories.push(directoryIn(item));
  }
  return { directories, faults };
}

/** What was checked before, or is never used. */
const directoryIn = ({ client, parent, issuer, subject = 'externalId', heir, roles = [] }: Given) =>
  ({
    client,
    parent,
    issuer,
    subject,
    heir,
    roles: (Array.isArray(roles) ? roles : [])
      .filter(isGiven)
      .map(({ group, role, onAccount = null, onProject = null }) => ({ group, role, onAccount, onProject })),
  }) as ScimDirectory;

const isGroupRole = (value: unknown): boolean => {
  if (!isGiven(value)) return false;
  const { group, role, onAccount, onProject, everywhere, ...others } = value;
  const places = [isIdOf('acct', onAccount), isIdOf('proj', onProject), everywhere === true];
  return (
    typeof group === 'string' &&
    /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(group) &&
    isIdOf('role', role) &&
    [onAccount, onProject, everywhere].filter((place) => place !== undefined).length === 1 &&
    places.includes(true) &&
    Object.keys(others).length === 0
  );
};

const isIdOf = (prefix: string, value: unknown): boolean =>
  typeof value === 'string' && new RegExp(`^${prefix}_[0-9A-Za-z]{22}$`).test(value);

const isGiven = (value: unknown): value is Given =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function listIn(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
