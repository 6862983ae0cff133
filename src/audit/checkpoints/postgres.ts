import pg from 'pg';
import { readDatabaseUrl } from '../../config/database-url.js';
import { clientOptions, whyNotConnected } from '../../database/connect.js';
import { byBytes } from '../append-lines.js';
import { readLine, type GenerationSeal } from './line.js';
import type { CheckpointPlace, Mark, MonthLines, ReadLines, Segment } from './place.js';

/**
 * A table of another PostgreSQL, to which rows are added. Its role needs SELECT and INSERT, where the table is there
 * already; with DELETE months are let go.
 */
export class CheckpointTable implements CheckpointPlace {
  #generation: number | undefined;

  private constructor(
    readonly name: string,
    private readonly pool: pg.Pool,
    private readonly sql: Statements,
    private readonly isThere: boolean,
    private readonly schema: string | undefined,
  ) {}

  /**
   * @param setting the variable that has the address
   * @param makes whether the table is made where there is none; what is not there has no lines, where left out
   * @throws an Error to show, where there is no such table and none can be made
   */
  static async open(setting: string, url: string, makes = true): Promise<CheckpointTable> {
    const address = readDatabaseUrl(url);
    if (address.settings.size > 0)
      throw new Error(
        `Keyway cannot start:\n  ${setting} cannot be used: its parameter options is for DATABASE_URL alone`,
      );
    const { schema } = address;
    const sql = statementsFor(schema === undefined ? table : `${pg.escapeIdentifier(schema)}.${table}`);
    const pool = new pg.Pool({ ...clientOptions(address), max: 2 });
    pool.on('error', () => undefined);
    let isThere = true;
    try {
      if (makes) await pool.query(sql.makeTable);
      else isThere = (await pool.query<{ there: boolean }>(sql.findTable)).rows[0]?.there ?? false;
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
    return new CheckpointTable(
      `the table ${table} of ${host}:${port}/${database}`,
      pool,
      sql,
      isThere,
      schema,
    );
  }

  async segments(seal: GenerationSeal): Promise<Segment[]> {
    if (!this.isThere) return [];
    const begun = await this.pool.query<{ generation: number; line: string }>(this.sql.readBeginnings);
    const newest = begun.rows.find(({ generation, line }) => seal.fits(generation, line));
    const generation = (this.#generation = newest?.generation ?? firstGeneration);
    const { rows } = await this.pool.query<{ month: string }>(this.sql.readMonths, [generation]);
    return rows.map(({ month }) => ({ name: month, month, identity: String(generation) }));
  }

  async *read({ month, identity }: Segment, after?: Mark): AsyncGenerator<ReadLines> {
    // Rows of transactions that are not at an end yet come later, by a number that is no lower than this.
    const { rows } = await this.pool.query<{ to: string }>(readHorizon);
    const to: Mark = { after: rows[0]?.to ?? '0' };
    let last = { xact: after?.after ?? '0', number: '0' };
    for (;;) {
      const values = [identity, month, last.xact, last.number, linesAtOnce];
      const found = await this.pool.query<{ xact: string; number: string; line: string }>(
        this.sql.readRows,
        values,
      );
      const lines = found.rows.map(({ line }) => readLine(line));
      yield { lines, to };
      if (found.rows.length < linesAtOnce) return;
      last = found.rows.at(-1) ?? last;
    }
  }

  async append(month: string, lines: readonly string[]): Promise<string> {
    const generation = this.#generation;
    if (generation === undefined) throw new Error('which generation is written is not known yet');
    for (const part of byBytes(lines, mostBytes))
      await this.pool.query(this.sql.addRows, [generation, month, part]);
    return String(generation);
  }

  async begin(
    lines: AsyncIterable<MonthLines>,
    seal: GenerationSeal,
    record: () => Promise<void>,
  ): Promise<string[]> {
    await this.segments(seal);
    const before = this.#generation ?? firstGeneration;
    const next = before + 1;
    const client = await this.pool.connect();
    let failed: Error | undefined;
    const lost = (error: Error) => void (failed = error);
    client.on('error', lost);
    try {
      await client.query('BEGIN');
      // What is put on record meanwhile may take longer than a server lets a transaction wait.
      await client.query('SET LOCAL idle_in_transaction_session_timeout = 0');
      for await (const { month, lines: all } of lines)
        for (const part of byBytes(all, mostBytes)) await client.query(this.sql.addRows, [next, month, part]);
      await client.query(this.sql.addRows, [next, '', [seal.of(next)]]);
      await record();
      await client.query('COMMIT');
      this.#generation = next;
      return [`the rows of generation ${before} in ${this.name}`];
    } catch (error) {
      failed = error as Error;
      throw error;
    } finally {
      client.off('error', lost);
      // A connection that is let go in the middle of a transaction takes that back.
      client.release(failed);
    }
  }

  /** Also where there is no table yet, and one could be made. */
  async mayAppend(): Promise<boolean> {
    const { rows } = this.isThere
      ? await this.pool.query<{ may: boolean | null }>(this.sql.askMayInsert)
      : await this.pool.query<{ may: boolean | null }>(askMayMake, [this.schema]);
    return rows[0]?.may ?? false;
  }

  async remove({ month, identity }: Segment): Promise<void> {
    await this.pool.query(this.sql.removeMonth, [identity, month]).catch((error: unknown) => {
      if ((error as { code?: string }).code !== '42501') throw error;
    });
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

const table = 'keyway_checkpoints';
const firstGeneration = 1;
const linesAtOnce = 1_000;
const mostBytes = 1 << 20;

type Statements = ReturnType<typeof statementsFor>;

const askMayMake = `
  SELECT has_schema_privilege(to_regnamespace(quote_ident(coalesce($1, current_schema()))), 'CREATE') AS may`;
const readHorizon = 'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS "to"';

/** @param name of the table, with its schema where one is named */
const statementsFor = (name: string) => ({
  findTable: `SELECT to_regclass('${name.replaceAll("'", "''")}') IS NOT NULL AS there`,
  askMayInsert: `SELECT has_table_privilege('${name.replaceAll("'", "''")}', 'INSERT') AS may`,
  // By the number of its transaction a row is found however long that took, and whatever else was added meanwhile. Without
  // a month it says that its generation was begun.
  makeTable: `
    DO $$ BEGIN
      IF to_regclass('${name.replaceAll("'", "''")}') IS NULL THEN
        CREATE TABLE ${name} (
          number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          generation integer NOT NULL,
          month text NOT NULL,
          xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
          line text NOT NULL
        );
        CREATE INDEX ${table}_read ON ${name} (generation, month, xact, number);
        CREATE INDEX ${table}_begun ON ${name} (generation) WHERE month = '';
      END IF;
    END $$`,
  readBeginnings: `SELECT generation, line FROM ${name} WHERE month = '' ORDER BY generation DESC`,
  // From one month to the next by the index: there may be millions of rows.
  readMonths: `
    WITH RECURSIVE months AS (
      SELECT (SELECT min(month) FROM ${name} WHERE generation = $1::integer AND month > '') AS month
      UNION ALL
      SELECT (SELECT min(month) FROM ${name} WHERE generation = $1::integer AND month > months.month)
      FROM months WHERE month IS NOT NULL
    )
    SELECT month FROM months WHERE month IS NOT NULL ORDER BY month`,
  readRows: `
    SELECT l.xact::text AS xact, l.number::text AS number, line FROM ${name} l
    WHERE generation = $1::integer AND month = $2 AND (l.xact, l.number) > ($3::text::xid8, $4::bigint)
    ORDER BY l.xact, l.number LIMIT $5::integer`,
  addRows: `
    INSERT INTO ${name} (generation, month, line)
    SELECT $1::integer, $2, line FROM unnest($3::text[]) AS line,
      (SELECT CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'local', true) END)
        AS durable`,
  removeMonth: `DELETE FROM ${name} WHERE generation = $1::integer AND month = $2`,
});
