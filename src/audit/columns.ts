import type { AuditEvent } from './audit-event.js';

type Column = keyof AuditEvent;

/** The columns of an event with their types, by the names of the properties. */
const types = {
  id: 'uuid',
  accountId: 'uuid',
  number: 'bigint',
  epoch: 'text',
  at: 'timestamptz',
  actorId: 'uuid',
  actorCredentialId: 'uuid',
  action: 'text',
  outcome: 'text',
  code: 'text',
  targetType: 'text',
  targetId: 'uuid',
  projectId: 'uuid',
  changed: 'text[]',
  times: 'integer',
  ip: 'text',
  requestId: 'text',
  recipientId: 'uuid',
  ended: 'text',
  hash: 'bytea',
} as const satisfies Record<Column, string>;

const columns = Object.keys(types) as Column[];

/** Columns that came after there were events. */
const later = ['recipientId', 'ended'] as const satisfies Column[];

type Hashed = Exclude<Column, 'hash'>;
const ofFirst = columns.filter(
  (name) => name !== 'hash' && !(later as readonly Column[]).includes(name),
) as Hashed[];

/**
 * The bytes of an event that its link depends on: every column but the link itself. First those that there have always
 * been, in the order above, which never changes; then those of later that have a value, by their names. So an event of
 * before has the bytes that it had, and no column of an event can be filled or emptied without being noticed.
 */
export const canonicalEvent = (event: Readonly<Record<Hashed, unknown>>): Buffer => {
  const filled = later.filter((name) => event[name] !== null);
  const more = filled.length === 0 ? [] : [Object.fromEntries(filled.map((name) => [name, event[name]]))];
  return Buffer.from(JSON.stringify([...ofFirst.map((name) => event[name]), ...more]));
};

/**
 * A time as it goes into the hash, whatever the session's time zone and date style: `2026-01-02 03:04:05.6789+00`, in
 * UTC and without zeros at the end, which is what PostgreSQL itself prints where they are UTC and ISO.
 */
export const hashedTime = (time: string): string =>
  `rtrim(rtrim(to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), '0'), '.') || '+00'`;

const inTable = (name: Column) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A column of an event `e` as the hash takes it. */
function inHash(name: Column): string {
  const column = `e.${inTable(name)}`;
  if (types[name] === 'timestamptz') return hashedTime(column);
  return types[name] === 'bigint' ? `${column}::text` : column;
}

const each = (write: (name: Column) => string) => columns.map(write).join(', ');

/** In SQL: the columns of the table, as an event `e` is read for its hash, and as events that come as JSON are. */
export const columnNames = each(inTable);
export const hashedColumns = each((name) => `${inHash(name)} AS "${name}"`);
export const givenColumns = each((name) => `"${name}"`);
export const givenTypes = each((name) => `"${name}" ${types[name]}`);
