import { FirstTables1795305600000 } from '../../migrations/1795305600000-first-tables.js';
import { Verification1796000000000 } from '../../migrations/1796000000000-verification.js';
import { SecondFactor1796000000001 } from '../../migrations/1796000000001-second-factor.js';
import { Identities1796000000002 } from '../../migrations/1796000000002-identities.js';
import { OutsideStores1796100000000 } from '../../migrations/1796100000000-outside-stores.js';
import { EditionsOfRoles1796210000000 } from '../../migrations/1796210000000-editions-of-roles.js';
import { TemporaryByEnd1796200000000 } from '../../migrations/1796200000000-temporary-by-end.js';
import { RotationsWithoutApplied1796220000000 } from '../../migrations/1796220000000-rotations-without-applied.js';
import { VendorsUnnamed1796230000000 } from '../../migrations/1796230000000-vendors-unnamed.js';
import { TemporaryTermsKept1796300000000 } from '../../migrations/1796300000000-temporary-terms-kept.js';
import { StoreRevisions1796400000000 } from '../../migrations/1796400000000-store-revisions.js';
import { RotationsTried1796500000000 } from '../../migrations/1796500000000-rotations-tried.js';
import { WhatStoresSay1796512300000 } from '../../migrations/1796512300000-what-stores-say.js';
import { UserNamesOfAccounts1796600000000 } from '../../migrations/1796600000000-user-names-of-accounts.js';
import { NamesAsRead1796700000000 } from '../../migrations/1796700000000-names-as-read.js';
import { RecipientsInTheAudit1796720000000 } from '../../migrations/1796720000000-recipients-in-the-audit.js';
import { FormerPartsInTheAudit1796730000000 } from '../../migrations/1796730000000-former-parts-in-the-audit.js';
import { EndingInStores1796740000000 } from '../../migrations/1796740000000-ending-in-stores.js';
import { LeftoversInStores1796740000010 } from '../../migrations/1796740000010-leftovers-in-stores.js';
import { HomesOfRoles1796750000000 } from '../../migrations/1796750000000-homes-of-roles.js';
import { ScopeGrants1796750000001 } from '../../migrations/1796750000001-scope-grants.js';
import { IntentsByStore1796760000000 } from '../../migrations/1796760000000-intents-by-store.js';
import { BoundsOfListings1796761000000 } from '../../migrations/1796761000000-bounds-of-listings.js';
import { AbandonedCredentials1796770000000 } from '../../migrations/1796770000000-abandoned-credentials.js';
import { KeysThatChange1796780000000 } from '../../migrations/1796780000000-keys-that-change.js';
import { PatternsOfIdentities1796795000000 } from '../../migrations/1796795000000-patterns-of-identities.js';
import { EndingsInTheAudit1796790000000 } from '../../migrations/1796790000000-endings-in-the-audit.js';
import { AuditStream1796800000000 } from '../../migrations/1796800000000-audit-stream.js';
import { LimitsOfCredentials1796820000000 } from '../../migrations/1796820000000-limits-of-credentials.js';
import { IdentitiesShutOut1796810000000 } from '../../migrations/1796810000000-identities-shut-out.js';
import { RateLimits1796830000000 } from '../../migrations/1796830000000-rate-limits.js';
import { ExpandScim1796840000000 } from '../../migrations/1796840000000-expand-scim.js';
import { ExpandDaysOfCredentials1796860000000 } from '../../migrations/1796860000000-expand-days-of-credentials.js';
import { ExpandCreatorsOfCredentials1796861000000 } from '../../migrations/1796861000000-expand-creators-of-credentials.js';
import { ExpandRotationsByDay1796862000000 } from '../../migrations/1796862000000-expand-rotations-by-day.js';
import { ExpandDueByOwner1796863000000 } from '../../migrations/1796863000000-expand-due-by-owner.js';
import { ExpandSearchOfProjectsAndRoles1796870000000 } from '../../migrations/1796870000000-expand-search-of-projects-and-roles.js';
import { ExpandSeenDue1796870000001 } from '../../migrations/1796870000001-expand-seen-due.js';
import { Nonce } from '../access/nonces.js';
import { Account } from '../accounts/account.js';
import { Identity } from '../accounts/identity.js';
import { MfaDevice } from '../accounts/mfa-device.js';
import { AuditEvent, AuditFormerPart, AuditHead } from '../audit/audit-event.js';
import { CredentialDay, VerificationDay } from '../credentials/limits/credential-day.js';
import { CredentialRole } from '../credentials/record/credential-role.js';
import { CredentialUse } from '../credentials/record/credential-use.js';
import { CredentialSecret } from '../credentials/record/credential-version.js';
import { Credential } from '../credentials/record/credential.js';
import { CredentialLimits } from '../credentials/limits/limits.js';
import { Intent } from '../credentials/outside/intent.js';
import { Leftover } from '../credentials/outside/leftover.js';
import { PasswordAttempts } from '../credentials/verification/password-attempts.js';
import { RotationTurn } from '../credentials/due/rotation-turn.js';
import { Rotation } from '../credentials/record/rotation.js';
import { IdempotencyKey } from '../idempotency/idempotency-key.js';
import { Project } from '../projects/project.js';
import { TakenOfLimit } from '../rate-limits/in-database.js';
import { Grant } from '../roles/grant.js';
import { Role } from '../roles/role.js';
import { ScopeGrant } from '../stores/scopes/scope-grant.js';
import { CredentialStore, StoreSync } from '../stores/store.js';

