import { Column, Entity, PrimaryColumn } from 'typeorm';

export type VersionState = 'PENDING' | 'CURRENT' | 'PREVIOUS' | 'RETIRED' | 'FAILED' | 'UNKNOWN';

/** One secret of a credential: its verifier, and the sealed secret where it is kept. A table, never a GraphQL type. */
@Entity('credential_versions')
export class CredentialSecret {
  @PrimaryColumn('uuid', { name: 'credential_id' })
  credentialId: string;

  @PrimaryColumn('integer')
  number: number;

  @Column('text')
  state: VersionState;

  @Column('text', { name: 'access_key', nullable: true })
  accessKey: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  /** While it is PREVIOUS: when it stops working. */
  @Column('timestamptz', { name: 'valid_until', nullable: true })
  validUntil: string | null;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt: string | null;

  @Column('bytea', { nullable: true })
  verifier: Buffer | null;

  @Column('text', { name: 'verifier_key_id', nullable: true })
  verifierKeyId: string | null;

  @Column('text', { name: 'password_hash', nullable: true })
  passwordHash: string | null;

  @Column('text', { name: 'pepper_id', nullable: true })
  pepperId: string | null;

  @Column('bytea', { nullable: true })
  sealed: Buffer | null;

  @Column('text', { name: 'kek_id', nullable: true })
  kekId: string | null;
}
