import { everyPermission } from '../access/principal.js';
import { adminAccountId } from '../accounts/account.js';
import { nobody } from '../audit/decision.js';
import { recordAllAs, type Deed } from '../audit/record.js';
import { sql, type Database, type Tx } from '../database/database.js';
import { newId } from '../ids.js';
import type { Keyring } from '../keyring/keyring.js';
import type { Log } from '../log.js';
import { builtInRoles, edition, type BuiltInRole } from '../roles/built-in.js';
import { deedsOfHeld } from '../roles/places.js';
import { Role, sameSet } from '../roles/role.js';

/**
 * Brings the built-in roles to what this version says of them, with an audit event for each that changes. What a newer
 * version wrote stays, and so does a permission that this version does not know, and a role that somebody made by the
 * name of a built-in one. Call it while no other Keyway starts on this database.
 */
export async function updateBuiltInRoles(db: Database, keyring: Keyring, log: Log): Promise<void> {
  const names = builtInRoles.map(({ name }) => name);
  const stored = new Map((await db.rows<Stored>(storedRoles, { names })).map((role) => [role.name, role]));
  const taken = names.filter((name) => stored.get(name)?.builtIn === false);
  if (taken.length > 0)
    log.warn({ roles: taken }, 'a role that was made here has the name of a built-in one');
  const idOf = ({ name }: BuiltInRole) => stored.get(name)?.id ?? '~';
  // In the order in which others lock them, new ones last: another Keyway may be serving.
  const outdated = builtInRoles
    .filter((role) => isOutdated(role, stored.get(role.name)))
    .sort((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
  if (outdated.length === 0) return;
  await db.transaction(async (tx) => {
    const deeds: Deed[] = [];
    for (const role of outdated) deeds.push(...(await bring(tx, role, stored.get(role.name))));
    await recordAllAs(keyring, tx, nobody(), deeds);
  });
  log.info({ roles: outdated.map(({ name }) => name) }, 'built-in roles were brought up to date');
}

type Stored = BuiltInRole & Pick<Role, 'id' | 'builtIn' | 'edition'>;

const isOutdated = (role: BuiltInRole, stored: Stored | undefined): boolean =>
  !stored ||
  (stored.builtIn &&
    stored.edition <= edition &&
    (stored.edition < edition || changesOf(role, stored).length > 0));

/** Makes the role, or changes what is not as it should be. Returns what was done, for the audit. */
async function bring(tx: Tx, role: BuiltInRole, stored: Stored | undefined): Promise<Deed[]> {
  const repository = tx.em.getRepository(Role);
  if (!stored) {
    const id = newId();
    await repository.insert({ ...role, id, builtIn: true, edition });
    return [{ action: 'role:create', target: { type: 'Role', id }, accountId: adminAccountId }];
  }
  const { id } = stored;
  const changed = changesOf(role, stored);
  if (changed.length === 0) {
    await repository.update({ id }, { edition });
    return [];
  }
  const { description } = role;
  const permissions = wanted(role, stored);
  await repository.update({ id }, { description, permissions, edition, updatedAt: () => 'now()' });
  return deedsOfHeld(tx, id, changed, adminAccountId, permissions);
}

const changesOf = (role: BuiltInRole, stored: Stored): string[] => [
  ...(role.description === stored.description ? [] : ['description']),
  ...(sameSet(wanted(role, stored), stored.permissions) ? [] : ['permissions']),
];

/** What this version says, and what only a later one knows. */
const wanted = ({ permissions }: BuiltInRole, stored: Stored) => [
  ...permissions,
  ...stored.permissions.filter((permission) => !everyPermission.includes(permission)),
];

const storedRoles = sql(`
  SELECT id, name, description, permissions, built_in AS "builtIn", edition FROM roles WHERE name = ANY(:names)`);
