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
    'A group of credentials. The admin project contains every credential, also those that are in no project.',
})
export class Project implements Node {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'account_id' })
  accountId: string;

  @Field(() => String, {
    description:
      'The name used in queries and URLs, such as `MyProject`. Unique among all projects; it never changes.',
  })
  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Field(() => String, { description: 'The name shown to people.' })
  @Column('text')
  title: string;

  @Field(() => String, {
    nullable: true,
    description: 'What the project is for; null if nothing is recorded.',
  })
  @Column('text', { nullable: true })
  description: string | null;

  @Field(() => Boolean, {
    description:
      'Whether this is the admin project, of which there is one. A role granted on it holds everywhere.',
  })
  @Column('boolean', { default: false })
  admin: boolean;

  @Field(() => DateTime, { description: 'When it was created, in UTC.' })
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Field(() => DateTime, { description: 'When it was last changed, in UTC.' })
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: string;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: string | null;
}