/** All tables that have entities. */
export const entities = [
  Account,
  AuditEvent,
  AuditFormerPart,
  AuditHead,
  Credential,
  CredentialDay,
  CredentialLimits,
  CredentialRole,
  CredentialSecret,
  CredentialStore,
  CredentialUse,
  Grant,
  IdempotencyKey,
  Identity,
  Intent,
  Leftover,
  MfaDevice,
  Nonce,
  PasswordAttempts,
  Project,
  Role,
  Rotation,
  RotationTurn,
  ScopeGrant,
  StoreSync,
  TakenOfLimit,
  VerificationDay,
];

/** All changes of the tables, oldest first. */
export const migrations = [
  FirstTables1795305600000,
  Verification1796000000000,
  SecondFactor1796000000001,
  Identities1796000000002,
  OutsideStores1796100000000,
  TemporaryByEnd1796200000000,
  EditionsOfRoles1796210000000,
  RotationsWithoutApplied1796220000000,
  VendorsUnnamed1796230000000,
  TemporaryTermsKept1796300000000,
  StoreRevisions1796400000000,
  RotationsTried1796500000000,
  WhatStoresSay1796512300000,
  UserNamesOfAccounts1796600000000,
  NamesAsRead1796700000000,
  RecipientsInTheAudit1796720000000,
  FormerPartsInTheAudit1796730000000,
  EndingInStores1796740000000,
  LeftoversInStores1796740000010,
  HomesOfRoles1796750000000,
  ScopeGrants1796750000001,
  IntentsByStore1796760000000,
  BoundsOfListings1796761000000,
  AbandonedCredentials1796770000000,
  KeysThatChange1796780000000,
  EndingsInTheAudit1796790000000,
  PatternsOfIdentities1796795000000,
  AuditStream1796800000000,
  IdentitiesShutOut1796810000000,
  LimitsOfCredentials1796820000000,
  RateLimits1796830000000,
  ExpandScim1796840000000,
  ExpandDaysOfCredentials1796860000000,
  ExpandCreatorsOfCredentials1796861000000,
  ExpandRotationsByDay1796862000000,
  ExpandDueByOwner1796863000000,
  ExpandSearchOfProjectsAndRoles1796870000000,
  ExpandSeenDue1796870000001,
];
