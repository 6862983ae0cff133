import { Field, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Node } from '../inputs/node.js';
import { DateTime } from '../inputs/scalars.js';

@Entity('grants')
@ObjectType('Grant', {
  implements: Node,
  simpleResolvers: true,
  description: 'An account holds a role: everywhere, in one account, or in one project.',
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

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;
}
