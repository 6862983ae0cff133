import { useState } from 'react';
import { Button } from 'react-aria-components';
import { useQuery } from 'urql';
import { useLocation, useSearch } from 'wouter';
import {
  AuditDocument,
  type AuditFilter,
  type AuditLineFragment,
  type AuditOutcome,
} from '../graph/documents.ts';
import { Choice } from '../parts/choice.tsx';
import { Empty } from '../parts/empty.tsx';
import { Heading } from '../parts/heading.tsx';
import { Problem } from '../parts/problem.tsx';
import { Typed } from '../parts/typed.tsx';
import { texts } from '../texts.ts';
import { AuditEvents } from './audit-events.tsx';

const pageSize = 50;

/** What was done, tried and refused, newest first. */
export function Audit() {
  const [, navigate] = useLocation();
  const search = useSearch();
  const address = new URLSearchParams(search);
  const action = address.get('action') ?? '';
  const outcome = address.get('outcome') ?? '';
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(address);
    if (value === '') next.delete(name);
    else next.set(name, value);
    navigate(`/audit${next.size > 0 ? `?${next.toString()}` : ''}`);
  };
  return (
    <>
      <header className="view">
        <Heading title={texts.audit.title} />
      </header>
      <div className="bar">
        <Typed label={texts.audit.action} value={action} set={(text) => set('action', text)} />
        <Choice
          label={texts.audit.outcome}
          any
          choices={texts.outcome}
          value={outcome}
          choose={(value) => set('outcome', value)}
        />
      </div>
      <Events key={search} filter={filterOf(action, outcome)} />
    </>
  );
}

const filterOf = (action: string, outcome: string): AuditFilter => ({
  ...(action !== '' && { action: [action] }),
  ...(outcome in texts.outcome && { outcome: [outcome as AuditOutcome] }),
});

function Events({ filter }: { filter: AuditFilter }) {
  const [pages, setPages] = useState<readonly (string | null)[]>([null]);
  const [read, setRead] = useState<readonly AuditLineFragment[]>([]);
  const after = pages.at(-1) ?? null;
  const [{ data, error, fetching }, again] = useQuery({
    query: AuditDocument,
    variables: { first: pageSize, after, filter },
    requestPolicy: 'network-only',
  });
  const page = fetching ? undefined : data?.auditEvents;
  const events = [...read, ...(page?.nodes ?? [])];
  if (error) return <Problem error={error} retry={again} />;
  if (page && events.length === 0) return <Empty {...texts.audit.empty} />;
  return (
    <>
      <AuditEvents events={events} />
      {fetching && <p role="status">{texts.loading}</p>}
      {page?.pageInfo.hasNextPage && (
        <Button
          onPress={() => {
            setRead(events);
            setPages([...pages, page.pageInfo.endCursor]);
          }}
        >
          {texts.more}
        </Button>
      )}
    </>
  );
}
