import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Node } from '../inputs/node.js';
import { DateTime, EmailAddress } from '../inputs/scalars.js';

export enum AccountKind {
  ORGANIZATION = 'ORGANIZATION',
  PERSON = 'PERSON',
  SERVICE = 'SERVICE',
}

registerEnumType(AccountKind, { name: 'AccountKind', description: 'What stands behind an account.' });

/** The account that the first start makes; it holds every permission everywhere, and cannot be lost. */
export const adminAccountId = '00000000-0000-7000-8000-000000000001';

@Entity('accounts')
@ObjectType('Account', {
  implements: Node,
  simpleResolvers: true,
  description: 'Whoever owns credentials and may call the gateway: an organization, a person or a service.',
})
export class Account implements Node {
  @PrimaryColumn('uuid')
  id: string;

  @Field(() => AccountKind)
  @Column('text')
  kind: AccountKind;

  @Field(() => String, { description: 'Unique, fit for a URL: onward.' })
  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Field(() => String, { description: 'For people: Onward, Inc.' })
  @Column('text')
  title: string;

  @Field(() => EmailAddress, { nullable: true })
  @Column('text', { nullable: true })
  email: string | null;

  @Field(() => Boolean, {
    description:
      'Whether it may call Keyway. When it is disabled, its credentials and those that it owns stop at once.',
  })
  @Column('boolean')
  enabled: boolean;

  @Field(() => Boolean)
  @Column('boolean', { name: 'mfa_required' })
  mfaRequired: boolean;

  @Field(() => Boolean)
  @Column('boolean', { name: 'mfa_enrolled', default: false })
  mfaEnrolled: boolean;

  @Column('boolean', { name: 'built_in', default: false })
  builtIn: boolean;

  @Column('uuid', { name: 'parent_id', nullable: true })
  parentId: string | null;

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Field(() => DateTime)
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: string;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: string | null;
}
