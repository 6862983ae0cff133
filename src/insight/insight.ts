import { Field, ObjectType } from 'type-graphql';
import { CredentialKind, CredentialStatus } from '../credentials/record/credential.js';
import { Day, Duration, NonNegativeInt } from '../inputs/scalars.js';

@ObjectType({ simpleResolvers: true, description: 'How many credentials have one status.' })
export class StatusCount {
  @Field(() => CredentialStatus, { description: 'The status that the counted credentials have now.' })
  status: CredentialStatus;

  @Field(() => NonNegativeInt, { description: 'How many credentials have it; never 0.' })
  count: number;
}

@ObjectType({ simpleResolvers: true, description: 'How many credentials are in one store.' })
export class StoreCount {
  storeId: string;

  @Field(() => NonNegativeInt, { description: 'How many credentials are in it; never 0.' })
  count: number;
}

@ObjectType({ simpleResolvers: true, description: 'How many credentials are of one kind.' })
export class KindCount {
  @Field(() => CredentialKind, { description: 'The kind of the counted credentials.' })
  kind: CredentialKind;

  @Field(() => NonNegativeInt, { description: 'How many credentials are of it; never 0.' })
  count: number;
}

@ObjectType({ simpleResolvers: true, description: 'How often something happened on one day of UTC.' })
export class DayCount {
  @Field(() => Day, { description: 'The day, in UTC.' })
  day: string;

  @Field(() => NonNegativeInt, { description: 'The number of times that it happened; 0 if it did not.' })
  count: number;
}

@ObjectType({ simpleResolvers: true, description: 'How many credentials there are for one week.' })
export class WeekCount {
  @Field(() => Day, { description: 'The Monday that the week begins with, in UTC.' })
  week: string;

  @Field(() => NonNegativeInt, { description: 'How many credentials; 0 if there are none.' })
  count: number;
}

@ObjectType({
  simpleResolvers: true,
  description: 'How many rotations began on one day of UTC, and how they have come out by now.',
})
export class RotationDay {
  @Field(() => Day, { description: 'The day, in UTC.' })
  day: string;

  @Field(() => NonNegativeInt, {
    description: 'How many rotations began on that day, whatever became of them; 0 if none did.',
  })
  count: number;

  @Field(() => NonNegativeInt, {
    description: 'How many of them failed: the new secret did not come into use.',
  })
  failed: number;

  @Field(() => NonNegativeInt, {
    description:
      'Of how many of them it is not known which secret works, as the answer of the store was lost.',
  })
  unknown: number;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'How rotations stand: counts of credentials by their last rotation. Deleted and revoked ones are left out.',
})
export class RotationHealth {
  @Field(() => NonNegativeInt, {
    description: 'How many have a rotation that is under way, or a previous secret that still works.',
  })
  rotating: number;

  @Field(() => NonNegativeInt, {
    description:
      'How many among `rotating` have a previous secret that can be retired: the new one is in use, and the previous one has not been used for 24 hours. The same as `safeToRetire` of the rotation.',
  })
  safeToRetire: number;

  @Field(() => NonNegativeInt, {
    description: 'How many have a last rotation that failed: the secret before it is still in use.',
  })
  failed: number;

  @Field(() => NonNegativeInt, {
    description:
      'How many have a last rotation of which it is not known which secret works. Rotate them again.',
  })
  unknown: number;
}

@ObjectType({
  description:
    'Counts of the credentials that the viewer may see, as of the time of the answer. Deleted credentials are left out, except where verifications and rotations are counted by day.',
})
export class Insight {
  /** The account that they belong to, and the store that they are in; null for any. */
  accountId: string | null;
  storeId: string | null;
}

@ObjectType('CredentialUse', {
  simpleResolvers: true,
  description:
    'How often a credential was verified. Calls of Keyway itself with it are not counted: `lastUsedAt` tells the last one.',
})
export class UseOfCredential {
  @Field(() => Duration, {
    description: 'The time that was looked back, as an ISO 8601 duration: in whole days of UTC, with today.',
  })
  window: string;

  @Field(() => NonNegativeInt, { description: 'How many verifications were good in that time.' })
  total: number;

  @Field(() => NonNegativeInt, {
    description:
      'How many verifications were refused in that time, for whatever reason, also for a wrong secret.',
  })
  refused: number;

  @Field(() => [DayCount], {
    description:
      'How many verifications were good on each day of that time, oldest first; today is the last.',
  })
  byDay: DayCount[];
}
