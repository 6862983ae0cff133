import { useMemo, useState } from 'react';
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
  type Key,
  type Selection,
  type SortDescriptor,
} from 'react-aria-components';
import { useQuery } from 'urql';
import { Link, useLocation, useSearch } from 'wouter';
import { InventoryCountDocument } from '../graph/documents.ts';
import { Empty } from '../parts/empty.tsx';
import { Heading } from '../parts/heading.tsx';
import { Problem } from '../parts/problem.tsx';
import { useSession } from '../session/session.tsx';
import { texts } from '../texts.ts';
import { Bulk } from './bulk.tsx';
import { ColumnChoice } from './column-choice.tsx';
import { ChooseBox, columnsOf, namesIn, withColumns } from './columns.tsx';
import { FilterBar } from './filter-bar.tsx';
import { filterOf, orderOf, setFilters } from './filters.ts';
import { usePages } from './pages.ts';
import { SavedViews } from './saved-views.tsx';

const none = { of: undefined, ids: new Set<Key>() };

/** What several are chosen for. */
const changing = ['CREDENTIAL_ROTATE', 'CREDENTIAL_UPDATE', 'CREDENTIAL_REVOKE'] as const;

/** All credentials of all stores in one table: what is filtered and ordered stands in the address, so that it can be shared. */
export function Inventory() {
  const { may } = useSession();
  const [, navigate] = useLocation();
  const search = useSearch();
  const address = useMemo(() => new URLSearchParams(search), [search]);
  const filter = useMemo(() => filterOf(address), [address]);
  const orderBy = useMemo(() => orderOf(address), [address]);
  const [{ data: counted }] = useQuery({ query: InventoryCountDocument, variables: { filter } });
  const { rows, error, isLoading, loadMore, again } = usePages(filter, orderBy);
  const go = (next: URLSearchParams) => navigate(`/credentials${next.size > 0 ? `?${next.toString()}` : ''}`);
  const isFiltered = setFilters(address).length > 0;
  const areChosen = rows.some(({ viewerMay }) =>
    changing.some((permission) => viewerMay.includes(permission)),
  );
  const names = useMemo(() => namesIn(address), [address]);
  // Rows that are there already are drawn once more where their columns are others, be they the same but in a new list.
  const shown = useMemo(() => columnsOf(names, areChosen), [names, areChosen]);
  // What was chosen of another list is not chosen of this one.
  const [selection, setSelection] = useState<{ of: unknown; ids: ReadonlySet<Key> }>(none);
  const ids = selection.of === filter ? selection.ids : none.ids;
  const chosen = rows.filter(({ id }) => ids.has(id));
  const chooseNone = () => setSelection(none);
  /** All are those that are loaded: nobody has seen the others. */
  const select = (keys: Selection) =>
    setSelection({ of: filter, ids: keys === 'all' ? new Set(rows.map(({ id }) => id)) : keys });

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
        {may.has('CREDENTIAL_CREATE') && (
          <Link href="/credentials/new" className="primary">
            {texts.create.start}
          </Link>
        )}
      </header>
      <FilterBar address={address} go={go} />
      <div className="bar">
        <ColumnChoice names={names} choose={(chosen) => go(withColumns(address, chosen))} />
        <SavedViews search={search} open={(view) => go(new URLSearchParams(view))} />
      </div>
      {chosen.length > 0 && (
        <Bulk
          rows={chosen}
          clear={chooseNone}
          done={() => {
            chooseNone();
            again();
          }}
        />
      )}
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
            selectionMode={areChosen ? 'multiple' : 'none'}
            selectedKeys={ids}
            onSelectionChange={select}
            onRowAction={(id) => navigate(`/credentials/${id}`, { state: { list: search } })}
          >
            <TableHeader columns={shown}>
              {({ name, width, order }) =>
                name === 'choose' ? (
                  <Column id={name} minWidth={width} width={width}>
                    <ChooseBox />
                  </Column>
                ) : (
                  <Column
                    id={name}
                    isRowHeader={name === 'name'}
                    allowsSorting={order !== undefined}
                    minWidth={width}
                    width={name === 'name' ? '2fr' : '1fr'}
                  >
                    {({ sortDirection }) => (
                      <>
                        {texts.credentials.columns[name]}
                        {sortDirection && (
                          <span aria-hidden="true">{sortDirection === 'ascending' ? ' ↑' : ' ↓'}</span>
                        )}
                      </>
                    )}
                  </Column>
                )
              }
            </TableHeader>
            <TableBody>
              <Collection items={rows} dependencies={[shown]}>
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
