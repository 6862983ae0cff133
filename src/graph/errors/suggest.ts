import { suggestionList } from 'graphql/jsutils/suggestionList.js';

/** The name out of these that was probably meant; undefined where none is near. */
export type Suggest = (given: string, names: Iterable<string>) => string | undefined;

/** For where introspection is allowed, and the names of the schema are no secret. */
export const suggestNearest: Suggest = (given, names) =>
  // A longer one is no slip of the pen.
  given.length > 64 ? undefined : suggestionList(given, [...names])[0];

/** For where it is not. */
export const suggestNothing: Suggest = () => undefined;
