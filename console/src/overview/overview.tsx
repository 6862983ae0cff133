import { lazy, Suspense } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { OverviewDocument, type OverviewQuery } from '../graph/documents.ts';
import { Heading } from '../parts/heading.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { StoreCards } from '../stores/stores.tsx';
import { texts } from '../texts.ts';

type Insight = OverviewQuery['insight'];

const Plot = lazy(() => import('./plot.tsx'));
const dayMs = 86_400_000;

/** What to look at first: each number opens the list of what it counts. */
export function Overview() {
  const [{ data, error }, again] = useQuery({ query: OverviewDocument });
  return (
    <>
      <header className="view">
        <Heading title={texts.overview.title} />
        <p role="status">{data && texts.credentials.count(data.insight.credentials)}</p>
      </header>
      {error && <Problem error={error} retry={again} />}
      {data && <Counts insight={data.insight} />}
      {data && <Plots insight={data.insight} />}
      <h2>{texts.stores.title}</h2>
      <StoreCards />
    </>
  );
}

function Counts({ insight }: { insight: Insight }) {
  const { rotationHealth: health } = insight;
  const { attention, rotation } = texts.overview;
  const soon = new Date(Date.now() + 30 * dayMs).toISOString();
  const working = 'status=ACTIVE,ROTATING';
  const lists: readonly [string, number, string][] = [
    [attention.expiring, insight.expiring, `${working}&expiresBefore=${soon}&order=EXPIRES_AT&direction=ASC`],
    [attention.overdue, insight.overdue, `${working}&rotationOverdue=true`],
    [attention.withoutOwner, insight.withoutOwner, `${working}&withoutOwner=true`],
    [attention.unused, insight.unused, `${working}&unusedFor=P90D&order=LAST_USED_AT&direction=ASC`],
  ];
  return (
    <>
      <ul className="numbers">
        {lists.map(([words, count, list]) => (
          <li key={words}>
            <Link href={`/credentials?${list}`} className="card">
              <strong>{count.toLocaleString(texts.locale)}</strong> <span>{words}</span>
            </Link>
          </li>
        ))}
      </ul>
      <div className="columns">
        <section className="card">
          <h2>{texts.overview.byStatus}</h2>
          <ul className="plain spread">
            {insight.byStatus.map(({ status, count }) => (
              <li key={status}>
                <Link href={`/credentials?status=${status}`}>
                  <Status status={status} /> {count.toLocaleString(texts.locale)}
                </Link>
              </li>
            ))}
          </ul>
        </section>
        <section className="card">
          <h2>{texts.credential.rotation.title}</h2>
          <dl className="facts">
            {Object.entries(rotation).map(([name, words]) => (
              <div key={name}>
                <dt>{words}</dt>
                <dd>{health[name as keyof typeof rotation].toLocaleString(texts.locale)}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </>
  );
}

function Plots({ insight }: { insight: Insight }) {
  const { plots } = texts.overview;
  const all = [
    [plots.expiries, insight.expiriesByWeek.map(({ week, count }) => ({ day: week, count }))],
    [plots.rotations, insight.rotationsByDay],
    [plots.verifications, insight.verificationsByDay],
    [plots.refusals, insight.refusalsByDay],
  ] as const;
  return (
    <div className="columns plots">
      {all.map(([title, points]) => (
        <section key={title} className="card">
          <Suspense fallback={<p className="unplotted">{texts.loading}</p>}>
            <Plot title={title} points={points} />
          </Suspense>
        </section>
      ))}
    </div>
  );
}
