import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { NodeType } from '../ids.js';
import { Node } from '../inputs/node.js';
import { DateTime } from '../inputs/scalars.js';

export enum AuditOutcome {
  DONE = 'DONE',
  REFUSED = 'REFUSED',
  FAILED = 'FAILED',
}

registerEnumType(AuditOutcome, {
  name: 'AuditOutcome',
  description: 'How an action ended.',
  valuesConfig: {
    DONE: { description: 'It was done.' },
    REFUSED: { description: 'It was not allowed or not accepted: the cause is with the caller.' },
    FAILED: { description: 'It was allowed, but failed.' },
  },
});

@Entity('audit_events')
@ObjectType('AuditEvent', {
  implements: Node,
  simpleResolvers: true,
  description:
    'One entry of the audit log: who did or tried what, to which object, and how it ended. It contains no secret and no value that a caller sent.',
})
export class AuditEvent implements Node {
  @PrimaryColumn('uuid')
  id: string;

  /** The account in whose chain it stands. */
  @Column('uuid', { name: 'account_id' })
  accountId: string;

  @Field(() => Int, { description: 'The number of the event in the chain of its account, counted from 1.' })
  @Column('bigint')
  number: string;

  @Column('text')
  epoch: string;

  @Field(() => DateTime, { description: 'When it was recorded, in UTC.' })
  @Column('timestamptz')
  at: string;

  @Column('uuid', { name: 'actor_id', nullable: true })
  actorId: string | null;

  @Column('uuid', { name: 'actor_credential_id', nullable: true })
  actorCredentialId: string | null;

  @Field(() => String, {
    description: 'What was done or tried: the kind of object and the verb, such as `credential:rotate`.',
  })
  @Column('text')
  action: string;

  @Field(() => AuditOutcome, { description: 'How it ended.' })
  @Column('text')
  outcome: AuditOutcome;

  @Field(() => String, {
    nullable: true,
    description:
      'The error code of a refusal or failure; for a verification whose result is not `VALID`, its `VerificationCode`; otherwise null.',
  })
  @Column('text', { nullable: true })
  code: string | null;

  @Column('text', { name: 'target_type', nullable: true })
  targetType: NodeType | null;

  /** The target's UUID; its public id in the graph. */
  @Field(() => ID, {
    nullable: true,
    description:
      'The id of the object that it was done to, also after that was deleted; null if it was not about one object.',
  })
  @Column('uuid', { name: 'target_id', nullable: true })
  targetId: string | null;

  @Column('uuid', { name: 'project_id', nullable: true })
  projectId: string | null;

  @Field(() => [String], {
    description:
      'The names of the fields that were changed, in no particular order. Empty if none, and for refusals and failures.',
  })
  @Column('text', { array: true })
  changed: string[];

  @Field(() => Int, {
    description:
      'How many equal events this entry stands for: refusals, failures and verifications are counted together.',
  })
  @Column('integer', { default: 1 })
  times: number;

  @Field(() => String, {
    nullable: true,
    description:
      'The IP address that the request came from; null if it is not known or Keyway acted by itself.',
  })
  @Column('text', { nullable: true })
  ip: string | null;

  @Field(() => String, {
    description:
      'The id of the request, which is in the log too; of the first one, if `times` is more than 1.',
  })
  @Column('text', { name: 'request_id' })
  requestId: string;

  /** The recipient's UUID; its public id in the graph. */
  @Field(() => ID, {
    nullable: true,
    description:
      'The id of the account that it was given to: the one that takes over what is transferred, or that gets or loses a role. It is shown also to those who may not see that account. Null if nothing was given.',
  })
  @Column('uuid', { name: 'recipient_id', nullable: true })
  recipientId: string | null;

  /** What it left of its target, by `endingText`; null where it took nothing from it. */
  @Column('text', { nullable: true })
  ended: string | null;

  @Column('bytea')
  hash: Buffer;
}

/** The end of an account's chain: what the next event is linked to. */
@Entity('audit_heads')
export class AuditHead {
  @PrimaryColumn('uuid', { name: 'account_id' })
  accountId: string;

  @Column('bigint')
  number: string;

  @Column('text')
  epoch: string;

  @Column('bytea')
  hash: Buffer;

  /** From the event after this one on, events say what ended by them. */
  @Column('bigint', { name: 'told_from', default: 0 })
  toldFrom: string;
}

/**
 * An account that was part of another until that was deleted, and lives on elsewhere: up to this event of its chain, who
 * reads the log of the other one reads that of it.
 */
@Entity('audit_former_parts')
export class AuditFormerPart {
  @PrimaryColumn('uuid', { name: 'of_account_id' })
  ofAccountId: string;

  @PrimaryColumn('uuid', { name: 'account_id' })
  accountId: string;

  @Column('bigint')
  number: string;
}
