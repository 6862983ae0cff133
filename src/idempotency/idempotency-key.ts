import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What was answered to an idempotency key, for 24 hours. The key and the input are kept as keyed digests alone. */
@Entity('idempotency_keys')
export class IdempotencyKey {
  @PrimaryColumn('uuid', { name: 'account_id' })
  accountId: string;

  @PrimaryColumn('bytea', { name: 'key_hash' })
  keyHash: Buffer;

  @Column('uuid')
  id: string;

  @Column('text')
  operation: string;

  @Column('bytea', { name: 'input_hash' })
  inputHash: Buffer;

  /** The answer, sealed: it may hold a secret. */
  @Column('bytea', { nullable: true })
  sealed: Buffer | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: string;
}
