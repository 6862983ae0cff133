import { Link } from 'wouter';
import type { AuditLineFragment } from '../graph/documents.ts';
import { Time } from '../parts/time.tsx';
import { texts } from '../texts.ts';

const { columns } = texts.audit;

/** Audit events as a table: who did or tried what, on what, from where, and how it ended. */
export function AuditEvents({ events }: { events: readonly AuditLineFragment[] }) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={texts.audit.table}>
      <table className="audit">
        <thead>
          <tr>
            {Object.entries(columns).map(([name, words]) => (
              <th key={name} scope="col">
                {words}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.id}>
              <td>
                <Time at={event.at} exact />
              </td>
              <td>{event.actor?.title ?? texts.audit.nobody}</td>
              <td>
                {event.action}
                {event.changed.length > 0 && <span className="faint"> ({event.changed.join(', ')})</span>}
                {event.times > 1 && ` · ${texts.audit.times(event.times)}`}
              </td>
              <td>
                <Target event={event} />
              </td>
              <td>
                <span className={`badge ${event.outcome === 'DONE' ? 'good' : 'bad'}`}>
                  {texts.outcome[event.outcome]}
                </span>{' '}
                {event.code}
              </td>
              <td>{event.ip}</td>
              <td>
                <code className="faint">{event.requestId}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Target({ event: { target, targetId } }: { event: AuditLineFragment }) {
  if (target?.__typename === 'Credential')
    return <Link href={`/credentials/${target.id}`}>{target.name}</Link>;
  return <code className="faint">{targetId}</code>;
}
