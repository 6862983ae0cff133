import { Secret } from '../../secret.js';

/** A thing as the graph answers it: a member for each field. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret);

/** A value in a cell: what has a name is called by it, and null is nothing. A secret stays hidden. */
export function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Secret) return Secret.placeholder;
  if (Array.isArray(value)) return value.map(cellOf).join(', ');
  if (!isFields(value)) return typeof value === 'string' ? value : JSON.stringify(value);
  const { name, values } = value;
  if (typeof name === 'string')
    return 'value' in value || values !== undefined ? `${name}=${cellOf(value['value'] ?? values)}` : name;
  return Object.entries(value)
    .map(([key, member]) => [key, cellOf(member)] as const)
    .filter(([, text]) => text !== '')
    .map(([key, text]) => `${key} ${text}`)
    .join(', ');
}

/** The same with every secret in it shown: for the answers that are asked for it. */
export const withSecrets = (value: unknown): unknown =>
  value instanceof Secret
    ? value.expose()
    : Array.isArray(value)
      ? value.map(withSecrets)
      : isFields(value)
        ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withSecrets(member)]))
        : value;

/** `expiresAt` as a person reads it: `EXPIRES AT`. */
export const titleOf = (field: string): string => words(field).join(' ').toUpperCase();

/** `expiresAt` as a shell has it: `EXPIRES_AT`. */
export const variableOf = (field: string): string => words(field).join('_').toUpperCase();

/** `expiresAt` as a flag: `expires-at`. */
export const flagOf = (field: string): string => words(field).join('-').toLowerCase();

const words = (field: string) => field.split(/(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+/).filter(Boolean);
