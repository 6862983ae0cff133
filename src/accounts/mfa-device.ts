import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The authenticator of an account, and how its codes were tried. A table, never a GraphQL type. */
@Entity('mfa_devices')
export class MfaDevice {
  @PrimaryColumn('uuid', { name: 'account_id' })
  accountId: string;

  @Column('uuid')
  id: string;

  @Column('text', { nullable: true })
  label: string | null;

  /** What the codes are made with. */
  @Column('bytea')
  sealed: Buffer;

  @Column('text', { name: 'kek_id' })
  kekId: string;

  /** From when on it proves something; null until it has given its first code. */
  @Column('timestamptz', { name: 'confirmed_at', nullable: true })
  confirmedAt: string | null;

  @Column('bigint', { name: 'last_step', default: -1 })
  lastStep: string;

  /** Codes that were tried since one was accepted. */
  @Column('integer', { default: 0 })
  failures: number;

  @Column('timestamptz', { name: 'locked_until', nullable: true })
  lockedUntil: string | null;

  /** Tags of the recovery codes that are left. */
  @Column('bytea', { array: true, default: '{}' })
  recovery: Buffer[];

  /** The verifier key that they are made by; null where none are left, or it is not known which. */
  @Column('text', { name: 'recovery_key_id', nullable: true })
  recoveryKeyId: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;
}
