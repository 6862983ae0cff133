import { Arg, type ClassType } from 'type-graphql';

/** The one argument of a mutation; what it consists of is said by its type. */
export const Takes = (type: () => ClassType) =>
  Arg('input', type, { description: 'All that the mutation takes, in one object.' });
