import type { ClaimedRole, FirstSight } from '../config/jwt-issuers.js';
import { neighbourhoodOf } from '../config/ranges.js';
import { registerEnumType } from 'type-graphql';
import type { Whose } from '../shares/line.js';

/** What a role can allow. */
export enum Permission {
  CREDENTIAL_READ = 'CREDENTIAL_READ',
  CREDENTIAL_CREATE = 'CREDENTIAL_CREATE',
  CREDENTIAL_UPDATE = 'CREDENTIAL_UPDATE',
  CREDENTIAL_ROTATE = 'CREDENTIAL_ROTATE',
  CREDENTIAL_REVOKE = 'CREDENTIAL_REVOKE',
  CREDENTIAL_REVEAL = 'CREDENTIAL_REVEAL',
  CREDENTIAL_VERIFY = 'CREDENTIAL_VERIFY',
  ACCOUNT_READ = 'ACCOUNT_READ',
  ACCOUNT_MANAGE = 'ACCOUNT_MANAGE',
  PROJECT_READ = 'PROJECT_READ',
  PROJECT_MANAGE = 'PROJECT_MANAGE',
  ROLE_READ = 'ROLE_READ',
  ROLE_MANAGE = 'ROLE_MANAGE',
  ROLE_GIVE = 'ROLE_GIVE',
  STORE_MANAGE = 'STORE_MANAGE',
  AUDIT_READ = 'AUDIT_READ',
}

registerEnumType(Permission, {
  name: 'Permission',
  description:
    'What a role allows. Without any permission, an account may read, rotate and revoke the credentials that it owns.',
  valuesConfig: {
    CREDENTIAL_READ: { description: 'See credentials, without their secrets.' },
    CREDENTIAL_CREATE: { description: 'Create credentials, and issue temporary ones.' },
    CREDENTIAL_UPDATE: { description: 'Change the fields of a credential, also whether it is enabled.' },
    CREDENTIAL_ROTATE: { description: 'Replace the secret of a credential, and get the new one.' },
    CREDENTIAL_REVOKE: { description: 'Revoke and delete credentials. This cannot be undone.' },
    CREDENTIAL_REVEAL: { description: 'Get the secret of a retrievable credential again.' },
    CREDENTIAL_VERIFY: { description: 'Verify the secrets that a service was presented with.' },
    ACCOUNT_READ: { description: 'See accounts.' },
    ACCOUNT_MANAGE: { description: 'Create, change and delete accounts.' },
    PROJECT_READ: { description: 'See projects.' },
    PROJECT_MANAGE: { description: 'Create, change and delete projects.' },
    ROLE_READ: { description: 'See roles, and which accounts have them.' },
    ROLE_MANAGE: {
      description:
        'Create, change and delete the roles of an account and of its stores, and grant and withdraw roles there. If granted everywhere: also roles that are for all accounts.',
    },
    ROLE_GIVE: {
      description:
        'Give the roles of an account to credentials and accounts there. If granted everywhere: also roles that are for all accounts.',
    },
    STORE_MANAGE: {
      description:
        'Connect, check, sync, change and disconnect stores; give their roles, and create credentials in any of their scopes.',
    },
    AUDIT_READ: { description: 'Read the audit log.' },
  },
});

export const everyPermission: readonly Permission[] = Object.values(Permission);

/** Where a permission holds: everywhere, or in these accounts and projects (sub-accounts and their projects included). */
export interface Reach {
  readonly everywhere: boolean;
  readonly accounts: ReadonlySet<string>;
  readonly projects: ReadonlySet<string>;
}

/** Who a token of an issuer's says that its bearer is: a subject, in the words of the issuer. */
export interface Identified {
  issuer: string;
  subject: string;
  /** When it expires, in milliseconds since 1970. */
  expiresAtMs: number;
  /** Until when it is taken, since clocks may differ. */
  untilMs: number;
  /** The roles that the token brings, besides those that the account holds. */
  roles: readonly ClaimedRole[];
  /** What becomes of the user who has no account yet; undefined where nothing does. */
  newcomer: Newcomer | undefined;
}

/** A user for whom an account may be made. */
export interface Newcomer {
  rule: FirstSight;
  /** The title that the account is to have, as the token says it. */
  title: unknown;
}

/** Each permission with its reach; one that is not held is not there. */
export type Rights = ReadonlyMap<Permission, Reach>;

/** Rights, and roles by their ids with where each is held. */
export interface Granted {
  readonly rights: Rights;
  readonly roles: ReadonlyMap<string, Reach>;
}

/** Who is asking, proven, with all that it may do in this request. */
export interface Principal {
  readonly accountId: string;
  /** The account at the top of its tree. */
  readonly tenantId: string;
  /** The credential that it proved itself with; null for an identity elsewhere, which is no credential of ours. */
  readonly credentialId: string | null;
  /** The number of the secret that it did so by. */
  readonly credentialVersion: number | null;
  /** The identity elsewhere that it proved itself with; null for a credential. */
  readonly identity: Identified | null;
  /** The key that it signed with, which it may read again, and reveal where that is allowed; null for a token. */
  readonly holds: string | null;
  /** The credential that the one that it proved itself with was derived from; null where it was not. */
  readonly parentId: string | null;
  readonly rights: Rights;
  /**
   * The roles that its account holds, by their ids, and where; of a key those that it carries, and none of a token that
   * was narrowed.
   */
  readonly roles: ReadonlyMap<string, Reach>;
  /** The same two without what a token of an issuer's brings: what its account holds for good. */
  readonly granted: Granted;
  /** What its token is narrowed to; null where it may do all that its account may. */
  readonly limits: readonly Permission[] | null;
  /** When its proof ends, and where it may be used from: what it makes for itself goes no further. */
  readonly expiresAt: string | null;
  readonly allowedIps: readonly string[];
  /** Whether its account is to prove a second factor before it is shown secrets. */
  readonly mfaRequired: boolean;
}

/**
 * Who waits, where callers are served in turn: of what one service asks for others, each address that it tells has its turn,
 * so that whoever guesses by the hundred keeps waiting who comes from there, and nobody else.
 * @param ip from where that came which is asked about, in the words of the caller; left out where that is not told
 */
export const whoseOf = (
  { tenantId, accountId }: Pick<Principal, 'tenantId' | 'accountId'>,
  ip?: string | null,
): Whose => [tenantId, accountId, ...(ip ? [neighbourhoodOf(ip) ?? ip] : [])];

/**
 * The principal, as far as it decides what an account is given for good. To one's own account one gives no more than that
 * holds already: what a token brings ends with the token.
 * @param receivers the accounts that would have it
 */
export const giverTo = (principal: Principal, ...receivers: (string | null | undefined)[]): Principal =>
  receivers.includes(principal.accountId) ? { ...principal, ...principal.granted } : principal;

/** The reach of a permission that is not held. */
export const nowhere: Reach = { everywhere: false, accounts: new Set(), projects: new Set() };
