import pg from 'pg';
import { readDatabaseUrl } from '../../config/database-url.js';
import { clientOptions, whyNotConnected } from '../../database/connect.js';
import { byBytes } from '../append-lines.js';
import { readLine } from './line.js';
import { type CheckpointPlace, type Mark, type ReadLines, type Segment } from './place.js';

/**
 * A table of another PostgreSQL, to which rows are added. Its role needs SELECT and INSERT, where the table is there
 * already; with DELETE months are let go.
 */
export class CheckpointTable implements CheckpointPlace {
  private constructor(
    readonly name: string,
    private readonly pool: pg.Pool,
    private readonly isThere: boolean,
  ) {}

  /**
   * @param setting the variable that has the address
   * @param makes whether the table is made where there is none; what is not there has no lines, where left out
   * @throws an Error to show, where there is no such table and none can be made
   */
  static async open(setting: string, url: string, makes = true): Promise<CheckpointTable> {
    const address = readDatabaseUrl(url);
    const pool = new pg.Pool({ ...clientOptions(address), max: 2 });
    pool.on('error', () => undefined);
    let isThere = true;
    try {
      if (makes) await pool.query(makeTable);
      else isThere = (await pool.query<{ there: boolean }>(findTable)).rows[0]?.there ?? false;
    } catch (error) {
      await pool.end();
      const { code } = error as { code?: string };
      const why =
        code === '42501'
          ? `leads to a database in which its role may make no table ${table}: make it as the documentation says`
          : whyNotConnected(error);
      throw new Error(`Keyway cannot start:\n  ${setting} ${why}`, { cause: error });
    }
    const { host = 'localhost', port = 5432, database = '' } = address;
    return new CheckpointTable(`the table ${table} of ${host}:${port}/${database}`, pool, isThere);
  }

  async segments(): Promise<Segment[]> {
    if (!this.isThere) return [];
    const { rows } = await this.pool.query<{ generation: number; month: string }>(readMonths);
    return rows.map(({ generation, month }) => ({ name: month, month, identity: String(generation) }));
  }

  async *read({ month, identity }: Segment, after?: Mark): AsyncGenerator<ReadLines> {
    // Rows of transactions that are not at an end yet come later, by a number that is no lower than this.
    const { rows } = await this.pool.query<{ to: string }>(readHorizon);
    const to: Mark = { after: rows[0]?.to ?? '0' };
    let last = { xact: after?.after ?? '0', number: '0' };
    for (;;) {
      const values = [identity, month, last.xact, last.number, linesAtOnce];
      const found = await this.pool.query<{ xact: string; number: string; line: string }>(readRows, values);
      const lines = found.rows.filter(({ line }) => line !== '').map(({ line }) => readLine(line));
      yield { lines, to };
      if (found.rows.length < linesAtOnce) return;
      last = found.rows.at(-1) ?? last;
    }
  }

  async append(month: string, lines: readonly string[]): Promise<string> {
    let generation = 0;
    for (const part of byBytes(lines, mostBytes)) {
      const { rows } = await this.pool.query<{ generation: number }>(addRows, [month, part]);
      generation = rows[0]?.generation ?? generation;
    }
    return String(generation);
  }

  async begin(
    month: string,
    lines: AsyncIterable<readonly string[]>,
    record: () => Promise<void>,
  ): Promise<string[]> {
    const client = await this.pool.connect();
    let failed: Error | undefined;
    try {
      await client.query('BEGIN');
      const { rows } = await client.query<{ before: number }>(readGeneration);
      const before = rows[0]?.before ?? 1;
      // Also where no line holds, there is another generation.
      await client.query(addRowsTo, [month, [''], before + 1]);
      for await (const all of lines)
        for (const part of byBytes(all, mostBytes)) await client.query(addRowsTo, [month, part, before + 1]);
      await record();
      await client.query('COMMIT');
      return [`the rows of generation ${before} in ${this.name}`];
    } catch (error) {
      failed = error as Error;
      throw error;
    } finally {
      // A connection that is let go in the middle of a transaction takes that back.
      client.release(failed);
    }
  }

  /** Also where there is no table yet, and one could be made. */
  async mayAppend(): Promise<boolean> {
    const { rows } = await this.pool.query<{ may: boolean | null }>(this.isThere ? askMayInsert : askMayMake);
    return rows[0]?.may ?? false;
  }

  async remove({ month, identity }: Segment): Promise<void> {
    await this.pool.query(removeMonth, [identity, month]).catch((error: unknown) => {
      if ((error as { code?: string }).code !== '42501') throw error;
    });
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

const table = 'keyway_checkpoints';
const linesAtOnce = 1_000;
const mostBytes = 1 << 20;

// By the number of its transaction a row is found however long that took, and whatever else was added meanwhile.
const findTable = `SELECT to_regclass('${table}') IS NOT NULL AS there`;

const askMayInsert = `SELECT has_table_privilege('${table}', 'INSERT') AS may`;
const askMayMake = `SELECT has_schema_privilege(current_schema(), 'CREATE') AS may`;

const makeTable = `
  DO $$ BEGIN
    IF to_regclass('${table}') IS NULL THEN
      CREATE TABLE ${table} (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        generation integer NOT NULL,
        month text NOT NULL,
        xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
        line text NOT NULL
      );
      CREATE INDEX ${table}_read ON ${table} (generation, month, xact, number);
    END IF;
  END $$`;
// From one month to the next by the index: there may be millions of rows.
const readMonths = `
  WITH RECURSIVE months AS (
    SELECT generation, (SELECT min(month) FROM ${table} WHERE generation = newest.generation) AS month
    FROM (SELECT max(generation) AS generation FROM ${table}) AS newest
    UNION ALL
    SELECT generation, (SELECT min(month) FROM ${table} WHERE generation = months.generation AND month > months.month)
    FROM months WHERE month IS NOT NULL
  )
  SELECT generation, month FROM months WHERE month IS NOT NULL ORDER BY month`;
const readHorizon = 'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS "to"';
const readRows = `
  SELECT l.xact::text AS xact, l.number::text AS number, line FROM ${table} l
  WHERE generation = $1::integer AND month = $2 AND (l.xact, l.number) > ($3::text::xid8, $4::bigint)
  ORDER BY l.xact, l.number LIMIT $5::integer`;
const addTo = (generation: string) => `
  INSERT INTO ${table} (generation, month, line)
  SELECT ${generation}, $1, line FROM unnest($2::text[]) AS line,
    (SELECT CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'local', true) END)
      AS durable
  RETURNING generation`;
const newest = `coalesce((SELECT max(generation) FROM ${table}), 1)`;
const addRows = addTo(newest);
const addRowsTo = addTo('$3::integer');
const readGeneration = `SELECT ${newest} AS before`;
const removeMonth = `DELETE FROM ${table} WHERE generation = $1::integer AND month = $2`;
