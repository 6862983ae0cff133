import { suggestionList } from 'graphql/jsutils/suggestionList.js';

/** What may be said of a name that the schema does not have. */
export interface Slip {
  /** The name itself; undefined where it is not to be repeated. */
  name?: string | undefined;
  /** The one that was probably meant; undefined where none is near. */
  nearest?: string | undefined;
}

/** What may be said of a name where these were expected. */
export type Suggest = (given: string, names: Iterable<string>) => Slip;

/** The one for this server. */
export const suggestFor = (introspection: boolean): Suggest =>
  introspection ? suggestNearest : suggestNothing;

/** For where introspection is allowed, and the names of the schema are no secret. */
export const suggestNearest: Suggest = (given, names) => {
  // A longer one is no slip of the pen.
  const nearest = given.length > 64 ? undefined : suggestionList(given, [...names])[0];
  const isTold = nearest === undefined ? isLikeOurs(given) : isName(given);
  return { nearest, name: isTold ? given : undefined };
};

/** For where it is not: an error names nothing there but what the schema has. */
export const suggestNothing: Suggest = () => ({});

/** As GraphQL writes names: its specification, section 2.1.9. */
const isName = (given: string): boolean => /^[_A-Za-z][_0-9A-Za-z]*$/.test(given);

/**
 * Whether it is a name as those of the schema are: short, or of plain words. Anything else may be a secret in the wrong
 * place, with digits and capitals where words have none.
 */
export const isLikeOurs = (given: string): boolean =>
  isName(given) && (given.length <= 4 || (given.length <= 40 && words.test(given)));

/** As in `credentials`, `orderBy`, `K8sKeysInput`, `IPRange`, `specifiedByURL` and `__Schema`. */
const words = /^_*(?:IP)?[A-Z]?(?:[a-z]?[0-9])?[a-z]*(?:_?[A-Z][a-z]+|_[a-z]+)*(?:ID|URL)?$/;
