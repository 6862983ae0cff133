import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Permission } from '../../access/principal.js';
import type { SecretEncoding } from '../../keyring/token.js';
import { SignatureScheme } from '../../signatures/scheme.js';
import { schemeDescriptions } from '../../signatures/schemes.js';
import { Node } from '../../inputs/node.js';
import { DateTime, Duration, EmailAddress, IPRange } from '../../inputs/scalars.js';
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
  DELETED = 'DELETED',
  UNKNOWN = 'UNKNOWN',
  GONE = 'GONE',
}

registerEnumType(CredentialKind, {
  name: 'CredentialKind',
  description: 'What kind of secret a credential has.',
  valuesConfig: {
    ACCESS_KEY: { description: 'An access key and a secret key: signs requests, or is presented as a pair.' },
    TOKEN: { description: 'One opaque bearer value.' },
    PASSWORD: { description: 'A user name and a password.' },
    PROVIDER_KEYS: { description: 'Keys of an outside provider, kept sealed for those who may use them.' },
  },
});

registerEnumType(SignatureScheme, {
  name: 'SignatureScheme',
  description: 'How a request is signed.',
  valuesConfig: Object.fromEntries(
    Object.entries(schemeDescriptions).map(([name, description]) => [name, { description }]),
  ),
});

registerEnumType(CredentialStatus, {
  name: 'CredentialStatus',
  description:
    'Whether a credential works just now, by the clock of the database: ACTIVE and ROTATING do. Where several hold, it is the first of DELETED, REVOKED, GONE, EXPIRED, DISABLED, PENDING and UNKNOWN; then what hinders the parent of a temporary credential.',
  valuesConfig: {
    ACTIVE: { description: 'It works.' },
    DISABLED: { description: 'It, its account or its owner is disabled, or what it was derived from.' },
    EXPIRED: { description: 'Its end has come, or that of what it was derived from.' },
    REVOKED: {
      description:
        'It has ended for good. So has a temporary credential whose parent is revoked, deleted, in another project, or no longer has the secret that it was derived from.',
    },
    DELETED: { description: 'It has ended for good, and is kept for the record alone.' },
    PENDING: { description: 'Being created in an outside store; not usable yet.' },
    ROTATING: { description: 'Active, while a rotation is under way or the previous secret still works.' },
    GONE: { description: 'Its store has it no more.' },
    UNKNOWN: {
      description:
        "A store's answer was lost: whether its secret still works is not known. A new rotation heals it.",
    },
  },
});

@ObjectType({ simpleResolvers: true, description: 'How often a secret is to be replaced.' })
export class RotationPolicy {
  @Field(() => Duration)
  every: string;

  @Field(() => Duration, { description: 'How long the previous secret keeps working.' })
  gracePeriod: string;

  @Field(() => DateTime, { description: 'When the next rotation is due.' })
  nextAt: string;
}

