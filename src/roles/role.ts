import { Field, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Permission } from '../access/principal.js';
import { Node } from '../inputs/node.js';
import { DateTime } from '../inputs/scalars.js';

@Entity('roles')
@ObjectType('Role', {
  implements: Node,
  simpleResolvers: true,
  description: 'A named set of permissions. Carried by credentials, and granted to accounts.',
})
export class Role implements Node {
  @PrimaryColumn('uuid')
  id: string;

  @Field(() => String)
  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Field(() => String, { nullable: true })
  @Column('text', { nullable: true })
  description: string | null;

  @Field(() => [Permission])
  @Column('text', { array: true })
  permissions: Permission[];

  @Field(() => Boolean, { description: 'Made by Keyway itself; it cannot be changed.' })
  @Column('boolean', { name: 'built_in', default: false })
  builtIn: boolean;

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: string;
}
