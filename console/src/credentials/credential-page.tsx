import { Link } from 'wouter';
import { useQuery } from 'urql';
import { WhoCard } from '../access/who.tsx';
import { AuditEvents } from '../audit/audit-events.tsx';
import {
  CredentialAuditDocument,
  CredentialDocument,
  type CredentialFactsFragment,
} from '../graph/documents.ts';
import { Heading } from '../parts/heading.tsx';
import { NotFound } from '../parts/not-found.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { texts } from '../texts.ts';
import { Actions } from './actions.tsx';
import { Facts } from './facts.tsx';
import { VersionsPicture } from './versions-picture.tsx';

/** One credential: what it is, where it stands, what can be done with it, and what was. */
export function CredentialPage({ id }: { id: string }) {
  const [{ data, error, fetching }, again] = useQuery({ query: CredentialDocument, variables: { id } });
  if (error && !data) return <Problem error={error} retry={again} />;
  if (!data) return <p role="status">{texts.loading}</p>;
  const { credential } = data;
  if (!credential) return fetching ? <p role="status">{texts.loading}</p> : <NotFound />;
  return (
    <>
      <Link href={listBefore()} className="back">
        ← {texts.back}
      </Link>
      <header className="view">
        <Heading title={credential.name} />
        <Status status={credential.status} />
        <Actions credential={credential} again={() => again({ requestPolicy: 'network-only' })} />
      </header>
      <div className="columns">
        <section className="card">
          <h2>{texts.credential.where}</h2>
          <Standing credential={credential} />
        </section>
        <section className="card">
          <h2>{texts.credential.facts}</h2>
          <Facts credential={credential} />
        </section>
      </div>
      <WhoCard on={id} />
      <section className="card">
        <h2>{texts.credential.audit}</h2>
        <Audit id={id} revision={credential.revision} />
      </section>
    </>
  );
}

/** The list that it was opened from, with its filters. */
function listBefore(): string {
  const { list } = (history.state ?? {}) as { list?: string };
  return list ? `/credentials?${list}` : '/credentials';
}

function Standing({ credential }: { credential: CredentialFactsFragment }) {
  const { rotation, storeChanges, roles, versions, createdAt } = credential;
  return (
    <>
      {storeChanges.length > 0 && (
        <>
          <h3>{texts.credential.pending}</h3>
          <ul className="plain">
            {storeChanges.map(({ kind, since, attempts, failure, nextAt }) => (
              <li key={`${kind} ${since}`}>
                <strong>{texts.storeChange[kind]}</strong> · <Time at={since} /> ·{' '}
                {texts.credential.attempts(attempts)}
                {failure !== null && ` · ${failure}`}
                {nextAt !== null && (
                  <>
                    {' '}
                    · <Time at={nextAt} />
                  </>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>{texts.credential.versions}</h3>
      <VersionsPicture versions={versions} createdAt={createdAt} />
      <h3>{texts.credential.rotation.title}</h3>
      {rotation ? (
        <p>
          {texts.rotationState[rotation.state]} · <Time at={rotation.startedAt} exact />
          {rotation.failure !== null && ` · ${rotation.failure}`}
          {rotation.state === 'SWITCHED' &&
            ` · ${rotation.safeToRetire ? texts.credential.rotation.safe : texts.credential.rotation.notSafe}`}
        </p>
      ) : (
        <p>{texts.credential.rotation.never}</p>
      )}
      <h3>{texts.credential.roles}</h3>
      <p>{roles.length > 0 ? roles.map(({ name }) => name).join(', ') : texts.none}</p>
    </>
  );
}

function Audit({ id, revision }: { id: string; revision: number }) {
  // With each change of the credential there is a new event.
  const [{ data, error }, again] = useQuery({
    query: CredentialAuditDocument,
    variables: { id, after: null },
    context: contexts[revision % 2],
  });
  if (error) return <Problem error={error} retry={again} />;
  const events = data?.credential?.auditEvents.nodes;
  if (!events) return <p role="status">{texts.loading}</p>;
  return events.length > 0 ? <AuditEvents events={events} /> : <p>{texts.audit.empty.title}.</p>;
}

const contexts = [{}, { requestPolicy: 'network-only' as const }];
