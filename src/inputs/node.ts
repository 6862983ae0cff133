import { Field, ID, InterfaceType } from 'type-graphql';

/** Anything that can be fetched again by its id. */
@InterfaceType('Node', {
  description: 'An object that `node` can fetch by its id.',
})
export abstract class Node {
  @Field(() => ID, {
    description:
      'The id, unique among all types: a prefix for the type and 22 base62 characters, such as `cred_1mO5qKOUcacMaFXJsmJzQh`. Treat it as opaque.',
  })
  id: string;
}
