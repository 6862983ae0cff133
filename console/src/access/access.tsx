import { useMemo, useState } from 'react';
import { Button } from 'react-aria-components';
import { useQuery } from 'urql';
import { useLocation, useSearch } from 'wouter';
import { AccountsDocument, type AccountsQuery } from '../graph/documents.ts';
import { Empty } from '../parts/empty.tsx';
import { Heading } from '../parts/heading.tsx';
import { Problem } from '../parts/problem.tsx';
import { Typed } from '../parts/typed.tsx';
import { texts } from '../texts.ts';
import { AccountLink } from './account-link.tsx';
import { Roles } from './roles.tsx';

type Account = AccountsQuery['accounts']['nodes'][number];

/** Accounts as the tree that they are, and the roles that there are. */
export default function Access() {
  const [, navigate] = useLocation();
  const search = new URLSearchParams(useSearch()).get('search') ?? '';
  return (
    <>
      <header className="view">
        <Heading title={texts.access.title} />
      </header>
      <section className="card">
        <h2>{texts.access.accounts}</h2>
        <div className="bar">
          <Typed
            label={texts.access.search}
            value={search}
            set={(text) => navigate(text === '' ? '/access' : `/access?search=${encodeURIComponent(text)}`)}
          />
        </div>
        <Accounts key={search} search={search} />
      </section>
      <section className="card">
        <h2>{texts.access.roles}</h2>
        <Roles />
      </section>
    </>
  );
}

function Accounts({ search }: { search: string }) {
  const [before, setBefore] = useState<{ read: readonly Account[]; after: string | null }>({
    read: [],
    after: null,
  });
  const [{ data, error, fetching }, again] = useQuery({
    query: AccountsDocument,
    variables: { after: before.after, filter: search === '' ? {} : { search } },
    requestPolicy: 'network-only',
  });
  const page = fetching ? undefined : data?.accounts;
  const accounts = useMemo(() => [...before.read, ...(page?.nodes ?? [])], [before, page]);
  if (error) return <Problem error={error} retry={again} />;
  if (page && accounts.length === 0) return <Empty {...texts.access.empty} />;
  return (
    <>
      <Tree accounts={accounts} />
      {fetching && <p role="status">{texts.loading}</p>}
      {page?.pageInfo.hasNextPage && (
        <Button onPress={() => setBefore({ read: accounts, after: page.pageInfo.endCursor })}>
          {texts.more}
        </Button>
      )}
    </>
  );
}

/** What is part of something that is not shown stands at the top. */
function Tree({ accounts }: { accounts: readonly Account[] }) {
  const shown = new Set(accounts.map(({ id }) => id));
  const below = Map.groupBy(accounts, ({ parent }) => (parent && shown.has(parent.id) ? parent.id : ''));
  return <Branch of="" below={below} />;
}

function Branch({ of, below }: { of: string; below: ReadonlyMap<string, readonly Account[]> }) {
  return (
    <ul className="tree">
      {(below.get(of) ?? []).map((account) => (
        <li key={account.id}>
          <AccountLink account={account} />
          {below.has(account.id) && <Branch of={account.id} below={below} />}
        </li>
      ))}
    </ul>
  );
}
