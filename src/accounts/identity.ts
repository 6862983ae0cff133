import { Field, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('identities')
@ObjectType('Identity', {
  simpleResolvers: true,
  description:
    'A user of an issuer of tokens (JWTs). Who has a valid token of that user calls Keyway as the account.',
})
export class Identity {
  @Column('uuid', { name: 'account_id' })
  accountId: string;

  @Field(() => String, { description: 'The issuer: the claim `iss` of its tokens.' })
  @PrimaryColumn({ type: 'text', collation: 'C' })
  issuer: string;

  @Field(() => String, { description: 'The user at that issuer: the claim `sub` of its tokens.' })
  @PrimaryColumn({ type: 'text', collation: 'C' })
  subject: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;
}
