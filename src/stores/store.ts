import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Node } from '../node.js';
import { DateTime, Duration, URL } from '../scalars.js';

export enum StoreKind {
  BUILT_IN = 'BUILT_IN',
  LANDSCAPE = 'LANDSCAPE',
  SEQERA = 'SEQERA',
  VERACODE = 'VERACODE',
  APINIZER = 'APINIZER',
  NCLOUD = 'NCLOUD',
}

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

registerEnumType(StoreKind, { name: 'StoreKind', description: 'The system behind a store.' });
registerEnumType(StoreCapability, {
  name: 'StoreCapability',
  description: 'What a store can do, read off its connector: a capability is a verb that is there.',
});
registerEnumType(SecretOrigin, { name: 'SecretOrigin', description: 'Who makes a new secret.' });
registerEnumType(PreviousSecret, {
  name: 'PreviousSecret',
  description: 'What becomes of the previous secret when a new one is made.',
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

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: string;
}

@ObjectType({ simpleResolvers: true, description: 'Whether a store answered when it was last asked.' })
export class StoreHealth {
  @Field(() => Boolean)
  reachable: boolean;

  @Field(() => DateTime, { nullable: true })
  checkedAt: string | null;
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

@ObjectType({ simpleResolvers: true, description: 'The last time that stock was taken of a store.' })
export class StoreSync {
  @Field(() => DateTime)
  startedAt: string;

  @Field(() => DateTime, { nullable: true })
  finishedAt: string | null;

  @Field(() => Int)
  added: number;

  @Field(() => Int)
  changed: number;

  @Field(() => Int)
  gone: number;

  @Field(() => String, { nullable: true })
  error: string | null;
}
