import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What was answered to an idempotency key, for 24 hours. The key and the input are kept as keyed digests alone. */
@Entity('idempotency_keys')
export class IdempotencyKey {
  @PrimaryColumn('uuid', { name: 'account_id' })
  accountId: string;

  @PrimaryColumn('bytea', { name: 'key_hash' })
  keyHash: Buffer;

  /** The verifier key that the digests are made by; null where an earlier version made them. */
  @Column('text', { name: 'verifier_key_id', nullable: true })
  verifierKeyId: string | null;

  @Column('uuid')
  id: string;

  @Column('text')
  operation: string;

  @Column('bytea', { name: 'input_hash' })
  inputHash: Buffer;

  /** The answer, sealed: it may hold a secret. */
  @Column('bytea', { nullable: true })
  sealed: Buffer | null;

  /** The KEK that it names, which the database reads from it. */
  @Column({ type: 'text', name: 'kek_id', nullable: true, insert: false, update: false })
  kekId: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: string;
}
