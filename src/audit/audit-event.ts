import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { NodeType } from '../node-types.js';
import { Node } from '../inputs/node.js';
import { DateTime } from '../inputs/scalars.js';

export enum AuditOutcome {
  DONE = 'DONE',
  REFUSED = 'REFUSED',
  FAILED = 'FAILED',
}

registerEnumType(AuditOutcome, { name: 'AuditOutcome', description: 'How a decision ended.' });

@Entity('audit_events')
@ObjectType('AuditEvent', {
  implements: Node,
  simpleResolvers: true,
  description:
    'One decision: who did or tried what to what, and how it ended. Holds no secret and no submitted value.',
})
export class AuditEvent implements Node {
  @PrimaryColumn('uuid')
  id: string;

  /** The account in whose chain it stands. */
  @Column('uuid', { name: 'account_id' })
  accountId: string;

  @Field(() => Int, { description: "Its place in the account's chain." })
  @Column('bigint')
  number: string;

  @Column('text')
  epoch: string;

  @Field(() => DateTime)
  @Column('timestamptz')
  at: string;

  @Column('uuid', { name: 'actor_id', nullable: true })
  actorId: string | null;

  @Column('uuid', { name: 'actor_credential_id', nullable: true })
  actorCredentialId: string | null;

  @Field(() => String, { description: 'As in the permission: credential:rotate.' })
  @Column('text')
  action: string;

  @Field(() => AuditOutcome)
  @Column('text')
  outcome: AuditOutcome;

  @Field(() => String, { nullable: true, description: 'The code of the refusal or failure.' })
  @Column('text', { nullable: true })
  code: string | null;

  @Column('text', { name: 'target_type', nullable: true })
  targetType: NodeType | null;

  /** The target's UUID; its public id in the graph. */
  @Field(() => ID, { nullable: true })
  @Column('uuid', { name: 'target_id', nullable: true })
  targetId: string | null;

  @Column('uuid', { name: 'project_id', nullable: true })
  projectId: string | null;

  @Field(() => [String], { description: 'Names of the fields that changed.' })
  @Column('text', { array: true })
  changed: string[];

  @Field(() => Int, { description: 'How often it happened, where equal decisions are counted together.' })
  @Column('integer', { default: 1 })
  times: number;

  @Field(() => String, { nullable: true })
  @Column('text', { nullable: true })
  ip: string | null;

  @Field(() => String)
  @Column('text', { name: 'request_id' })
  requestId: string;

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
}
