import { IsIn } from 'class-validator';
import { Field, ID, InputType, Int } from 'type-graphql';
import {
  AsTyped,
  HeaderWord,
  IdempotencyKey,
  IdRule,
  Line,
  ListOf,
  Name,
  Nested,
  NotNull,
  Optional,
  SecretText,
} from '../inputs/rules.js';
import { EmailAddress, URL } from '../inputs/scalars.js';

const mostPlaces = 100;
const mostSecretBytes = 16_384;

@InputType({
  description:
    'A way in: accessKey with secretKey, the usual one; email or identity with password; or a JWT, which ends by itself. With a password beside it, the pair can be rotated here: the password is the way in that stays.',
})
export class LandscapeConnectionInput {
  @Field(() => URL)
  @AsTyped()
  endpoint: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @Line(1, 200)
  accessKey?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @SecretText(mostSecretBytes)
  secretKey?: string | null;

  @Field(() => EmailAddress, { nullable: true })
  @Optional()
  @AsTyped()
  email?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'In place of email, for a person whom a directory (PAM) knows by a name.',
  })
  @Optional()
  @Line(1, 200)
  identity?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @SecretText(mostSecretBytes)
  password?: string | null;

  @Field(() => String, { nullable: true, description: 'The account that is meant where none is named.' })
  @Optional()
  @Line(1, 200)
  account?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @HeaderWord(mostSecretBytes)
  jwt?: string | null;
}

@InputType()
export class SeqeraConnectionInput {
  @Field(() => URL)
  @AsTyped()
  endpoint: string;

  @Field(() => String, { description: 'An access token of the platform.' })
  @HeaderWord(mostSecretBytes)
  token: string;

  @Field(() => [String], {
    nullable: true,
    description: 'The ids of the workspaces to look into; the personal space alone, where left out.',
  })
  @Optional()
  @ListOf(mostPlaces, Line(1, 200))
  workspaces?: string[] | null;
}

@InputType()
export class VeracodeConnectionInput {
  @Field(() => URL)
  @AsTyped()
  endpoint: string;

  @Field(() => String)
  @HeaderWord(200)
  apiId: string;

  @Field(() => String)
  @HeaderWord(mostSecretBytes)
  apiKey: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The pair of a second administrator. With it the first can be rotated here, and each of the two is left whatever becomes of the other.',
  })
  @Optional()
  @HeaderWord(200)
  fallbackApiId?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @HeaderWord(mostSecretBytes)
  fallbackApiKey?: string | null;
}

@InputType()
export class ApinizerConnectionInput {
  @Field(() => URL)
  @AsTyped()
  endpoint: string;

  @Field(() => String, { description: 'A personal access token.' })
  @HeaderWord(mostSecretBytes)
  token: string;

  @Field(() => [String], { nullable: true, description: 'The names of the projects to look into.' })
  @Optional()
  @ListOf(mostPlaces, Line(1, 200))
  projects?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The name of the project that also shows what is in all others: each user is listed in its own.',
    defaultValue: 'admin',
  })
  @Optional()
  @Line(1, 200)
  adminProject?: string | null;
}

@InputType()
export class NcloudConnectionInput {
  @Field(() => URL)
  @AsTyped()
  stsEndpoint: string;

  @Field(() => URL)
  @AsTyped()
  subAccountEndpoint: string;

  @Field(() => String)
  @HeaderWord(200)
  accessKey: string;

  @Field(() => String)
  @SecretText(mostSecretBytes)
  secretKey: string;

  @Field(() => Int, { nullable: true, defaultValue: 1, description: 'Which version of its API: 1 or 2.' })
  @Optional()
  @IsIn([1, 2], { message: 'must be 1 or 2' })
  subAccountApiVersion?: number | null;
}

@InputType({
  description: 'Where the system is and what Keyway proves itself with there: exactly one.',
})
export class StoreConnectionInput {
  @Field(() => LandscapeConnectionInput, { nullable: true })
  @Optional()
  @Nested()
  landscape?: LandscapeConnectionInput;

  @Field(() => SeqeraConnectionInput, { nullable: true })
  @Optional()
  @Nested()
  seqera?: SeqeraConnectionInput;

  @Field(() => VeracodeConnectionInput, { nullable: true })
  @Optional()
  @Nested()
  veracode?: VeracodeConnectionInput;

  @Field(() => ApinizerConnectionInput, { nullable: true })
  @Optional()
  @Nested()
  apinizer?: ApinizerConnectionInput;

  @Field(() => NcloudConnectionInput, { nullable: true })
  @Optional()
  @Nested()
  ncloud?: NcloudConnectionInput;
}

@InputType()
export class CreateStoreInput {
  @Field(() => ID, {
    nullable: true,
    description:
      "Whose the store is, and whose its credentials are; the caller's own account, where left out.",
  })
  @Optional()
  @IdRule()
  account?: string | null;

  @Field(() => String, { description: 'Unique, fit for a URL: landscape-prod.' })
  @Name(64)
  name: string;

  @Field(() => StoreConnectionInput)
  @Nested()
  connection: StoreConnectionInput;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
  idempotencyKey?: string | null;
}

@InputType({ description: 'A field left out keeps its value. Another connection is given whole.' })
export class UpdateStoreInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @NotNull()
  @Name(64)
  name?: string;

  @Field(() => StoreConnectionInput, { nullable: true, description: 'Of the same kind of system.' })
  @NotNull()
  @Nested()
  connection?: StoreConnectionInput;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'Refused with CONFLICT while something is under way there, and while Keyway alone has secrets of its credentials.',
})
export class DeleteStoreInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
  idempotencyKey?: string | null;
}

@InputType()
export class CheckStoreInput {
  @Field(() => ID)
  @IdRule()
  id: string;

  @Field(() => String, { nullable: true })
  @Optional()
  @IdempotencyKey()
  idempotencyKey?: string | null;
}
