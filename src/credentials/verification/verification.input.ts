import { Field, ID, InputType, Int } from 'type-graphql';
import {
  AsTyped,
  HeaderText,
  IdRule,
  Line,
  ListOf,
  Nested,
  Optional,
  SecretText,
  WholeNumber,
} from '../../inputs/rules.js';
import { SignatureScheme } from '../../signatures/scheme.js';
import {
  longestName,
  longestSignedBody,
  longestSignedUrl,
  mostListed,
  mostSignedHeaders,
  mostUses,
} from '../../config/limits.js';

@InputType({ description: 'One header of a request.' })
export class HeaderInput {
  @Field(() => String, { description: 'The name of the header.' })
  @Line(1, 200)
  name: string;

  @Field(() => String, { description: 'The value of the header, unchanged.' })
  @HeaderText(longestSignedUrl)
  value: string;
}

@InputType({ description: 'A signed request, exactly as the service received it.' })
export class SignedRequestInput {
  @Field(() => SignatureScheme, { description: 'The scheme that it is signed with.' })
  @AsTyped()
  scheme: SignatureScheme;

  @Field(() => String, { description: 'The HTTP method, such as `GET`.' })
  @Line(1, 50)
  method: string;

  @Field(() => String, {
    description:
      'The URL: path and query exactly as they were received, not decoded and not reordered. Scheme and host can be left out if there is a `Host` header.',
  })
  @Line(1, longestSignedUrl)
  url: string;

  @Field(() => [HeaderInput], { description: 'All headers, in the order in which they were received.' })
  @ListOf(mostSignedHeaders)
  @Nested()
  headers: HeaderInput[];

  @Field(() => String, {
    nullable: true,
    description:
      'The body, if it is text. LANDSCAPE_HMAC_SHA_256 needs it if it is a form; with HTTP_MESSAGE_SIGNATURES it is compared with the `content-digest` header. If you leave it out there, make that comparison yourself.',
  })
  @Optional()
  @SecretText(longestSignedBody, 0)
  body?: string | null;
}

@InputType({
  description:
    'What was presented: the secret itself, or a request signed with it. Exactly one field must be given.',
})
export class ProofInput {
  @Field(() => String, { nullable: true, description: 'The secret key, the whole token, or the password.' })
  @Optional()
  @SecretText(4096)
  secret?: string;

  @Field(() => SignedRequestInput, {
    nullable: true,
    description: 'A request that is signed with the secret key of the credential.',
  })
  @Optional()
  @Nested()
  signedRequest?: SignedRequestInput;
}

@InputType({ description: 'What a service was presented with, and what it requires.' })
export class VerifyCredentialInput {
  @Field(() => String, {
    nullable: true,
    description:
      'The access key or user name that was presented. Not needed for a token or a signed request, which contain it.',
  })
  @Optional()
  @Line(1, 300)
  accessKey?: string | null;

  @Field(() => ProofInput, { description: 'The secret or the signature that was presented.' })
  @Nested()
  proof: ProofInput;

  @Field(() => String, {
    nullable: true,
    description:
      'The IP address that it was presented from. Needed if the credential allows only some addresses, and to slow down those who guess.',
  })
  @Optional()
  @Line(1, 100)
  ip?: string | null;

  @Field(() => [String], {
    nullable: true,
    defaultValue: [],
    description: 'Names of roles. The credential must have all of them.',
  })
  @Optional()
  @ListOf(mostListed, Line(1, longestName))
  roles?: string[] | null;

  @Field(() => ID, { nullable: true, description: 'The project that the credential must be in.' })
  @Optional()
  @IdRule()
  project?: string | null;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 1,
    description: `How many uses it counts as, if the credential has a limit: at most ${mostUses}. With 0 the answer is the same as with 1, and nothing is counted.`,
  })
  @Optional()
  @WholeNumber(0, mostUses)
  cost?: number | null;
}
