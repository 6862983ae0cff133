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

  /** As stored: a later version may have written some that this one does not know, and never shows. */
  @Field(() => [Permission])
  @Column('text', { array: true })
  permissions: Permission[];

  @Field(() => Boolean, { description: 'Made by Keyway itself; it cannot be changed.' })
  @Column('boolean', { name: 'built_in', default: false })
  builtIn: boolean;

  /** The edition of the built-in roles that Keyway brought it to; 0 for none. */
  @Column('integer', { default: 0 })
  edition: number;

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: string;
}

/** Whether both have the same items, each once, in whatever order. */
export const sameSet = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((item) => other.includes(item));
