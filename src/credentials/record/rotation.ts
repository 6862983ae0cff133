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
  description: 'The state of one secret of a credential.',
  valuesConfig: {
    PENDING: { description: 'A creation or rotation is bringing it into use.' },
    CURRENT: { description: 'It is the one in use.' },
    PREVIOUS: { description: 'It was replaced, but works until `validUntil`.' },
    RETIRED: { description: 'It no longer works.' },
    FAILED: { description: 'It never came into use.' },
    UNKNOWN: {
      description:
        'It is not known whether its store took it: the answer was lost, or another change replaced the one that brought it.',
    },
  },
});

registerEnumType(RotationState, {
  name: 'RotationState',
  description: 'How far a rotation has come.',
  valuesConfig: {
    PLANNED: {
      description:
        'It is recorded, and the result of the store is not known yet. The store may have been called already.',
    },
    SWITCHED: { description: 'The new secret is in use, and the previous one still works.' },
    FINISHED: {
      description: 'The new secret is in use. The previous one no longer works, or a later rotation ends it.',
    },
    FAILED: {
      description:
        'The new secret did not come into use; `failure` says why. The secret before it stays as it was.',
    },
    OUTCOME_UNKNOWN: {
      description:
        'The store was called but its answer was lost, so it is not known which secret works. Rotate again.',
    },
  },
});

@ObjectType('CredentialVersion', {
  simpleResolvers: true,
  description: 'One secret of a credential, without the secret itself.',
})
export class CredentialVersion {
  @Field(() => Int, { description: 'The number of the version in its credential, counted from 1.' })
  number: number;

  @Field(() => CredentialVersionState, { description: 'The state of this secret.' })
  state: VersionState;

  @Field(() => String, {
    nullable: true,
    description:
      'The public part that belongs to this secret. Some stores make a new one with each secret. Null if the kind has none, or if the store has not made it yet.',
  })
  accessKey: string | null;

  @Field(() => DateTime, { description: 'When this version was recorded, in UTC.' })
  createdAt: string;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When it stops working or stopped, in UTC; null if no end is set. In an outside store it can work a little longer, until the store has ended it.',
  })
  validUntil: string | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When this secret was last presented to Keyway and accepted, in UTC; null if never. Uses in an outside store are not known to Keyway.',
  })
  lastUsedAt: string | null;
}

/** The intent to rotate, and what became of it. */
@Entity('rotations')
@ObjectType('Rotation', {
  implements: Node,
  simpleResolvers: true,
  description:
    'One replacement of the secret of a credential, from the plan until the previous secret has stopped working.',
})
export class Rotation implements Node {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'credential_id' })
  credentialId: string;

  @Field(() => RotationState, { description: 'How far the rotation has come.' })
  @Column('text')
  state: RotationState;

  @Column('uuid', { name: 'started_by', nullable: true })
  startedById: string | null;

  @Field(() => DateTime, { description: 'When it was recorded, in UTC.' })
  @Column('timestamptz', { name: 'started_at' })
  startedAt: string;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When it ended, in UTC: successfully, as a failure or with an unknown outcome. Null while it is under way or the previous secret still works.',
  })
  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt: string | null;

  @Column('integer', { name: 'from_number' })
  fromNumber: number;

  @Column('integer', { name: 'to_number', nullable: true })
  toNumber: number | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it failed, or why the outcome is unknown: an error code and a text of Keyway, without anything that the store said. Null if it did not fail.',
  })
  @Column('text', { nullable: true })
  failure: string | null;

  /** Computed in SQL with every read. */
  @Field(() => Boolean, {
    description:
      'Whether the previous secret can be ended without harm: it no longer works, or it was not used for 24 hours and no temporary credential derived from it works. For a previous secret that works in an outside store it is false, because Keyway does not see its uses.',
  })
  safeToRetire: boolean;
}
