import { Field, ID, InputType, registerEnumType } from 'type-graphql';
import { longestName, mostListed } from '../../config/limits.js';
import { AsTyped, IdRule, Line, ListOf, Optional } from '../../inputs/rules.js';
import { DateTime, Duration } from '../../inputs/scalars.js';
import { CredentialKind, CredentialStatus } from './credential.js';
import { Provider } from './provider.js';

export enum CredentialOrderBy {
  CREATED_AT = 'CREATED_AT',
  NAME = 'NAME',
  EXPIRES_AT = 'EXPIRES_AT',
  LAST_USED_AT = 'LAST_USED_AT',
}
registerEnumType(CredentialOrderBy, {
  name: 'CredentialOrderBy',
  description: 'What a list of credentials is ordered by.',
  valuesConfig: {
    EXPIRES_AT: { description: 'What never expires comes after all that does.' },
    LAST_USED_AT: { description: 'What was never used comes before all that was.' },
  },
});

export enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}
registerEnumType(OrderDirection, { name: 'OrderDirection' });

@InputType({
  description: 'Which credentials: those that fit every member given. In a list, any of its items.',
})
export class CredentialFilter {
  @Field(() => [ID], { nullable: true })
  @Optional()
  @ListOf(mostListed, IdRule())
  store?: string[] | null;

  @Field(() => [ID], { nullable: true })
  @Optional()
  @ListOf(mostListed, IdRule())
  account?: string[] | null;

  @Field(() => [ID], { nullable: true })
  @Optional()
  @ListOf(mostListed, IdRule())
  owner?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Of the admin project: all.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  project?: string[] | null;

  @Field(() => [ID], { nullable: true })
  @Optional()
  @ListOf(mostListed, IdRule())
  role?: string[] | null;

  @Field(() => [CredentialKind], { nullable: true })
  @Optional()
  @ListOf(mostListed)
  kind?: CredentialKind[] | null;

  @Field(() => [Provider], { nullable: true })
  @Optional()
  @ListOf(mostListed)
  provider?: Provider[] | null;

  @Field(() => [CredentialStatus], {
    nullable: true,
    description: 'DELETED is found only when it is asked for.',
  })
  @Optional()
  @ListOf(mostListed)
  status?: CredentialStatus[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Case-insensitive part of name, description, access key, full name or e-mail. One or two characters are looked for at the beginnings of words.',
  })
  @Optional()
  @Line(1, longestName)
  search?: string | null;

  @Field(() => DateTime, { nullable: true })
  @Optional()
  @AsTyped()
  expiresBefore?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Those whose policy wants a rotation before then.' })
  @Optional()
  @AsTyped()
  rotationDueBefore?: string | null;

  @Field(() => Duration, {
    nullable: true,
    description: 'Not used for at least this long; a credential never used counts from its creation.',
  })
  @Optional()
  @AsTyped()
  unusedFor?: string | null;

  @Field(() => Boolean, { nullable: true })
  @Optional()
  @AsTyped()
  withoutOwner?: boolean | null;

  @Field(() => Boolean, { nullable: true, defaultValue: false })
  @Optional()
  @AsTyped()
  includeDeleted?: boolean | null;
}

@InputType({ description: 'How a list of credentials is ordered.' })
export class CredentialOrder {
  @Field(() => CredentialOrderBy, { defaultValue: CredentialOrderBy.CREATED_AT })
  @AsTyped()
  by: CredentialOrderBy;

  @Field(() => OrderDirection, { defaultValue: OrderDirection.DESC })
  @AsTyped()
  direction: OrderDirection;
}
