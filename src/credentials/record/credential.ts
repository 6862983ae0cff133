import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Permission } from '../../access/principal.js';
import type { SecretEncoding } from '../../keyring/token.js';
import { SignatureScheme } from '../../signatures/scheme.js';
import { schemeDescriptions } from '../../signatures/schemes.js';
import { Node } from '../../inputs/node.js';
import { DateTime, Duration, EmailAddress } from '../../inputs/scalars.js';
import type { LimitsNow } from '../limits/limits.js';
import { Provider } from './provider.js';

export enum CredentialKind {
  ACCESS_KEY = 'ACCESS_KEY',
  TOKEN = 'TOKEN',
  PASSWORD = 'PASSWORD',
  PROVIDER_KEYS = 'PROVIDER_KEYS',
}

export enum CredentialStatus {
  PENDING = 'PENDING',
  ACTIVE = 'ACTIVE',
  ROTATING = 'ROTATING',
  DISABLED = 'DISABLED',
  EXPIRED = 'EXPIRED',
  REVOKED = 'REVOKED',
  REVOKING = 'REVOKING',
  DELETED = 'DELETED',
  ABANDONED = 'ABANDONED',
  UNKNOWN = 'UNKNOWN',
  GONE = 'GONE',
  INVALID = 'INVALID',
}

registerEnumType(CredentialKind, {
  name: 'CredentialKind',
  description: 'What the secret of a credential consists of.',
  valuesConfig: {
    ACCESS_KEY: {
      description: 'An access key (public) and a secret key. Used to sign requests, or sent as a pair.',
    },
    TOKEN: { description: 'One secret value that is sent as a bearer token.' },
    PASSWORD: { description: 'A user name and a password.' },
    PROVIDER_KEYS: {
      description:
        'Keys of an outside provider, such as AWS. Keyway stores them encrypted and can show them again.',
    },
  },
});

registerEnumType(SignatureScheme, {
  name: 'SignatureScheme',
  description: 'The scheme that a request is signed with.',
  valuesConfig: Object.fromEntries(
    Object.entries(schemeDescriptions).map(([name, description]) => [name, { description }]),
  ),
});

registerEnumType(CredentialStatus, {
  name: 'CredentialStatus',
  description:
    'Whether a credential works at present. Only ACTIVE and ROTATING credentials work. If several values apply, it is the first of ABANDONED, DELETED, REVOKED, REVOKING, GONE, EXPIRED, DISABLED, PENDING, UNKNOWN, INVALID. If none of these applies to a temporary credential, its parent is looked at in the same way.',
  valuesConfig: {
    ACTIVE: { description: 'It works.' },
    DISABLED: {
      description:
        'The credential, its account or its owner is disabled. For a temporary credential: or its parent is.',
    },
    EXPIRED: {
      description: 'Its `expiresAt` has passed. For a temporary credential: or that of its parent.',
    },
    REVOKED: {
      description:
        'It was revoked: it never works again. For a temporary credential also: its parent was revoked, deleted or moved to another project, or no longer has the secret that this one was derived from.',
    },
    REVOKING: {
      description:
        'It is to be revoked or deleted, and its outside store has not confirmed it yet: `storeChanges` says why. It counts as not working, but its secret may still work in that store. For a temporary credential: or its parent is.',
    },
    DELETED: {
      description:
        'It was deleted, or its store was disconnected, where nothing was changed by that. It counts as not working, and only its history is kept.',
    },
    ABANDONED: {
      description:
        'Its store was disconnected by `deleteStore` with `abandonCredentials`, before the store had ended it: its secret may still work in that system, and Keyway can do nothing about it any more. It is in lists like a deleted one.',
    },
    PENDING: { description: 'It is being created in an outside store and does not work yet.' },
    ROTATING: { description: 'It works. A rotation is under way, or the previous secret still works.' },
    GONE: { description: 'Its store does not list it any more.' },
    INVALID: {
      description:
        'According to its store, the secret is not accepted by the system that it belongs to; `problem` is the reason that the store gives. Rotate it.',
    },
    UNKNOWN: {
      description:
        'The answer of its store to a change was lost, so it is not known whether its secret works. Rotate it again; if it was being created, sync the store. Also after an older state of the database was restored: its secret was replaced since then, and Keyway does not have the new one. Rotate it.',
    },
  },
});

@ObjectType({
  simpleResolvers: true,
  description: 'How often Keyway replaces the secret of a credential by itself.',
})
export class RotationPolicy {
  @Field(() => Duration, { description: 'The time from one rotation to the next, as an ISO 8601 duration.' })
  every: string;

