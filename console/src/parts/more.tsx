import { useMemo, useState, type ReactNode } from 'react';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { Button } from 'react-aria-components';
import { useQuery, type AnyVariables } from 'urql';
import { Problem } from './problem.tsx';
import { texts } from '../texts.ts';

interface Page<Item> {
  nodes: readonly Item[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

interface Listed<Item> {
  items: readonly Item[];
  /** Whether there is nothing in the list: not yet, while it is asked for. */
  isEmpty: boolean;
  /** What stands below the items: that more are on their way, what asks for them, or why there are none. */
  rest: ReactNode;
}

/**
 * A list of the graph, a page after another, as somebody asks for more. Where it becomes another list, it is for its caller
 * to begin again, with another `key`.
 * @param pageOf a page of it, in what the query answers
 */
export function useMore<Data, Variables extends AnyVariables, Item>(
  query: TypedDocumentNode<Data, Variables & { after?: string | null }>,
  variables: Variables,
  pageOf: (data: Data) => Page<Item>,
): Listed<Item> {
  const [before, setBefore] = useState<{ read: readonly Item[]; after: string | null }>({
    read: [],
    after: null,
  });
  const [{ data, error, fetching }, again] = useQuery({
    query,
    variables: { ...variables, after: before.after },
    requestPolicy: 'network-only',
  });
  const page = fetching || !data ? undefined : pageOf(data);
  const items = useMemo(() => [...before.read, ...(page?.nodes ?? [])], [before, page]);
  const rest = error ? (
    <Problem error={error} retry={again} />
  ) : fetching ? (
    <p role="status">{texts.loading}</p>
  ) : (
    page?.pageInfo.hasNextPage && (
      <Button onPress={() => setBefore({ read: items, after: page.pageInfo.endCursor })}>{texts.more}</Button>
    )
  );
  return { items, isEmpty: page !== undefined && items.length === 0, rest };
}
