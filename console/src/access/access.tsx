import { useLocation, useSearch } from 'wouter';
import { AccountsDocument, type AccountsQuery } from '../graph/documents.ts';
import { Empty } from '../parts/empty.tsx';
import { Heading } from '../parts/heading.tsx';
import { useMore } from '../parts/more.tsx';
import { Typed } from '../parts/typed.tsx';
import { texts } from '../texts.ts';
import { AccountLink } from './account-link.tsx';
import { Roles } from './roles.tsx';

type Account = AccountsQuery['accounts']['nodes'][number];

/** Accounts as the tree that they are, and the roles that there are; of both, those in which what is searched for stands. */
export default function Access() {
  const [, navigate] = useLocation();
  const address = new URLSearchParams(useSearch());
  const [search, role] = ['search', 'role'].map((name) => address.get(name) ?? '') as [string, string];
  const set = (name: string) => (text: string) => {
    if (text === '') address.delete(name);
    else address.set(name, text);
    navigate(address.size > 0 ? `/access?${address.toString()}` : '/access');
  };
  return (
    <>
      <header className="view">
        <Heading title={texts.access.title} />
      </header>
      <section className="card">
        <h2>{texts.access.accounts}</h2>
        <div className="bar">
          <Typed label={texts.access.search} value={search} set={set('search')} />
        </div>
        <Accounts key={search} search={search} />
      </section>
      <section className="card">
        <h2>{texts.access.roles}</h2>
        <div className="bar">
          <Typed label={texts.access.searchRole} value={role} set={set('role')} />
        </div>
        <Roles key={role} search={role} />
      </section>
    </>
  );
}

function Accounts({ search }: { search: string }) {
  const { items, isEmpty, rest } = useMore(
    AccountsDocument,
    { filter: search === '' ? {} : { search } },
    ({ accounts }) => accounts,
  );
  if (isEmpty) return <Empty {...texts.access.empty} />;
  return (
    <>
      <Tree accounts={items} />
      {rest}
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
