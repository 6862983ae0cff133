import type { CredentialFilter, CredentialOrder, CredentialOrderBy } from '../graph/documents.ts';
import { instantOf } from '../parts/form/input.ts';
import { texts } from '../texts.ts';

/** How a filter stands in the address, and is asked for. */
export type FilterField =
  | { name: ListField; type: 'list'; values?: Readonly<Record<string, string>> }
  | { name: 'search' | 'unusedFor'; type: 'text'; values?: Readonly<Record<string, string>> }
  | { name: DayField; type: 'day' }
  | { name: 'rotationOverdue' | 'withoutOwner' | 'includeDeleted'; type: 'flag' };

type ListField =
  'status' | 'kind' | 'store' | 'provider' | 'project' | 'account' | 'owner' | 'createdBy' | 'role' | 'ids';
type DayField = 'createdAfter' | 'createdBefore' | 'expiresAfter' | 'expiresBefore' | 'rotationDueBefore';

/** Every filter of the graph, by its name there: in the address it has the same one. */
export const filterFields: readonly FilterField[] = [
  { name: 'search', type: 'text' },
  { name: 'status', type: 'list', values: texts.status },
  { name: 'kind', type: 'list', values: texts.kind },
  { name: 'store', type: 'list' },
  { name: 'project', type: 'list' },
  { name: 'owner', type: 'list' },
  { name: 'account', type: 'list' },
  { name: 'provider', type: 'list' },
  { name: 'createdBy', type: 'list' },
  { name: 'role', type: 'list' },
  { name: 'ids', type: 'list' },
  { name: 'createdAfter', type: 'day' },
  { name: 'createdBefore', type: 'day' },
  { name: 'expiresAfter', type: 'day' },
  { name: 'expiresBefore', type: 'day' },
  { name: 'rotationDueBefore', type: 'day' },
  { name: 'unusedFor', type: 'text', values: texts.filters.unusedFor },
  { name: 'rotationOverdue', type: 'flag' },
  { name: 'withoutOwner', type: 'flag' },
  { name: 'includeDeleted', type: 'flag' },
];

/** @returns the filter that an address stands for. What it has besides is nobody's. */
export function filterOf(address: URLSearchParams): CredentialFilter {
  const entries = filterFields.flatMap((field): [string, unknown][] => {
    const text = address.get(field.name);
    if (text === null || text === '') return [];
    if (field.type === 'list') return [[field.name, listIn(text)]];
    if (field.type === 'flag') return text === 'true' ? [[field.name, true]] : [];
    if (field.type === 'day') return [[field.name, timeOf(text)]];
    return [[field.name, text]];
  });
  return Object.fromEntries(entries);
}

/** Several of a list, with commas between them. */
export const listIn = (text: string): string[] => text.split(',').flatMap((one) => one.trim() || []);

/** A day is the viewer's; what is a time already stays what it is, and so does what is none, for Keyway to say so. */
export const timeOf = (text: string): string =>
  /^\d{4}-\d\d-\d\d$/.test(text) ? instantOf(`${text}T00:00`, text) : text;

const orders: readonly CredentialOrderBy[] = ['NAME', 'CREATED_AT', 'EXPIRES_AT', 'LAST_USED_AT'];

/** @returns the order that an address stands for; newest first, where it has none. */
export function orderOf(address: URLSearchParams): CredentialOrder & { by: CredentialOrderBy } {
  const by = orders.find((one) => one === address.get('order')) ?? 'CREATED_AT';
  const direction = address.get('direction');
  return {
    by,
    direction: direction === 'ASC' || direction === 'DESC' ? direction : by === 'NAME' ? 'ASC' : 'DESC',
  };
}

/** @returns an address with this filter set, or taken away where there is no value. */
export function withFilter(
  address: URLSearchParams,
  name: string,
  value: string | undefined,
): URLSearchParams {
  const next = new URLSearchParams(address);
  if (value === undefined || value === '') next.delete(name);
  else next.set(name, value);
  return next;
}

/** @returns the filters that are set, each with what stands in the address. */
export const setFilters = (address: URLSearchParams): { field: FilterField; text: string }[] =>
  filterFields.flatMap((field) => {
    const text = address.get(field.name);
    return text === null || text === '' ? [] : [{ field, text }];
  });
