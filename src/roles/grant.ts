import { Field, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Node } from '../inputs/node.js';
import { DateTime } from '../inputs/scalars.js';

@Entity('grants')
@ObjectType('Grant', {
  implements: Node,
  simpleResolvers: true,
  description: 'A role that an account has: on one account, on one project, or everywhere.',
})
export class Grant implements Node {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'account_id' })
  accountId: string;

  @Column('uuid', { name: 'role_id' })
  roleId: string;

  @Column('uuid', { name: 'on_account_id', nullable: true })
  onAccountId: string | null;

  @Column('uuid', { name: 'on_project_id', nullable: true })
  onProjectId: string | null;

  @Field(() => DateTime, { description: 'When the role was granted, in UTC.' })
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;
}
