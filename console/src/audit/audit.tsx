import { useState } from 'react';
import { Button } from 'react-aria-components';
import { useQuery } from 'urql';
import { useLocation, useSearch } from 'wouter';
import { AuditDocument, type AuditFilter, type AuditLineFragment } from '../graph/documents.ts';
import { withFilter } from '../credentials/filters.ts';
import { Choice } from '../parts/choice.tsx';
import { Empty } from '../parts/empty.tsx';
import { Heading } from '../parts/heading.tsx';
import { Problem } from '../parts/problem.tsx';
import { Typed } from '../parts/typed.tsx';
import { texts } from '../texts.ts';
import { AuditEvents } from './audit-events.tsx';
import { auditFilterOf, auditFilters } from './audit-filters.ts';
import { Export } from './export.tsx';

const pageSize = 50;

/** What was done, tried and refused, newest first: what is filtered stands in the address. */
export function Audit() {
  const [, navigate] = useLocation();
  const search = useSearch();
  const address = new URLSearchParams(search);
  const filter = auditFilterOf(address);
  const set = (name: string, value: string) => {
    const next = withFilter(address, name, value);
    navigate(`/audit${next.size > 0 ? `?${next.toString()}` : ''}`);
  };
  return (
    <>
      <header className="view">
        <Heading title={texts.audit.title} />
      </header>
      <div className="bar">
        {auditFilters.map((name) => {
          const value = address.get(name) ?? '';
          const label = texts.audit.filters[name];
          if (name === 'outcome')
            return (
              <Choice
                key={name}
                label={label}
                any
                choices={texts.outcome}
                value={Object.hasOwn(texts.outcome, value) ? value : ''}
                choose={(text) => set(name, text)}
              />
            );
          const type = name === 'since' || name === 'until' ? 'date' : 'text';
          return <Typed key={name} label={label} type={type} value={value} set={(text) => set(name, text)} />;
        })}
        <Export filter={filter} />
      </div>
      <Events key={search} filter={filter} />
    </>
  );
}

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
