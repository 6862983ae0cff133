import { totpPlace } from '../accounts/second-factor.js';
import { sql, type Statement } from '../database/database.js';
import { idempotencyPlace } from '../idempotency/once.js';
import { secretPlace, type RecordPlace } from '../keyring/envelope.js';
import { storeRecordPlace } from '../stores/open.js';
import { destinationOf } from '../stores/sealed/destination.js';

/** A sealed record, with what tells where it belongs. */
export interface SealedRow {
  id: string;
  number: number;
  sealed: Buffer;
  accountId: string | null;
  projectId: string | null;
  addresses: Record<string, string>;
}

/** A table in which something lies sealed. */
export interface SealedTable {
  readonly name: string;
  /** Records by one KEK, in the order of id and number, from a place on. */
  readonly next: Statement;
  readonly placeOf: (row: SealedRow) => RecordPlace;
  /** Puts records in the place of those that they were made of, and touches nothing else; those that another has locked
   * or changed stay. Returns how many it put. */
  readonly keep: Statement;
}

/**
 * Records are compared, byte by byte, under their locks: what was sealed again, wiped or moved since it was read is left
 * alone. Nobody is waited for, so that two that do this do not wait for each other, nor any request for more than this.
 */
const keepIn = (table: string, id: string, number: string, set: string) => `
  WITH held AS (
    SELECT t.ctid AS row, made.next
    FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:olds AS bytea[]), CAST(:nexts AS bytea[]))
      AS made (id, number, old, next)
    JOIN ${table} t ON t.${id} = made.id AND ${number} = made.number AND t.kek_id = :kek AND t.sealed = made.old
    FOR UPDATE OF t SKIP LOCKED)
  UPDATE ${table} t SET sealed = held.next${set} FROM held WHERE t.ctid = held.row RETURNING 1`;

const named = ', kek_id = :current';

/** Every place where something lies sealed. */
export const sealedTables: readonly SealedTable[] = [
  {
    name: 'credential_versions',
    next: sql(`
      SELECT v.credential_id AS id, v.number, v.sealed, c.account_id AS "accountId", c.project_id AS "projectId",
        s.addresses
      FROM (SELECT credential_id, number, sealed FROM credential_versions
        WHERE sealed IS NOT NULL AND kek_id = :kek AND (credential_id, number) > (CAST(:id AS uuid), CAST(:number AS integer))
        ORDER BY credential_id, number LIMIT CAST(:batch AS integer)) v
      JOIN credentials c ON c.id = v.credential_id JOIN stores s ON s.id = c.store_id
      ORDER BY v.credential_id, v.number`),
    placeOf: ({ id, number, accountId, projectId, addresses }) =>
      secretPlace(
        { id, accountId: accountId ?? '', projectId, destination: destinationOf({ addresses }) },
        number,
      ),
    keep: sql(keepIn('credential_versions', 'credential_id', 't.number', named)),
  },
  {
    name: 'stores',
    next: sql(`
      SELECT id, secret_number AS number, sealed, account_id AS "accountId", addresses FROM stores
      WHERE sealed IS NOT NULL AND kek_id = :kek AND id > CAST(:id AS uuid)
      ORDER BY id LIMIT CAST(:batch AS integer)`),
    placeOf: ({ number, ...store }) => storeRecordPlace({ ...store, secretNumber: number }),
    keep: sql(keepIn('stores', 'id', 't.secret_number', named)),
  },
  {
    name: 'mfa_devices',
    next: sql(`
      SELECT account_id AS id, 0 AS number, sealed, id AS "projectId" FROM mfa_devices
      WHERE kek_id = :kek AND account_id > CAST(:id AS uuid) ORDER BY account_id LIMIT CAST(:batch AS integer)`),
    placeOf: ({ id, projectId: device }) => totpPlace(id, device ?? ''),
    keep: sql(keepIn('mfa_devices', 'account_id', '0', named)),
  },
  {
    name: 'idempotency_keys',
    next: sql(`
      SELECT id, 0 AS number, sealed, account_id AS "accountId" FROM idempotency_keys
      WHERE sealed IS NOT NULL AND kek_id = :kek AND id > CAST(:id AS uuid)
      ORDER BY id LIMIT CAST(:batch AS integer)`),
    placeOf: ({ id, accountId }) => idempotencyPlace(accountId ?? '', id),
    // The column is read from the record.
    keep: sql(keepIn('idempotency_keys', 'id', '0', '')),
  },
];
