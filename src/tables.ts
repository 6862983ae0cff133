import { FirstTables1795305600000 } from '../migrations/1795305600000-first-tables.js';
import { Account } from './accounts/account.js';
import { AuditEvent, AuditHead } from './audit/audit-event.js';
import { CredentialRole } from './credentials/credential-role.js';
import { CredentialUse } from './credentials/credential-use.js';
import { CredentialSecret } from './credentials/credential-version.js';
import { Credential } from './credentials/credential.js';
import { Rotation } from './credentials/rotation.js';
import { IdempotencyKey } from './idempotency/idempotency-key.js';
import { Project } from './projects/project.js';
import { Grant } from './roles/grant.js';
import { Role } from './roles/role.js';
import { CredentialStore } from './stores/store.js';

/** All tables that have entities. */
export const entities = [
  Account,
  AuditEvent,
  AuditHead,
  Credential,
  CredentialRole,
  CredentialSecret,
  CredentialStore,
  CredentialUse,
  Grant,
  IdempotencyKey,
  Project,
  Role,
  Rotation,
];

/** All changes of the tables, oldest first. */
export const migrations = [FirstTables1795305600000];