  @Field(() => Duration, {
    description: 'How long the previous secret keeps working after a rotation, as an ISO 8601 duration.',
  })
  gracePeriod: string;

  @Field(() => DateTime, {
    description:
      'When the next rotation is due, in UTC: when the secret is as old as `every` says. In the past if it is late.',
  })
  nextAt: string;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'Since when the rotation is late, in UTC. Null if it is not due yet, and if the credential has been revoked.',
  })
  overdueSince: string | null;
}

/** What a store need not say of a credential. */
export type Unsaid = 'enabled' | 'allowedIps';

@ObjectType({
  simpleResolvers: true,
  description: 'What the trust policy of a role of AWS needs, so that an outside store can assume the role.',
})
export class RoleTrust {
  @Field(() => String, { description: 'The external id that the store made for the role. It is no secret.' })
  externalId: string;

  @Field(() => String, {
    nullable: true,
    description: 'A trust policy, ready to be used; null if the store has not shown one.',
  })
  policy: string | null;
}

@Entity('credentials')
@ObjectType('Credential', {
  implements: Node,
  simpleResolvers: true,
  description: 'An access key, token, password or set of keys. This type has no field that shows the secret.',
})
export class Credential implements Node {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'store_id' })
  storeId: string;

  @Column('uuid', { name: 'account_id' })
  accountId: string;

  @Column('uuid', { name: 'owner_id', nullable: true })
  ownerId: string | null;

  @Column('uuid', { name: 'project_id', nullable: true })
  projectId: string | null;

  @Column('uuid', { name: 'parent_id', nullable: true })
  parentId: string | null;

  /** Who created or issued it; null where that is not known. */
  @Column('uuid', { name: 'created_by', nullable: true })
  createdById: string | null;

  @Field(() => CredentialKind, { description: 'What its secret consists of.' })
  @Column('text')
  kind: CredentialKind;

  @Field(() => String, { description: 'A name for people. It need not be unique.' })
  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Field(() => String, {
    nullable: true,
    description: 'What the credential is for; null if nothing is recorded.',
  })
  @Column('text', { nullable: true })
  description: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The public part: access key, id of the token, or user name. Unique in its store, but for user names of the built-in store, which are unique in their account. Null if the kind has none (PROVIDER_KEYS), or if the store has not made it yet.',
  })
  @Column({ type: 'text', name: 'access_key', nullable: true, collation: 'C' })
  accessKey: string | null;

  @Field(() => Provider, {
    nullable: true,
    description: 'The system that the keys belong to; null unless `kind` is PROVIDER_KEYS.',
  })
  @Column('text', { nullable: true })
  provider: Provider | null;

  @Field(() => String, {
    nullable: true,
    description: 'A word of your choice to group credentials; null if none is recorded.',
  })
  @Column('text', { nullable: true })
  category: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The full name of the person who uses it; null if none is recorded.',
  })
  @Column('text', { name: 'full_name', nullable: true })
  fullName: string | null;

  @Field(() => EmailAddress, {
    nullable: true,
    description: 'The e-mail address of the person who uses it; null if none is recorded.',
  })
  @Column('text', { nullable: true })
  email: string | null;

  /** Computed in SQL with every read. */
  @Field(() => CredentialStatus, {
    description:
      'Whether it works at the time of this answer. Verification and the filter by status use the same rule.',
  })
  status: CredentialStatus;

  @Column('boolean')
  enabled: boolean;

  @Column('text', { name: 'allowed_ips', array: true })
  allowedIps: string[];

  /** What nothing is known of, as its outside store has not said it: its switch, its addresses. */
  @Column('text', { array: true, default: '{}' })
  unsaid: Unsaid[];

  @Field(() => String, {
    nullable: true,
    description:
      'Why its secret is not accepted, in the words of its outside store; null unless `status` is INVALID, and if the store gives no reason.',
  })
  @Column('text', { nullable: true })
  problem: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The address of the server that its keys are for, by which some outside stores choose between credentials; null if none is recorded.',
  })
  @Column('text', { name: 'base_url', nullable: true })
  baseUrl: string | null;

  @Field(() => RoleTrust, {
    nullable: true,
    description: 'What the role that it assumes has to trust; null if its outside store says nothing of it.',
  })
  @Column('jsonb', { nullable: true })
  trust: RoleTrust | null;

  @Field(() => Boolean, {
    description:
      'For a temporary credential, whether a second factor was proven when it was issued. Otherwise false.',
  })
  @Column('boolean', { name: 'mfa_authenticated', default: false })
  mfaAuthenticated: boolean;

  @Field(() => Boolean, {
    description:
      'Whether `revealCredential` can show its secret. For a credential of an outside store it becomes true when Keyway creates or rotates it, and is always true if the store itself shows secrets.',
  })
  @Column('boolean')
  retrievable: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Its id in the outside store; null in the built-in store, and if it is not known yet.',
  })
  @Column('text', { name: 'external_id', nullable: true })
  externalId: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The part of the outside store that it is in: an account, workspace, user, project or sub account. Null in the built-in store, and if it is not known yet.',
  })
  @Column('text', { nullable: true })
  scope: string | null;

  /** What the store said of it last. */
  @Column('jsonb', { nullable: true, select: false })
  observed: object | null;

  /** What the store's record of it went by when Keyway had written it last; null where that is not known. */
  @Column('text', { name: 'store_revision', nullable: true })
  storeRevision: string | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When Keyway found that its outside store does not list it any more, in UTC; otherwise null.',
  })
  @Column('timestamptz', { name: 'gone_at', nullable: true })
  goneAt: string | null;

  @Field(() => Boolean, {
    description: 'Whether the last change has reached only some environments of its store.',
  })
  @Column('boolean', { default: false })
  partial: boolean;

  @Field(() => Boolean, {
    description: 'Whether it is the credential that Keyway itself uses to call its store.',
  })
  @Column('boolean', { name: 'reaches_store', default: false })
  reachesStore: boolean;

  @Field(() => [Permission], {
    nullable: true,
    description:
      'What a token may do at most, in no particular order. Null for a token that may do all that its account may, and for other kinds.',
  })
  @Column('text', { array: true, nullable: true })
  permissions: Permission[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'What its access key or token begins with; null if it has no prefix of its own.',
  })
  @Column('text', { name: 'secret_prefix', nullable: true })
  secretPrefix: string | null;

  @Column('text', { name: 'secret_format', nullable: true })
  secretFormat: SecretEncoding | null;

  @Field(() => SignatureScheme, {
    nullable: true,
    description: 'The only scheme that it may sign requests with; null if it may use any, or cannot sign.',
  })
  @Column('text', { name: 'signature_scheme', nullable: true })
  signatureScheme: SignatureScheme | null;

  /** The secret of the parent that it was derived from: it ends with that one. */
  @Column('integer', { name: 'parent_version', nullable: true })
  parentVersion: number | null;

  @Column('text', { default: 'KNOWN' })
  standing: 'KNOWN' | 'PENDING' | 'UNKNOWN' | 'INVALID';

  @Column('timestamptz', { name: 'rotating_until', nullable: true })
  rotatingUntil: string | null;

  @Column('text', { name: 'rotate_every', nullable: true })
  rotateEvery: string | null;

  @Column('text', { name: 'rotate_grace', nullable: true })
  rotateGrace: string | null;

  @Column('timestamptz', { name: 'rotation_due_at', nullable: true })
  rotationDueAt: string | null;

  /** When its policy last began a rotation, whatever became of it. */
  @Column('timestamptz', { name: 'rotation_tried_at', nullable: true })
  rotationTriedAt: string | null;

  @Field(() => Int, {
    description:
      'The number of the revision, which grows by one with every change. Pass it as `expectedRevision` to make sure that nothing has changed meanwhile.',
  })
  @Column('integer', { default: 1 })
  revision: number;

  @Field(() => DateTime, { description: 'When it was created, in UTC.' })
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Field(() => DateTime, { description: 'When it was last changed, in UTC.' })
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: string;

  /** Since when it is to end, and its store has not confirmed it. */
  @Column('timestamptz', { name: 'ending_since', nullable: true })
  endingSince: string | null;

  /** Kept apart, in `credential_uses`. */
  @Field(() => DateTime, {
    nullable: true,
    description:
      'When its secret was last presented to Keyway and accepted, in UTC, or when an outside store said so at the first sync. Null if no use is known.',
  })
  lastUsedAt: string | null;

  /** Kept apart, in `credential_limits`; null where it has none. */
  limits: LimitsNow | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it stops working, in UTC; null if it never expires.',
  })
  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: string | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was revoked, in UTC; null if it was not.' })
  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The `reason` that it was revoked with; null if none was given.',
  })
  @Column('text', { name: 'revoke_reason', nullable: true })
  revokeReason: string | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was deleted, in UTC; null if it was not.' })
  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: string | null;

  /** When it was let go of with its store, which had not ended it. */
  @Column('timestamptz', { name: 'abandoned_at', nullable: true })
  abandonedAt: string | null;

  @Field(() => DateTime, {
    description:
      'When its outside store last confirmed it to Keyway, in UTC. For the built-in store, the time of this answer.',
  })
  @Column('timestamptz', { name: 'observed_at', nullable: true })
  observedAt: string;
}
