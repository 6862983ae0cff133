import { Field, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Node } from '../inputs/node.js';
import { DateTime } from '../inputs/scalars.js';

/** The project that the first start makes: a role held on it is held everywhere. */
export const adminProjectId = '00000000-0000-7000-8000-000000000002';

@Entity('projects')
@ObjectType('Project', {
  implements: Node,
  simpleResolvers: true,
  description:
    'A scope that groups credentials. The admin project sees every credential, also those of no project.',
})
export class Project implements Node {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'account_id' })
  accountId: string;

  @Field(() => String)
  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Field(() => String)
  @Column('text')
  title: string;

  @Field(() => String, { nullable: true })
  @Column('text', { nullable: true })
  description: string | null;

  @Field(() => Boolean)
  @Column('boolean', { default: false })
  admin: boolean;

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: string;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: string | null;
}
