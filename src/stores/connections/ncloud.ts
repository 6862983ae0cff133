import { mostSecretBytes } from '../../config/limits.js';
import { IsIn } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { AsTyped, HeaderWord, Optional, SecretText } from '../../inputs/rules.js';
import { URL } from '../../inputs/scalars.js';
import { Secret } from '../../secret.js';
import { StoreKind } from '../store.js';
import { addressIn, hostnameOf, type StoreConnection } from './way-in.js';

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

/** NAVER Cloud's zone, by its host; null where that is none of the vendor's. */
export function ncloudRegion(endpoint: string): string | null {
  const match = /(?:^|\.)(?:(gov|fin)-)?ntruss\.com$/.exec(hostnameOf(endpoint));
  return match && (match[1] ?? 'public');
}

/** NAVER Cloud as it was given. @throws BAD_USER_INPUT for an address that is more than a place. */
export function ncloudConnection(input: NcloudConnectionInput, local: boolean): StoreConnection {
  const { accessKey } = input;
  const endpoint = addressIn(input.subAccountEndpoint, 'ncloud.subAccountEndpoint', local);
  return {
    kind: StoreKind.NCLOUD,
    addresses: { endpoint, sts: addressIn(input.stsEndpoint, 'ncloud.stsEndpoint', local) },
    settings: { accessKey, subAccountApiVersion: input.subAccountApiVersion ?? 1 },
    secrets: { secretKey: Secret.of(input.secretKey) },
    region: ncloudRegion(endpoint),
    own: [{ kind: 'ACCESS_KEY', accessKey }],
  };
}

/** The fields that its addresses are given in. */
export const ncloudAddressFields: Record<string, string> = {
  endpoint: 'subAccountEndpoint',
  sts: 'stsEndpoint',
};
