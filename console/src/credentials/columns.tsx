import type { ReactNode } from 'react';
import { Checkbox } from 'react-aria-components';
import type { CredentialOrderBy, CredentialRowFragment } from '../graph/documents.ts';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { texts } from '../texts.ts';

type Name = keyof typeof texts.credentials.columns;

/** A column: how wide it is at least, in pixels, and by what its list can be ordered. */
export interface ShownColumn {
  name: Name | 'choose';
  width: number;
  order?: CredentialOrderBy;
  cell: (row: CredentialRowFragment) => ReactNode;
}

/** What chooses a row, or all that are loaded. */
const choose: ShownColumn = {
  name: 'choose',
  width: 44,
  cell: () => <ChooseBox />,
};

export const ChooseBox = () => (
  <Checkbox slot="selection">
    <span className="box" aria-hidden="true" />
  </Checkbox>
);

const all: readonly (ShownColumn & { name: Name })[] = [
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
  { name: 'account', width: 150, cell: ({ account }) => account.name },
  { name: 'provider', width: 130, cell: ({ provider }) => provider ?? '' },
];

/** What is shown where an address says nothing else. */
const usual: readonly Name[] = all
  .map(({ name }) => name)
  .filter((name) => name !== 'account' && name !== 'provider');

/** Every column there is, by its name in an address. */
export const columnNames: readonly Name[] = all.map(({ name }) => name);

/** @returns the names of the columns that an address asks for; its first one is always there. */
export function namesIn(address: URLSearchParams): readonly Name[] {
  const asked = address.get('columns')?.split(',') ?? usual;
  return columnNames.filter((name) => name === 'name' || (asked as readonly string[]).includes(name));
}

/** @returns an address that asks for these columns. */
export function withColumns(address: URLSearchParams, names: readonly string[]): URLSearchParams {
  const next = new URLSearchParams(address);
  const text = columnNames.filter((name) => names.includes(name)).join(',');
  if (text === usual.join(',')) next.delete('columns');
  else next.set('columns', text);
  return next;
}

/** @returns the columns of a table, with the one that chooses rows where they can be chosen. */
export const columnsOf = (names: readonly Name[], areChosen: boolean): readonly ShownColumn[] => [
  ...(areChosen ? [choose] : []),
  ...all.filter(({ name }) => names.includes(name)),
];
