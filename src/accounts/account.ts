import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Node } from '../inputs/node.js';
import { DateTime, EmailAddress } from '../inputs/scalars.js';

export enum AccountKind {
  ORGANIZATION = 'ORGANIZATION',
  PERSON = 'PERSON',
  SERVICE = 'SERVICE',
}

registerEnumType(AccountKind, {
  name: 'AccountKind',
  description: 'What an account stands for.',
  valuesConfig: {
    ORGANIZATION: { description: 'A company, team or other group.' },
    PERSON: { description: 'A human being.' },
    SERVICE: { description: 'A program.' },
  },
});

/** The account that the first start makes; it holds every permission everywhere, and cannot be lost. */
export const adminAccountId = '00000000-0000-7000-8000-000000000001';

@Entity('accounts')
@ObjectType('Account', {
  implements: Node,
  simpleResolvers: true,
  description: 'An organization, a person or a service that has credentials and may call Keyway.',
})
export class Account implements Node {
  @PrimaryColumn('uuid')
  id: string;

  @Field(() => AccountKind, { description: 'What the account stands for.' })
  @Column('text')
  kind: AccountKind;

  @Field(() => String, {
    description:
      'The name used in queries and URLs, such as `onward`. Unique among all accounts; it never changes.',
  })
  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Field(() => String, { description: 'The name shown to people, such as `Onward, Inc.`' })
  @Column('text')
  title: string;

  @Field(() => EmailAddress, { nullable: true, description: 'The e-mail address; null if none is recorded.' })
  @Column('text', { nullable: true })
  email: string | null;

  @Field(() => Boolean, {
    description:
      'Whether the account may call Keyway. While it is false, the credentials of the account and those that it owns do not work.',
  })
  @Column('boolean')
  enabled: boolean;

  @Field(() => Boolean, {
    description:
      'Whether a code of the second factor (TOTP) is needed to reveal secrets, to issue temporary credentials, and to give a store whose secrets Keyway keeps another address.',
  })
  @Column('boolean', { name: 'mfa_required' })
  mfaRequired: boolean;

  @Field(() => Boolean, { description: 'Whether the account has a confirmed second factor (TOTP).' })
  @Column('boolean', { name: 'mfa_enrolled', default: false })
  mfaEnrolled: boolean;

  @Column('boolean', { name: 'built_in', default: false })
  builtIn: boolean;

  @Column('uuid', { name: 'parent_id', nullable: true })
  parentId: string | null;

  @Field(() => DateTime, { description: 'When it was created, in UTC.' })
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;

  @Field(() => DateTime, { description: 'When it was last changed, in UTC.' })
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: string;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: string | null;
}
