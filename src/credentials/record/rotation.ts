import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Node } from '../../inputs/node.js';
import { DateTime } from '../../inputs/scalars.js';
import type { VersionState } from './credential-version.js';

export enum CredentialVersionState {
  PENDING = 'PENDING',
  CURRENT = 'CURRENT',
  PREVIOUS = 'PREVIOUS',
  RETIRED = 'RETIRED',
  FAILED = 'FAILED',
  UNKNOWN = 'UNKNOWN',
}

export enum RotationState {
  PLANNED = 'PLANNED',
  SWITCHED = 'SWITCHED',
  FINISHED = 'FINISHED',
  FAILED = 'FAILED',
  OUTCOME_UNKNOWN = 'OUTCOME_UNKNOWN',
}

registerEnumType(CredentialVersionState, {
  name: 'CredentialVersionState',
  description: 'Where a secret stands in the life of its credential.',
  valuesConfig: {
    PENDING: { description: 'Being brought in.' },
    CURRENT: { description: 'The one that is handed out and verified.' },
    PREVIOUS: { description: 'Replaced, and still working until validUntil.' },
    RETIRED: { description: 'No longer working.' },
    FAILED: { description: 'Never came into use.' },
    UNKNOWN: { description: 'Sent to its store, whose answer was lost.' },
  },
});

registerEnumType(RotationState, {
  name: 'RotationState',
  description: 'How far a rotation has come.',
  valuesConfig: {
    PLANNED: { description: 'On record; the store has not heard of it.' },
    SWITCHED: { description: 'The new secret is handed out; the previous one still works.' },
    FINISHED: { description: 'The previous secret is gone.' },
    OUTCOME_UNKNOWN: { description: "The store's answer was lost." },
  },
});

@ObjectType('CredentialVersion', {
  simpleResolvers: true,
  description:
    'One secret of a credential through its life. Where a store gives every new secret a new key id, accessKey changes here.',
})
export class CredentialVersion {
  @Field(() => Int)
  number: number;

  @Field(() => CredentialVersionState)
  state: VersionState;

  @Field(() => String, { nullable: true })
  accessKey: string | null;

  @Field(() => DateTime)
  createdAt: string;

  @Field(() => DateTime, { nullable: true, description: 'While it is PREVIOUS: when it stops working.' })
  validUntil: string | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'Seen by verification with this very secret: the proof that nobody uses the previous one any more.',
  })
  lastUsedAt: string | null;
}

/** The intent to rotate, and what became of it. */
@Entity('rotations')
@ObjectType('Rotation', {
  implements: Node,
  simpleResolvers: true,
  description: 'One rotation, from the intent to the end of the previous secret.',
})
export class Rotation implements Node {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'credential_id' })
  credentialId: string;

  @Field(() => RotationState)
  @Column('text')
  state: RotationState;

  @Column('uuid', { name: 'started_by', nullable: true })
  startedById: string | null;

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'started_at' })
  startedAt: string;

  @Field(() => DateTime, { nullable: true })
  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt: string | null;

  @Column('integer', { name: 'from_number' })
  fromNumber: number;

  @Column('integer', { name: 'to_number', nullable: true })
  toNumber: number | null;

  @Field(() => String, {
    nullable: true,
    description: "Why it failed or is unknown; a code and words of ours, never the store's text.",
  })
  @Column('text', { nullable: true })
  failure: string | null;

  /** Computed in SQL with every read. */
  @Field(() => Boolean, {
    description:
      'The previous secret has not been seen for 24 hours, and nothing temporary that was derived from it lives: it can be retired without harm. Of a previous secret that still works in an outside store Keyway sees no uses, so there it is false.',
  })
  safeToRetire: boolean;
}
