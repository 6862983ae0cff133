import { Field, ID, InputType } from 'type-graphql';
import { AsTyped, HeaderText, IdRule, Line, ListOf, Nested, Optional, SecretText } from '../inputs/rules.js';
import { SignatureScheme } from '../signatures/scheme.js';
import {
  longestName,
  longestSignedBody,
  longestSignedUrl,
  mostListed,
  mostSignedHeaders,
} from '../config/limits.js';

@InputType()
export class HeaderInput {
  @Field(() => String)
  @Line(1, 200)
  name: string;

  @Field(() => String)
  @HeaderText(longestSignedUrl)
  value: string;
}

@InputType({ description: 'A request as it came in, byte for byte.' })
export class SignedRequestInput {
  @Field(() => SignatureScheme)
  @AsTyped()
  scheme: SignatureScheme;

  @Field(() => String)
  @Line(1, 50)
  method: string;

  @Field(() => String, {
    description:
      'With path and query as they were sent, not decoded and not put in order. Without scheme and host, where the Host header tells them.',
  })
  @Line(1, longestSignedUrl)
  url: string;

  @Field(() => [HeaderInput])
  @ListOf(mostSignedHeaders)
  @Nested()
  headers: HeaderInput[];

  @Field(() => String, {
    nullable: true,
    description:
      'The body, where it is text: LANDSCAPE_HMAC_SHA_256 covers the parameters in it, and HTTP Message Signatures cover its digest. Left out, compare the content-digest header with the body yourself.',
  })
  @Optional()
  @SecretText(longestSignedBody, 0)
  body?: string | null;
}

@InputType({ description: 'Exactly one: the bare secret, or a signature made with it.' })
export class ProofInput {
  @Field(() => String, { nullable: true, description: 'The secret key, the whole token, or the password.' })
  @Optional()
  @SecretText(4096)
  secret?: string;

  @Field(() => SignedRequestInput, {
    nullable: true,
    description: "A request signed with the credential's secret key, in one of the schemes in use.",
  })
  @Optional()
  @Nested()
  signedRequest?: SignedRequestInput;
}

@InputType({ description: 'What was presented, by whom it is said to come, and what it must be good for.' })
export class VerifyCredentialInput {
  @Field(() => String, {
    nullable: true,
    description: 'The access key or user name. A token and a signed request tell it themselves.',
  })
  @Optional()
  @Line(1, 300)
  accessKey?: string | null;

  @Field(() => ProofInput)
  @Nested()
  proof: ProofInput;

  @Field(() => String, {
    nullable: true,
    description: 'The address that it was presented from. A credential with an address list needs it.',
  })
  @Optional()
  @Line(1, 100)
  ip?: string | null;

  @Field(() => [String], {
    nullable: true,
    defaultValue: [],
    description: 'Names of roles, all of which it must carry.',
  })
  @Optional()
  @ListOf(mostListed, Line(1, longestName))
  roles?: string[] | null;

  @Field(() => ID, { nullable: true, description: 'The project that it must belong to.' })
  @Optional()
  @IdRule()
  project?: string | null;
}
