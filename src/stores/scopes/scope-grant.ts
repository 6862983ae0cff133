import { Field, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { DateTime } from '../../inputs/scalars.js';

@Entity('scope_grants')
@ObjectType({
  simpleResolvers: true,
  description: 'That an account may create credentials in one scope of a store, without managing the store.',
})
export class ScopeGrant {
  @PrimaryColumn('uuid', { name: 'store_id' })
  storeId: string;

  @PrimaryColumn('uuid', { name: 'account_id' })
  accountId: string;

  /** Empty for where the store puts what names no scope. */
  @PrimaryColumn('text', { collation: 'C' })
  scope: string;

  @Field(() => DateTime, { description: 'When the scope was granted, in UTC.' })
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;
}
