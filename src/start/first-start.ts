import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Account, AccountKind, adminAccountId } from '../accounts/account.js';
import { makeToken } from './admin-token.js';
import type { Database } from '../database/database.js';
import { newId } from '../ids.js';
import type { Keyring } from '../keyring/keyring.js';
import { adminProjectId, Project } from '../projects/project.js';
import { Grant } from '../roles/grant.js';
import { Role } from '../roles/role.js';
import { builtInStoreId, CredentialStore, StoreKind } from '../stores/store.js';
import { longestTokenDays } from '../config/limits.js';
import { administrator, builtInRoles, edition } from '../roles/built-in.js';

/**
 * Makes what every Keyway has: the built-in store and roles, the administrator and its project, and a first token in
 * `<dataDir>/admin-token`. On a database that has them it changes nothing.
 * @returns the file with the token, if it was made just now.
 */
export async function firstStart(
  db: Database,
  keyring: Keyring,
  dataDir: string,
): Promise<string | undefined> {
  const exists = await db.source.getRepository(Account).existsBy({ id: adminAccountId });
  if (exists) return undefined;
  const path = join(dataDir, 'admin-token');
  await db.transaction(async (tx) => {
    await tx.em
      .getRepository(CredentialStore)
      .insert({ id: builtInStoreId, name: 'keyway', kind: StoreKind.BUILT_IN });
    const roles = builtInRoles.map((role) => ({ ...role, id: newId(), builtIn: true, edition }));
    await tx.em.getRepository(Role).insert(roles);
    const admin = { id: adminAccountId, kind: AccountKind.PERSON, name: 'admin', title: 'Administrator' };
    await tx.em.getRepository(Account).insert({ ...admin, enabled: true, mfaRequired: false, builtIn: true });
    await tx.em.getRepository(Project).insert({
      id: adminProjectId,
      accountId: adminAccountId,
      name: 'admin',
      title: 'Administration',
      description: 'Sees every credential. A role held on it is held everywhere.',
      admin: true,
    });
    const all = roles.filter(({ name }) => name === administrator);
    await tx.em
      .getRepository(Grant)
      .insert(all.map(({ id }) => ({ id: newId(), accountId: adminAccountId, roleId: id })));
    const token = await makeToken(tx, keyring, admin, 'First token', longestTokenDays);
    // Before the commit: a token that nobody knows would be of no use, one that is not valid yet does no harm.
    writeFileSync(path, `${token.expose()}\n`, { mode: 0o600 });
    token.wipe();
  });
  return path;
}
