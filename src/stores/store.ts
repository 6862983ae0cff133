import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { mostListed, mostRolesOfStore } from '../config/limits.js';
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

/** What of a credential only its store can keep to. */
export enum StoreSettable {
  ALLOWED_IPS = 'ALLOWED_IPS',
  BASE_URL = 'BASE_URL',
  ENABLED = 'ENABLED',
  EXPIRES_AT = 'EXPIRES_AT',
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

registerEnumType(StoreKind, {
  name: 'StoreKind',
  description: 'The kind of system behind a store.',
  valuesConfig: {
    BUILT_IN: { description: "Keyway's own database." },
  },
});
registerEnumType(StoreSettable, {
  name: 'StoreSettable',
  description: 'What a credential can be given where its store keeps to it.',
  valuesConfig: {
    ALLOWED_IPS: { description: 'The addresses that it may be used from: `allowedIps`.' },
    BASE_URL: { description: 'The address of the server that it is for: `baseUrl`.' },
    ENABLED: { description: 'Whether it works: `enabled` may be false.' },
    EXPIRES_AT: { description: 'When it stops working: `expiresAt`.' },
  },
});
registerEnumType(StoreCapability, {
  name: 'StoreCapability',
  description: 'What Keyway can do in a store. It follows from the kind of the store.',
  valuesConfig: {
    ACCESS_LIST: { description: 'List who may use a credential. No kind of store has this at present.' },
    CREATE: { description: 'Create credentials.' },
    DELETE: { description: 'Delete credentials.' },
    FIND: { description: 'Read one credential.' },
    ISSUE: { description: 'Issue temporary credentials.' },
    LIST: { description: 'List the credentials it has, so that a sync can bring them in.' },
    REVEAL: {
      description:
        'Show the secrets of its credentials. Secrets that Keyway has itself can be revealed for every store.',
    },
    REVOKE: { description: 'Revoke credentials.' },
    ROTATE: { description: 'Rotate credentials.' },
    UPDATE: { description: 'Change credentials.' },
  },
});
registerEnumType(SecretOrigin, {
  name: 'SecretOrigin',
  description: 'Who makes the new secret of a rotation.',
  valuesConfig: {
    CALLER: { description: 'The caller must supply it, or, for a password, may have Keyway generate it.' },
    KEYWAY: { description: 'Keyway generates it.' },
    STORE: { description: 'The store generates it.' },
  },
});
registerEnumType(PreviousSecret, {
  name: 'PreviousSecret',
  description: 'What happens to the previous secret in a rotation.',
  valuesConfig: {
    DIES: { description: 'It stops working at once.' },
    LIVES: { description: 'It can keep working for a grace period.' },
  },
});

registerEnumType(StoreCircuit, {
  name: 'StoreCircuit',
  description:
    'Whether Keyway sends calls to a store at present. Each Keyway process decides this by itself; the answer is that of the process that answers.',
  valuesConfig: {
    CLOSED: { description: 'Calls are sent.' },
    OPEN: { description: 'No calls are sent for a short time, because several calls in a row have failed.' },
    HALF_OPEN: { description: 'One call is sent to find out whether the store works again.' },
  },
});

/** Keyway's own database, as a store. */
export const builtInStoreId = '00000000-0000-7000-8000-000000000003';

@Entity('stores')
@ObjectType('CredentialStore', {
  implements: Node,
  simpleResolvers: true,
  description: "A place where credentials are kept: Keyway's own database, or an outside system.",
})
export class CredentialStore implements Node {
  @PrimaryColumn('uuid')
  id: string;

  @Field(() => String, {
    description: 'The name used in queries, such as `keys-prod`. Unique among all stores.',
  })
  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Field(() => StoreKind, { description: 'The kind of system.' })
  @Column('text')
  kind: StoreKind;

  @Field(() => URL, {
    nullable: true,
    description: 'The address of the system; null for the built-in store.',
  })
  @Column('text', { nullable: true })
  endpoint: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The region of the vendor that the system is in; null if the vendor has none.',
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

@ObjectType({
  simpleResolvers: true,
  description: 'One setting of the connection to a store. No secret is one.',
})
export class StoreSetting {
  @Field(() => String, { description: 'The name of the setting, such as `endpoint` or `workspaces`.' })
  name: string;

