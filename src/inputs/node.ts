import { Field, ID, InterfaceType } from 'type-graphql';

/** Anything that can be fetched again by its id. */
@InterfaceType('Node', {
  description:
    'Anything that can be fetched again by its id. Ids are opaque: a type prefix and 22 base62 characters, cred_1mO5qKOUcacMaFXJsmJzQh.',
})
export abstract class Node {
  @Field(() => ID)
  id: string;
}
