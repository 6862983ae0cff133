import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Described } from '../../connectors/connector.js';
import type { Credential } from '../record/credential.js';

export type IntentVerb = 'CREATE' | 'UPDATE' | 'ROTATE' | 'REVOKE' | 'DELETE';

/** DROPPED: another intent took its place before it was settled. */
export type IntentState = 'OPEN' | 'DONE' | 'FAILED' | 'UNKNOWN' | 'DROPPED';

/** What an intent is to do besides what its credential and version say. Holds no secret. */
export interface IntentDetails {
  /** Ids that its store had already where a new one comes in: what else is there later was made by a lost answer. */
  before?: readonly string[];
  /**
   * When its store was asked the last time to make something, at the latest, in milliseconds since 1970; left out where
   * it was asked once at most.
   */
  askedMs?: number;
  /** When it was asked before that, without an answer. */
  lostMs?: number;
  /** How long the secret before a rotation goes on working, in milliseconds. */
  graceMs?: number;
  /** What of the store's record is to change. */
  described?: Partial<Described>;
  /** Whether the secret that Keyway has goes along whatever the store has by now. */
  overwriteSecret?: boolean;
  /** The columns of the credential that change with it. */
  columns?: Partial<Credential>;
  /** The roles that it then carries. */
  roles?: readonly string[];
  /** The names of the fields that change, for the audit. */
  changed?: readonly string[];
  /** Why it is to end. */
  reason?: string | null;
}

/**
 * A write to an outside store, on record before the store is called and until its outcome is settled. A table, never
 * a GraphQL type.
 */
@Entity('intents')
export class Intent {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'credential_id' })
  credentialId: string;

  @Column('uuid', { name: 'store_id' })
  storeId: string;

  @Column('text')
  verb: IntentVerb;

  @Column('text', { default: 'OPEN' })
  state: IntentState;

  @Column('uuid', { name: 'rotation_id', nullable: true })
  rotationId: string | null;

  /** The version that it brings in, or takes away. */
  @Column('integer', { nullable: true })
  version: number | null;

  @Column('jsonb', { default: {} })
  details: IntentDetails;

  /** Who may settle it: who takes it up later has a higher number. */
  @Column('integer', { default: 1 })
  fence: number;

  @Column('timestamptz', { name: 'lease_until' })
  leaseUntil: string;

  @Column('timestamptz', { name: 'next_at' })
  nextAt: string;

  @Column('integer', { default: 0 })
  attempts: number;

  @Column('text', { nullable: true })
  failure: string | null;

  @Column('uuid', { name: 'actor_id', nullable: true })
  actorId: string | null;

  @Column('uuid', { name: 'actor_credential_id', nullable: true })
  actorCredentialId: string | null;

  @Column('text', { nullable: true })
  ip: string | null;

  @Column('text', { name: 'request_id' })
  requestId: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt: string | null;
}
