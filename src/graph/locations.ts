import { visit, type ASTNode, type DocumentNode, type GraphQLError, type SourceLocation } from 'graphql';
import { mostLocations } from '../config/limits.js';

/**
 * Takes the locations off the nodes of a document, for `locationsOf` to find. With them on, graphql-js reckons line and
 * column again each time that an error is made, or made from another, by a walk over all lines before; and a document
 * that is kept would keep its text and tokens.
 */
export function keepLocations(document: DocumentNode): void {
  visit(document, {
    enter: (node: Located) => {
      if (!node.loc) return;
      const { line, column } = node.loc.startToken;
      node.at = { line, column };
      node.loc = undefined;
    },
  });
}

/** Where in the document an error arose: the first places, where there are many. */
export function locationsOf({
  nodes = [],
  locations,
}: Partial<Pick<GraphQLError, 'nodes' | 'locations'>>): readonly SourceLocation[] | undefined {
  const kept = nodes.flatMap((node: Located) => node.at ?? []);
  return (kept.length > 0 ? kept : locations)?.slice(0, mostLocations);
}

/** A node with its location on itself: a WeakMap of so many held the process for seconds as it was swept. */
type Located = { -readonly [Key in keyof ASTNode]: ASTNode[Key] } & { at?: SourceLocation };
