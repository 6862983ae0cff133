import { useEffect } from 'react';
import { Button } from 'react-aria-components';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { useChange } from '../graph/changes.ts';
import {
  CheckStoreDocument,
  StoresDocument,
  SyncStoreDocument,
  type StoreCardFragment,
} from '../graph/documents.ts';
import { durationInWords } from '../parts/duration.ts';
import { Empty } from '../parts/empty.tsx';
import { Heading } from '../parts/heading.tsx';
import { Problem } from '../parts/problem.tsx';
import { Time } from '../parts/time.tsx';
import { useSession } from '../session/session.tsx';
import { texts } from '../texts.ts';

/** How often it is asked how far a sync is. */
const progressMs = 2_000;

export function Stores() {
  const { may } = useSession();
  return (
    <>
      <header className="view">
        <Heading title={texts.stores.title} />
        {may.has('STORE_MANAGE') && (
          <Link href="/stores/new" className="primary">
            {texts.connect.start}
          </Link>
        )}
      </header>
      <StoreCards />
    </>
  );
}

/** A card for each store: whether it can be reached, what its last sync found, and how much may still be asked of it. */
export function StoreCards() {
  const [{ data, error }, again] = useQuery({ query: StoresDocument });
  const isSyncing = data?.stores.some(({ lastSync }) => lastSync?.finishedAt === null) ?? false;
  useEffect(() => {
    if (!isSyncing) return;
    const timer = setInterval(() => again({ requestPolicy: 'network-only' }), progressMs);
    return () => clearInterval(timer);
  }, [isSyncing, again]);
  return (
    <>
      {error && <Problem error={error} retry={again} />}
      {!data && !error && <p role="status">{texts.loading}</p>}
      {data?.stores.length === 0 && <Empty {...texts.stores.empty} />}
      <ul className="cards">
        {data?.stores.map((store) => (
          <li key={store.id} className="card">
            <Store store={store} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Store({ store }: { store: StoreCardFragment }) {
  const { id, name, kind, endpoint, account, health, lastSync, budget, capabilities, viewerMay } = store;
  const mayManage = viewerMay.includes('STORE_MANAGE');
  const [syncing, sync] = useChange(SyncStoreDocument);
  const [checking, check] = useChange(CheckStoreDocument);
  const error = syncing.error ?? checking.error;
  const isOutside = kind !== 'BUILT_IN';
  return (
    <>
      <h2>{name}</h2>
      <p className="hint">
        {texts.storeKind[kind]} · {account?.name ?? texts.stores.every}
        {endpoint !== null && ` · ${endpoint}`}
      </p>
      {isOutside && (
        <dl className="facts">
          <div>
            <dt>
              <span className={`badge ${health.reachable ? 'good' : 'bad'}`}>
                {health.reachable ? texts.stores.reachable : texts.stores.unreachable}
              </span>
            </dt>
            <dd>
              {health.problem === null ? (
                <>
                  {texts.stores.checked} <Time at={health.checkedAt} />
                </>
              ) : (
                wordsFor(health.problem)
              )}
            </dd>
          </div>
          <div>
            <dt>{texts.stores.lastSync}</dt>
            <dd>
              <Sync lastSync={lastSync} />
            </dd>
          </div>
          {budget && (
            <div>
              <dt>{texts.stores.budget}</dt>
              <dd>
                <meter
                  min={0}
                  max={budget.limit}
                  high={budget.limit * 0.8}
                  value={budget.used}
                  aria-label={texts.stores.budget}
                />{' '}
                {texts.stores.budgetOf(budget.used, budget.limit, durationInWords(budget.window))}
              </dd>
            </div>
          )}
        </dl>
      )}
      {error && <Problem error={error} />}
      <div className="buttons">
        <Link href={`/credentials?store=${id}`}>{texts.stores.list}</Link>
        {isOutside && mayManage && capabilities.includes('LIST') && (
          <Button
            isDisabled={syncing.fetching}
            aria-label={`${texts.stores.sync}: ${name}`}
            onPress={() => void sync({ id })}
          >
            {texts.stores.sync}
          </Button>
        )}
        {isOutside && mayManage && (
          <Button
            isDisabled={checking.fetching}
            aria-label={`${texts.stores.check}: ${name}`}
            onPress={() => void check({ id })}
          >
            {texts.stores.check}
          </Button>
        )}
      </div>
    </>
  );
}

function Sync({ lastSync }: { lastSync: StoreCardFragment['lastSync'] }) {
  if (!lastSync) return <span className="faint">{texts.never}</span>;
  const { startedAt, finishedAt, error, added, changed, gone } = lastSync;
  return (
    <>
      {finishedAt === null && `${error === null ? texts.stores.syncing : texts.stores.waiting} `}
      <Time at={finishedAt ?? startedAt} /> ·{' '}
      {error === null ? texts.stores.result(added, changed, gone) : wordsFor(error)}
    </>
  );
}

/** What a code means where it is about a store; the code itself where it is another one. */
const wordsFor = (code: string): string =>
  Object.entries(texts.stores.problems).find(([known]) => known === code)?.[1] ?? code;
