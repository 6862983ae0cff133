import { useEffect, useRef, useState } from 'react';
import { Button } from 'react-aria-components';
import { useClient, type CombinedError } from 'urql';
import { AuditDocument, type AuditFilter, type AuditLineFragment } from '../graph/documents.ts';
import { download } from '../parts/download.ts';
import { Problem } from '../parts/problem.tsx';
import { texts } from '../texts.ts';

/** What a page of a browser can hold well; more comes by the command line. */
const mostExported = 10_000;
const pageSize = 100;

/** Saves the events that match as a file, one in each line as JSON, newest first. */
export function Export({ filter }: { filter: AuditFilter }) {
  const client = useClient();
  const [count, setCount] = useState<number>();
  const [error, setError] = useState<CombinedError>();
  const state = useRef({ isStopped: false, isLeft: false });

  useEffect(() => {
    const { current } = state;
    return () => void (current.isStopped = current.isLeft = true);
  }, []);

  const run = async () => {
    state.current.isStopped = false;
    setError(undefined);
    const events: AuditLineFragment[] = [];
    let after: string | null = null;
    do {
      setCount(events.length);
      const variables: { first: number; after: string | null; filter: AuditFilter } = {
        first: pageSize,
        after,
        filter,
      };
      const answer = await client
        .query(AuditDocument, variables, { requestPolicy: 'network-only' })
        .toPromise();
      if (!answer.data) {
        setError(answer.error);
        setCount(undefined);
        return;
      }
      events.push(...answer.data.auditEvents.nodes);
      const { pageInfo } = answer.data.auditEvents;
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after !== null && events.length < mostExported && !state.current.isStopped);
    setCount(undefined);
    if (events.length > 0 && !state.current.isLeft)
      download('keyway-audit.jsonl', events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  };

  return (
    <>
      {count === undefined ? (
        <Button onPress={() => void run()}>{texts.audit.export}</Button>
      ) : (
        <>
          <span role="status">{texts.audit.exported(count)}</span>
          <Button onPress={() => (state.current.isStopped = true)}>{texts.bulk.stop}</Button>
        </>
      )}
      {error && <Problem error={error} />}
    </>
  );
}
