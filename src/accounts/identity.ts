import { Field, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('identities')
@ObjectType('Identity', {
  simpleResolvers: true,
  description: 'Somebody whom an issuer of tokens vouches for, and who calls as an account.',
})
export class Identity {
  @Column('uuid', { name: 'account_id' })
  accountId: string;

  @Field(() => String, { description: 'As in the claim iss of its tokens.' })
  @PrimaryColumn({ type: 'text', collation: 'C' })
  issuer: string;

  @Field(() => String, { description: 'As in the claim sub of its tokens.' })
  @PrimaryColumn({ type: 'text', collation: 'C' })
  subject: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;
}
