import { useMemo } from 'react';
import {
  Cell,
  Collection,
  Column,
  Row,
  Table,
  TableBody,
  TableHeader,
  TableLayout,
  TableLoadMoreItem,
  Virtualizer,
  type SortDescriptor,
} from 'react-aria-components';
import { useQuery } from 'urql';
import { useLocation, useSearch } from 'wouter';
import {
  InventoryCountDocument,
  type CredentialOrderBy,
  type CredentialRowFragment,
} from '../graph/documents.ts';
import { Empty } from '../parts/empty.tsx';
import { Heading } from '../parts/heading.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { texts } from '../texts.ts';
import { FilterBar } from './filter-bar.tsx';
import { filterOf, orderOf, setFilters } from './filters.ts';
import { usePages } from './pages.ts';

const { columns } = texts.credentials;

/** Each column: how wide it is, in pixels, and by what its list can be ordered. */
const shown: readonly {
  name: keyof typeof columns;
  width: number;
  order?: CredentialOrderBy;
  cell: (row: CredentialRowFragment) => React.ReactNode;
}[] = [
  {
    name: 'name',
    width: 240,
    order: 'NAME',
    cell: ({ name, accessKey }) => (
      <>
        <strong>{name}</strong>
        {accessKey !== null && <code className="faint">{accessKey}</code>}
      </>
    ),
  },
  { name: 'status', width: 130, cell: ({ status }) => <Status status={status} /> },
  { name: 'kind', width: 130, cell: ({ kind }) => texts.kind[kind] },
  { name: 'store', width: 160, cell: ({ store }) => store.name },
  {
    name: 'owner',
    width: 160,
    cell: ({ owner }) => owner?.title ?? <span className="faint">{texts.none}</span>,
  },
  { name: 'project', width: 150, cell: ({ project }) => project?.name ?? '' },
  { name: 'expiresAt', width: 130, order: 'EXPIRES_AT', cell: ({ expiresAt }) => <Time at={expiresAt} /> },
  {
    name: 'lastUsedAt',
    width: 130,
    order: 'LAST_USED_AT',
    cell: ({ lastUsedAt }) => <Time at={lastUsedAt} />,
  },
  {
    name: 'nextRotation',
    width: 140,
    cell: ({ rotationPolicy }) =>
      rotationPolicy && (
        <>
          <Time at={rotationPolicy.nextAt} />
          {rotationPolicy.overdueSince !== null && (
            <span className="badge bad">{texts.credentials.overdue}</span>
          )}
        </>
      ),
  },
  { name: 'createdAt', width: 130, order: 'CREATED_AT', cell: ({ createdAt }) => <Time at={createdAt} /> },
];

/** All credentials of all stores in one table: what is filtered and ordered stands in the address, so that it can be shared. */
export function Inventory() {
  const [, navigate] = useLocation();
  const search = useSearch();
  const address = useMemo(() => new URLSearchParams(search), [search]);
  const filter = useMemo(() => filterOf(address), [address]);
  const orderBy = useMemo(() => orderOf(address), [address]);
  const [{ data: counted }] = useQuery({ query: InventoryCountDocument, variables: { filter } });
  const { rows, error, isLoading, loadMore, again } = usePages(filter, orderBy);
  const go = (next: URLSearchParams) => navigate(`/credentials${next.size > 0 ? `?${next.toString()}` : ''}`);
  const isFiltered = setFilters(address).length > 0;

  const sort = ({ column, direction }: SortDescriptor) => {
    const by = shown.find(({ name }) => name === column)?.order;
    if (!by) return;
    const next = new URLSearchParams(address);
    next.set('order', by);
    next.set('direction', direction === 'ascending' ? 'ASC' : 'DESC');
    go(next);
  };

  return (
    <>
      <header className="view">
        <Heading title={texts.credentials.title} />
        <p role="status">
          {counted && texts.credentials.count(counted.credentials.totalCount)}
          {isLoading && ` · ${texts.loading}`}
        </p>
      </header>
      <FilterBar address={address} go={go} />
      {error && <Problem error={error} retry={again} />}
      {!error && !isLoading && rows.length === 0 ? (
        <Empty {...(isFiltered ? texts.credentials.emptyFilter : texts.credentials.emptyAll)} />
      ) : (
        <Virtualizer
          layout={TableLayout}
          layoutOptions={{ rowHeight: 52, headingHeight: 40, loaderHeight: 40 }}
        >
          <Table
            className="table"
            aria-label={texts.credentials.table}
            sortDescriptor={{
              column: shown.find(({ order }) => order === orderBy.by)?.name ?? 'createdAt',
              direction: orderBy.direction === 'ASC' ? 'ascending' : 'descending',
            }}
            onSortChange={sort}
            onRowAction={(id) => navigate(`/credentials/${id}`, { state: { list: search } })}
          >
            <TableHeader columns={shown}>
              {({ name, width, order }) => (
                <Column
                  id={name}
                  isRowHeader={name === 'name'}
                  allowsSorting={order !== undefined}
                  minWidth={width}
                  width={name === 'name' ? '2fr' : '1fr'}
                >
                  {({ sortDirection }) => (
                    <>
                      {columns[name]}
                      {sortDirection && (
                        <span aria-hidden="true">{sortDirection === 'ascending' ? ' ↑' : ' ↓'}</span>
                      )}
                    </>
                  )}
                </Column>
              )}
            </TableHeader>
            <TableBody>
              <Collection items={rows}>
                {(row) => (
                  <Row columns={shown} textValue={row.name}>
                    {({ name, cell }) => <Cell key={name}>{cell(row)}</Cell>}
                  </Row>
                )}
              </Collection>
              <TableLoadMoreItem onLoadMore={loadMore} />
            </TableBody>
          </Table>
        </Virtualizer>
      )}
    </>
  );
}
