import { Field, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Permission } from '../access/principal.js';
import { Node } from '../inputs/node.js';
import { DateTime } from '../inputs/scalars.js';

@Entity('roles')
@ObjectType('Role', {
  implements: Node,
  simpleResolvers: true,
  description:
    'A named set of permissions. A role is granted to accounts. Credentials have roles as well: a service that verifies a credential is told them.',
})
export class Role implements Node {
  @PrimaryColumn('uuid')
  id: string;

  @Field(() => String, {
    description:
      'The name, such as `API_USER`. Unique in its store; of other roles, unique among those that can be used at one place. It never changes.',
  })
  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Field(() => String, { nullable: true, description: 'What the role is for; null if nothing is recorded.' })
  @Column('text', { nullable: true })
  description: string | null;

  /** As stored: a later version may have written some that this one does not know, and never shows. */
  @Field(() => [Permission], { description: 'What the role allows, in no particular order.' })
  @Column('text', { array: true })
  permissions: Permission[];

  @Field(() => Boolean, {
    description: 'Whether Keyway itself made the role. A built-in role cannot be changed or deleted.',
  })
  @Column('boolean', { name: 'built_in', default: false })
  builtIn: boolean;

  /** The account whose role it is, for use in it and below; null for a store's, and for one that is for all accounts. */
  @Column('uuid', { name: 'account_id', nullable: true })
  accountId: string | null;

  /** The store whose role it is, for its credentials alone. */
  @Column('uuid', { name: 'store_id', nullable: true })
  storeId: string | null;

  /** The edition of the built-in roles that Keyway brought it to; 0 for none. */
  @Column('integer', { default: 0 })
  edition: number;

  @Field(() => DateTime, { description: 'When it was created, in UTC.' })
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Field(() => DateTime, { description: 'When it was last changed, in UTC.' })
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: string;
}

/** Whether both have the same items, each once, in whatever order. */
export const sameSet = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((item) => other.includes(item));
