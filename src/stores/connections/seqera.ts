import { mostListed, mostSecretBytes } from '../../config/limits.js';
import { Field, InputType } from 'type-graphql';
import { AsTyped, HeaderWord, Line, ListOf, Optional } from '../../inputs/rules.js';
import { URL } from '../../inputs/scalars.js';
import { Secret } from '../../secret.js';
import { StoreKind } from '../store.js';
import { addressIn, listed, type StoreConnection } from './way-in.js';

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
  @ListOf(mostListed, Line(1, 200))
  workspaces?: string[] | null;
}

/** A platform of Seqera's, as it was given. @throws BAD_USER_INPUT for an address that is more than a place. */
export function seqeraConnection(input: SeqeraConnectionInput, local: boolean): StoreConnection {
  return {
    kind: StoreKind.SEQERA,
    addresses: { endpoint: addressIn(input.endpoint, 'seqera.endpoint', local) },
    settings: listed('workspaces', input.workspaces),
    secrets: { token: Secret.of(input.token) },
    region: null,
    own: [{ kind: 'TOKEN', accessKey: null }],
  };
}
