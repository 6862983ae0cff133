/** A page of a list, as the graph answers it. */
export interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/**
 * All nodes of a list, one after another: the next page is asked for once the last node of a page was taken.
 * @throws KeywayError as `read` does
 */
export async function* nodesOf<Node>(
  read: (after: string | null) => Promise<Page<Node>>,
): AsyncGenerator<Node, void, undefined> {
  for (let after: string | null = null; ;) {
    const { nodes, pageInfo }: Page<Node> = await read(after);
    yield* nodes;
    if (!pageInfo.hasNextPage || pageInfo.endCursor === null) return;
    after = pageInfo.endCursor;
  }
}
