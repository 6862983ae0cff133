import { mostListed, mostSecretBytes } from '../../config/limits.js';
import { Field, InputType } from 'type-graphql';
import { AsTyped, HeaderWord, Line, ListOf, Optional } from '../../inputs/rules.js';
import { URL } from '../../inputs/scalars.js';
import { Secret } from '../../secret.js';
import { StoreKind } from '../store.js';
import { addressIn, listed, type StoreConnection } from './way-in.js';

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
  @ListOf(mostListed, Line(1, 200))
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

/** An Apinizer as it was given. @throws BAD_USER_INPUT for an address that is more than a place. */
export function apinizerConnection(input: ApinizerConnectionInput, local: boolean): StoreConnection {
  return {
    kind: StoreKind.APINIZER,
    addresses: { endpoint: addressIn(input.endpoint, 'apinizer.endpoint', local) },
    settings: {
      ...listed('projects', input.projects),
      ...(input.adminProject && { adminProject: input.adminProject }),
    },
    secrets: { token: Secret.of(input.token) },
    region: null,
    own: [{ kind: 'TOKEN', accessKey: null }],
  };
}
