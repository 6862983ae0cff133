import { Field, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('identities')
@ObjectType('Identity', {
  simpleResolvers: true,
  description:
    'A user of an issuer of tokens (JWTs), or several. Who has a valid token of that user calls Keyway as the account.',
})
export class Identity {
  @Column('uuid', { name: 'account_id' })
  accountId: string;

  @Field(() => String, { description: 'The issuer: the claim `iss` of its tokens.' })
  @PrimaryColumn({ type: 'text', collation: 'C' })
  issuer: string;

  @Field(() => String, {
    description:
      'The user at that issuer: the claim `sub` of its tokens, or the one that is configured for the issuer. Where `pattern` is true, the form of several: `*` stands for one or more characters other than `/` and `:`, and `**` for one or more of any.',
  })
  @PrimaryColumn({ type: 'text', collation: 'C' })
  subject: string;

  @Field(() => Boolean, {
    description: 'Whether `subject` is a pattern, and all users that match it call as the account.',
  })
  @PrimaryColumn('boolean', { default: false })
  pattern: boolean;

  /** Of a pattern, what every subject that matches begins with. */
  @Column({ type: 'text', collation: 'C', nullable: true })
  prefix: string | null;

  /** Of a pattern, the same as a regular expression. */
  @Column({ type: 'text', collation: 'C', nullable: true })
  expression: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;
}
