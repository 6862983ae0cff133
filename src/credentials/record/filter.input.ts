import { Field, ID, InputType, registerEnumType } from 'type-graphql';
import { mostListed } from '../../config/limits.js';
import { AsTyped, IdRule, ListOf, Optional, SearchField } from '../../inputs/rules.js';
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
    CREATED_AT: { description: 'When they were created.' },
    NAME: {
      description:
        'Their names: punctuation before digits before letters, whatever their case and accents; those tell apart only what is equal otherwise.',
    },
    EXPIRES_AT: { description: 'When they expire. Those that never expire count as the latest.' },
    LAST_USED_AT: {
      description: 'When they were last used. Those that were never used count as the earliest.',
    },
  },
});

export enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}
registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'Which end of an order comes first.',
  valuesConfig: {
    ASC: { description: 'Smallest, earliest or first in the alphabet first.' },
    DESC: { description: 'Largest, latest or last in the alphabet first.' },
  },
});

@InputType({
  description:
    'Which credentials: those that match every field that is given. A list matches if one of its items does.',
})
export class CredentialFilter {
  @Field(() => [ID], { nullable: true, description: 'Their own ids.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  ids?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Ids of stores that they are in.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  store?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Ids of accounts that they belong to.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  account?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Ids of accounts that own them.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  owner?: string[] | null;

  @Field(() => [ID], {
    nullable: true,
    description:
      'Ids of accounts that created or issued them. What is not known to be created by any matches none.',
  })
  @Optional()
  @ListOf(mostListed, IdRule())
  createdBy?: string[] | null;

  @Field(() => [ID], {
    nullable: true,
    description: 'Ids of projects that they are in. The admin project matches every credential.',
  })
  @Optional()
  @ListOf(mostListed, IdRule())
  project?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Ids of roles that they have.' })
  @Optional()
  @ListOf(mostListed, IdRule())
  role?: string[] | null;

  @Field(() => [CredentialKind], { nullable: true, description: 'What their secrets consist of.' })
  @Optional()
  @ListOf(mostListed)
  kind?: CredentialKind[] | null;

  @Field(() => [Provider], { nullable: true, description: 'The systems that their keys belong to.' })
  @Optional()
  @ListOf(mostListed)
  provider?: Provider[] | null;

  @Field(() => [CredentialStatus], {
    nullable: true,
    description: 'Their status at the time of the answer. DELETED matches only if it is listed here.',
  })
  @Optional()
  @ListOf(mostListed)
  status?: CredentialStatus[] | null;

  @SearchField('their name, description, access key, full name or e-mail address')
  search?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Those that were created after this time.' })
  @Optional()
  @AsTyped()
  createdAfter?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Those that were created before this time.' })
  @Optional()
  @AsTyped()
  createdBefore?: string | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Those that expire after this time. What never expires does not match.',
  })
  @Optional()
  @AsTyped()
  expiresAfter?: string | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Those that expire before this time, or have expired.',
  })
  @Optional()
  @AsTyped()
  expiresBefore?: string | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Those with a rotation policy whose next rotation is due before this time.',
  })
  @Optional()
  @AsTyped()
  rotationDueBefore?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'True: only those with a rotation policy whose next rotation is late. False: only the others.',
  })
  @Optional()
  @AsTyped()
  rotationOverdue?: boolean | null;

  @Field(() => Duration, {
    nullable: true,
    description:
      'Those without a known use for at least this long, as an ISO 8601 duration. For a credential that was never used, the time counts from its creation.',
  })
  @Optional()
  @AsTyped()
  unusedFor?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'True: only those without an owner. False: only those with one.',
  })
  @Optional()
  @AsTyped()
  withoutOwner?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'Whether deleted credentials are listed too.',
  })
  @Optional()
  @AsTyped()
  includeDeleted?: boolean | null;
}

@InputType({ description: 'How a list of credentials is ordered.' })
export class CredentialOrder {
  @Field(() => CredentialOrderBy, {
    defaultValue: CredentialOrderBy.CREATED_AT,
    description: 'What the list is ordered by.',
  })
  @AsTyped()
  by: CredentialOrderBy;

  @Field(() => OrderDirection, {
    defaultValue: OrderDirection.DESC,
    description: 'The direction of the order.',
  })
  @AsTyped()
  direction: OrderDirection;
}
