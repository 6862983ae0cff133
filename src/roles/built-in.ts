import { everyPermission, Permission } from '../access/principal.js';
import type { Role } from './role.js';

/** The name of the role that allows everything. */
export const administrator = 'KEYWAY_ADMIN';

/**
 * Which edition of the built-in roles this is: raised with every change of `builtInRoles`, so that an older Keyway on
 * the same database leaves alone what a newer one wrote. A new permission alone does not raise it: the administrator's
 * role has it by itself, and an older Keyway leaves permissions alone that it does not know.
 */
export const edition = 1;

const reading = [
  Permission.CREDENTIAL_READ,
  Permission.ACCOUNT_READ,
  Permission.PROJECT_READ,
  Permission.ROLE_READ,
];

/** What Keyway says of a role of its own. */
export type BuiltInRole = Pick<Role, 'name' | 'description' | 'permissions'>;

/** The roles that every Keyway has. */
export const builtInRoles: readonly BuiltInRole[] = [
  { name: administrator, description: 'Everything.', permissions: [...everyPermission] },
  {
    name: 'KEYWAY_OPERATOR',
    description:
      'Keeps credentials: makes, changes, rotates and revokes them, without being shown kept secrets.',
    permissions: [
      ...reading,
      Permission.CREDENTIAL_CREATE,
      Permission.CREDENTIAL_UPDATE,
      Permission.CREDENTIAL_ROTATE,
      Permission.CREDENTIAL_REVOKE,
    ],
  },
  {
    name: 'KEYWAY_READER',
    description: 'Sees everything but the audit log, and changes nothing.',
    permissions: reading,
  },
  {
    name: 'KEYWAY_AUDITOR',
    description: 'Sees everything and the audit log, and changes nothing.',
    permissions: [...reading, Permission.AUDIT_READ],
  },
  {
    name: 'KEYWAY_VERIFIER',
    description: 'Asks whether presented credentials are good: for services that rely on them.',
    permissions: [Permission.CREDENTIAL_VERIFY],
  },
];