@Entity('credentials')
@ObjectType('Credential', {
  implements: Node,
  simpleResolvers: true,
  description: 'What a person, a service or a partner system proves itself with. Never carries its secret.',
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

  @Field(() => CredentialKind)
  @Column('text')
  kind: CredentialKind;

  @Field(() => String)
  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Field(() => String, { nullable: true })
  @Column('text', { nullable: true })
  description: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The public half: access key, API id, user name. Unique in its store.',
  })
  @Column({ type: 'text', name: 'access_key', nullable: true, collation: 'C' })
  accessKey: string | null;

  @Field(() => Provider, {
    nullable: true,
    description: 'The system whose keys these are; null unless kind is PROVIDER_KEYS.',
  })
  @Column('text', { nullable: true })
  provider: Provider | null;

  @Field(() => String, { nullable: true })
  @Column('text', { nullable: true })
  category: string | null;

  @Field(() => String, { nullable: true, description: 'Who uses it, where the store records that.' })
  @Column('text', { name: 'full_name', nullable: true })
  fullName: string | null;

  @Field(() => EmailAddress, { nullable: true })
  @Column('text', { nullable: true })
  email: string | null;

  /** Computed in SQL with every read. */
  @Field(() => CredentialStatus, {
    description:
      'Whether it works at the time of the answer: the same that verification goes by, and the filter by status.',
  })
  status: CredentialStatus;

  @Field(() => Boolean)
  @Column('boolean')
  enabled: boolean;

  @Field(() => [IPRange], {
    description:
      'Addresses it may be used from. Empty: from anywhere. What an outside store has there and is no such address is shown as 255.255.255.255, which nobody calls from.',
  })
  @Column('text', { name: 'allowed_ips', array: true })
  allowedIps: string[];

  @Field(() => Boolean, { description: 'Whether it was issued after a second factor.' })
  @Column('boolean', { name: 'mfa_authenticated', default: false })
  mfaAuthenticated: boolean;

  @Field(() => Boolean, {
    description:
      'Whether its secret can be revealed again, or was shown once and only verified since. In an outside store it can once Keyway has the secret, from its creation or a rotation, or where the store shows it itself.',
  })
  @Column('boolean')
  retrievable: boolean;

  @Field(() => String, { nullable: true, description: 'Its id in that store.' })
  @Column('text', { name: 'external_id', nullable: true })
  externalId: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Where in its store: an account, workspace, user, project or sub account there.',
  })
  @Column('text', { nullable: true })
  scope: string | null;

  /** What the store said of it last. */
  @Column('jsonb', { nullable: true, select: false })
  observed: object | null;

  /** What the store's record of it went by when Keyway had written it last; null where that is not known. */
  @Column('text', { name: 'store_revision', nullable: true })
  storeRevision: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Since when its store has it no more.' })
  @Column('timestamptz', { name: 'gone_at', nullable: true })
  goneAt: string | null;

  @Field(() => Boolean, {
    description: 'Whether its store has the last change, but not in every environment of its own yet.',
  })
  @Column('boolean', { default: false })
  partial: boolean;

  @Field(() => Boolean, {
    description: 'Whether it is what Keyway reaches its store with.',
  })
  @Column('boolean', { name: 'reaches_store', default: false })
  reachesStore: boolean;

  /** What a token of Keyway's own may do at most; null for all that its account may. */
  @Column('text', { array: true, nullable: true })
  permissions: Permission[] | null;

  @Column('text', { name: 'secret_prefix', nullable: true })
  secretPrefix: string | null;

  @Column('text', { name: 'secret_format', nullable: true })
  secretFormat: SecretEncoding | null;

  @Field(() => SignatureScheme, {
    nullable: true,
    description: 'The one scheme that it signs requests in; any, where null.',
  })
  @Column('text', { name: 'signature_scheme', nullable: true })
  signatureScheme: SignatureScheme | null;

  /** The secret of the parent that it was derived from: it ends with that one. */
  @Column('integer', { name: 'parent_version', nullable: true })
  parentVersion: number | null;

  @Column('text', { default: 'KNOWN' })
  standing: 'KNOWN' | 'PENDING' | 'UNKNOWN';

  @Column('timestamptz', { name: 'rotating_until', nullable: true })
  rotatingUntil: string | null;

  @Column('text', { name: 'rotate_every', nullable: true })
  rotateEvery: string | null;

  @Column('text', { name: 'rotate_grace', nullable: true })
  rotateGrace: string | null;

  @Column('timestamptz', { name: 'rotation_due_at', nullable: true })
  rotationDueAt: string | null;

  @Field(() => Int, { description: 'Grows by one at every change; give it back as expectedRevision.' })
  @Column('integer', { default: 1 })
  revision: number;

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: string;

  /** Kept apart, in `credential_uses`. */
  @Field(() => DateTime, { nullable: true })
  lastUsedAt: string | null;

  @Field(() => DateTime, { nullable: true })
  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: string | null;

  @Field(() => DateTime, { nullable: true })
  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: string | null;

  @Column('text', { name: 'revoke_reason', nullable: true })
  revokeReason: string | null;

  @Field(() => DateTime, { nullable: true })
  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: string | null;

  @Field(() => DateTime, {
    description: 'When the store was last asked about it; now, for the built-in store.',
  })
  @Column('timestamptz', { name: 'observed_at', nullable: true })
  observedAt: string;
}
