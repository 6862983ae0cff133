import { useCallback, useEffect, useRef, useState } from 'react';
import { useClient, type CombinedError } from 'urql';
import {
  InventoryDocument,
  type CredentialFilter,
  type CredentialOrder,
  type CredentialRowFragment,
} from '../graph/documents.ts';

const pageSize = 50;

interface Pages {
  rows: readonly CredentialRowFragment[];
  error: CombinedError | undefined;
  isLoading: boolean;
  /** Asks for the next page, where there is one and none is on its way. */
  loadMore: () => void;
  /** Asks again from the beginning. */
  again: () => void;
}

/** The credentials that match, in pages that are read one after another as they are needed; from the beginning for another list. */
export function usePages(filter: CredentialFilter, orderBy: CredentialOrder): Pages {
  const client = useClient();
  const [rows, setRows] = useState<readonly CredentialRowFragment[]>([]);
  const [error, setError] = useState<CombinedError>();
  const [cursor, setCursor] = useState<string | null>(null);
  const [isLoading, setLoading] = useState(true);
  // What comes for a list that is not shown any more is left.
  const current = useRef(0);

  const load = useCallback(
    async (after: string | null, before: readonly CredentialRowFragment[]) => {
      const own = ++current.current;
      setLoading(true);
      setError(undefined);
      const { data, error } = await client
        .query(
          InventoryDocument,
          { first: pageSize, after, filter, orderBy },
          { requestPolicy: 'network-only' },
        )
        .toPromise();
      if (own !== current.current) return;
      setLoading(false);
      setError(error);
      if (!data) return;
      const { nodes, pageInfo } = data.credentials;
      setRows([...before, ...nodes]);
      setCursor(pageInfo.hasNextPage ? pageInfo.endCursor : null);
    },
    [client, filter, orderBy],
  );
  const again = useCallback(() => void load(null, []), [load]);
  useEffect(() => {
    setRows([]);
    setCursor(null);
    again();
    return () => void (current.current += 1);
  }, [again]);
  const loadMore = () => {
    if (!isLoading && cursor !== null) void load(cursor, rows);
  };
  return { rows, error, isLoading, loadMore, again };
}
