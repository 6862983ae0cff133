import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Node } from '../inputs/node.js';
import { DateTime, Duration, URL } from '../inputs/scalars.js';

/** Keyway's own. The graph has one more for each connector. */
export const StoreKind = { BUILT_IN: 'BUILT_IN' } as const;
/** The kind of a connector. */
export type StoreKind = string;

export enum StoreCapability {
  LIST = 'LIST',
  FIND = 'FIND',
  CREATE = 'CREATE',
  UPDATE = 'UPDATE',
  ROTATE = 'ROTATE',
  REVOKE = 'REVOKE',
  DELETE = 'DELETE',
  REVEAL = 'REVEAL',
  ISSUE = 'ISSUE',
  ACCESS_LIST = 'ACCESS_LIST',
}

export enum SecretOrigin {
  CALLER = 'CALLER',
  KEYWAY = 'KEYWAY',
  STORE = 'STORE',
}

export enum PreviousSecret {
  LIVES = 'LIVES',
  DIES = 'DIES',
}

export enum StoreCircuit {
  CLOSED = 'CLOSED',
  OPEN = 'OPEN',
  HALF_OPEN = 'HALF_OPEN',
}

registerEnumType(StoreKind, { name: 'StoreKind', description: 'The system behind a store.' });
registerEnumType(StoreCapability, {
  name: 'StoreCapability',
  description: 'What a store can do, read off its connector: a capability is a verb that is there.',
  valuesConfig: {
    REVEAL: {
      description: 'Shows secrets itself. Those that Keyway has, revealCredential shows of every store.',
    },
  },
});
registerEnumType(SecretOrigin, { name: 'SecretOrigin', description: 'Who makes a new secret.' });
registerEnumType(PreviousSecret, {
  name: 'PreviousSecret',
  description: 'What becomes of the previous secret when a new one is made.',
});

registerEnumType(StoreCircuit, {
  name: 'StoreCircuit',
  description: 'Whether calls to a store go through, in the process that answers.',
  valuesConfig: {
    OPEN: { description: 'None goes out, as too many in a row have failed.' },
    HALF_OPEN: { description: 'One is trying.' },
  },
});

/** Keyway's own database, as a store. */
export const builtInStoreId = '00000000-0000-7000-8000-000000000003';

@Entity('stores')
@ObjectType('CredentialStore', {
  implements: Node,
  simpleResolvers: true,
  description: "Where credentials live: the gateway's own database, or an outside system behind a connector.",
})
export class CredentialStore implements Node {
  @PrimaryColumn('uuid')
  id: string;

  @Field(() => String)
  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Field(() => StoreKind)
  @Column('text')
  kind: StoreKind;

  @Field(() => URL, { nullable: true })
  @Column('text', { nullable: true })
  endpoint: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The region or zone of the vendor that it is in, where the vendor has such.',
  })
  @Column('text', { nullable: true })
  region: string | null;

  /** Whose it is, and whose its credentials are; null for Keyway's own. */
  @Column('uuid', { name: 'account_id', nullable: true })
  accountId: string | null;

  @Column('jsonb', { default: {} })
  addresses: Record<string, string>;

  @Column('jsonb', { default: {} })
  settings: Record<string, string | number | readonly string[]>;

  /** What Keyway proves itself with there. */
  @Column('bytea', { nullable: true, select: false })
  sealed: Buffer | null;

  @Column('text', { name: 'kek_id', nullable: true })
  kekId: string | null;

  /** Which secret it is that is sealed: each one has the next number. */
  @Column('integer', { name: 'secret_number', default: 0 })
  secretNumber: number;

  /** Whether it answered when it was last asked; null before it was. */
  @Column('boolean', { nullable: true })
  reachable: boolean | null;

  @Column('timestamptz', { name: 'checked_at', nullable: true })
  checkedAt: string | null;

  /** Why it was not reachable: a code of ours. */
  @Column('text', { nullable: true })
  problem: string | null;

  @Column('integer', { name: 'calls_in_window', default: 0 })
  callsInWindow: number;

  @Column('timestamptz', { name: 'window_ends_at', nullable: true })
  windowEndsAt: string | null;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: string;
}

@ObjectType({ simpleResolvers: true, description: 'Whether a store answered when it was last asked.' })
export class StoreHealth {
  @Field(() => Boolean, { description: 'False too where it was never asked.' })
  reachable: boolean;

  @Field(() => DateTime, { nullable: true })
  checkedAt: string | null;

  @Field(() => StoreCircuit)
  circuit: StoreCircuit;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it was not reachable, as a code: STORE_REJECTED, where it does not take what Keyway proves itself with; UNAVAILABLE; RATE_LIMITED.',
  })
  problem: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'What a rotation means there: who makes the new secret, and whether the previous one lives on.',
})
export class StoreRotation {
  @Field(() => SecretOrigin)
  chosenBy: SecretOrigin;

  @Field(() => PreviousSecret)
  previous: PreviousSecret;
}

@ObjectType({ simpleResolvers: true, description: 'How many calls a store allows, and how many are used.' })
export class StoreBudget {
  @Field(() => Int)
  limit: number;

  @Field(() => Int)
  used: number;

  @Field(() => Duration)
  window: string;

  @Field(() => DateTime)
  resetsAt: string;
}

@Entity('syncs')
@ObjectType({
  simpleResolvers: true,
  description: 'The last time that stock was taken of a store; its numbers grow while it runs.',
})
export class StoreSync {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'store_id' })
  storeId: string;

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'started_at' })
  startedAt: string;

  @Field(() => DateTime, { nullable: true })
  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt: string | null;

  /** Where the listing goes on; from its beginning, where null. */
  @Column('text', { name: 'resume_from', nullable: true })
  resumeFrom: string | null;

  /** Scopes that the store did not show: what is in them is not taken for gone. */
  @Column('text', { array: true, default: '{}' })
  unread: string[];

  @Field(() => Int)
  @Column('integer', { default: 0 })
  added: number;

  @Field(() => Int)
  @Column('integer', { default: 0 })
  changed: number;

  @Field(() => Int)
  @Column('integer', { default: 0 })
  gone: number;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it did not come to its end: a code of ours; it is taken up again. Or PARTIAL: it did, but there is a part of the store that was not shown. What is known of that part stays as it is.',
  })
  @Column('text', { nullable: true })
  error: string | null;

  @Column('integer', { default: 1 })
  fence: number;

  @Column('timestamptz', { name: 'lease_until' })
  leaseUntil: string;

  @Column('timestamptz', { name: 'next_at' })
  nextAt: string;
}