  @Field(() => [String], {
    description: 'Its values: one, or those of a list in the order in which they were given.',
  })
  values: string[];
}

@ObjectType({
  simpleResolvers: true,
  description: 'A part of an outside store, as `scope` of a credential names it.',
})
export class StoreScope {
  @Field(() => String, {
    description: 'What to give as `scope`: an account, workspace, user, project or sub account.',
  })
  id: string;

  @Field(() => String, { description: 'What people call it.' })
  name: string;
}

@ObjectType({ simpleResolvers: true, description: 'Whether a store answered when it was last called.' })
export class StoreHealth {
  @Field(() => Boolean, {
    description:
      'Whether the store answered and accepted the credential that Keyway has for it, the last time. False if it was never called.',
  })
  reachable: boolean;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When that was recorded, in UTC; null if the store was never called.',
  })
  checkedAt: string | null;

  @Field(() => StoreCircuit, { description: 'Whether Keyway sends calls to the store at present.' })
  circuit: StoreCircuit;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it was not reachable: `STORE_REJECTED` (it does not accept the credential that Keyway has for it), `UNAVAILABLE` or `RATE_LIMITED`. Null if there is no problem, or if it was never called.',
  })
  problem: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'How rotation works in a store.',
})
export class StoreRotation {
  @Field(() => SecretOrigin, { description: 'Who makes the new secret.' })
  chosenBy: SecretOrigin;

  @Field(() => PreviousSecret, { description: 'What happens to the previous secret.' })
  previous: PreviousSecret;
}

@ObjectType({
  simpleResolvers: true,
  description: 'How many calls to a store the vendor allows in a period of time, and how many were made.',
})
export class StoreBudget {
  @Field(() => Int, { description: 'How many calls are allowed in one period.' })
  limit: number;

  @Field(() => Int, {
    description: 'How many calls were made in the current period, by all Keyway processes together.',
  })
  used: number;

  @Field(() => Duration, { description: 'The length of a period, as an ISO 8601 duration.' })
  window: string;

  @Field(() => DateTime, { description: 'When the current period ends, in UTC.' })
  resetsAt: string;
}

@Entity('syncs')
@ObjectType({
  simpleResolvers: true,
  description:
    'One sync of a store: Keyway reads what the store lists and brings its own records up to date.',
})
export class StoreSync {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'store_id' })
  storeId: string;

  @Field(() => DateTime, { description: 'When the sync started, in UTC.' })
  @Column('timestamptz', { name: 'started_at' })
  startedAt: string;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When the sync finished, in UTC; null while it is running or waiting to go on.',
  })
  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt: string | null;

  /** Where the listing goes on; from its beginning, where null. */
  @Column('text', { name: 'resume_from', nullable: true })
  resumeFrom: string | null;

  /** Scopes that the store did not show: what is in them is not taken for gone. */
  @Column('text', { array: true, default: '{}' })
  unread: string[];

  @Field(() => Int, { description: 'How many credentials were added so far.' })
  @Column('integer', { default: 0 })
  added: number;

  @Field(() => Int, { description: 'How many credentials were changed so far.' })
  @Column('integer', { default: 0 })
  changed: number;

  @Field(() => Int, {
    description:
      'How many credentials were marked GONE so far, because the store does not list them any more.',
  })
  @Column('integer', { default: 0 })
  gone: number;

  @Field(() => Int, {
    description: `How many roles of credentials were not recorded so far: Keyway makes at most ${mostRolesOfStore} roles of a store by itself, and records at most ${mostListed} of a credential.`,
  })
  @Column('integer', { name: 'roles_left', default: 0 })
  rolesLeft: number;

  @Field(() => String, {
    nullable: true,
    description:
      'Why the sync stopped: an error code. If `finishedAt` is null, it will go on later. `PARTIAL`: it finished, but the store did not show some of its parts, or fewer or more than it said there are; credentials that it did not show were left as they are. `LIMIT_EXCEEDED`: the store lists more than one sync reads; what was read is up to date, and credentials beyond it were left as they are. Null if there was no error.',
  })
  @Column('text', { nullable: true })
  error: string | null;

  /** What was read of the listing so far, and for how long. */
  @Column('integer', { default: 0 })
  parts: number;

  @Column('integer', { default: 0 })
  entries: number;

  @Column('integer', { name: 'read_ms', default: 0 })
  readMs: number;

  @Column('integer', { default: 1 })
  fence: number;

  @Column('timestamptz', { name: 'lease_until' })
  leaseUntil: string;

  @Column('timestamptz', { name: 'next_at' })
  nextAt: string;
}
