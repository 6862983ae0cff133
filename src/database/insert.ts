import type { ObjectLiteral } from 'typeorm';
import type { Database } from './database.js';
import { afterEarlier, type Part } from './joined.js';

/**
 * The statement that puts rows into the table of an entity: what they leave out is left to its default.
 * @throws where they do not all have the same columns
 * @param returning SQL for what it brings of each row, which is called `c` there, under a name that tells it apart
 */
export function inserting<Entity extends ObjectLiteral>(
  db: Database,
  entity: new () => Entity,
  rows: readonly Partial<Entity>[],
  returning: Readonly<Record<string, (db: Database) => string>> = {},
): Part {
  const { tableName, columns } = db.source.getRepository(entity).metadata;
  const given = columns.filter(({ propertyName }) => rows[0]?.[propertyName] !== undefined);
  const names = given.map(({ databaseName }) => databaseName);
  const unlike = rows.some((row) =>
    columns.some((one) => (row[one.propertyName] !== undefined) !== given.includes(one)),
  );
  if (unlike) throw new Error('rows of one statement have the same columns');
  const key = `insert ${tableName} ${names.join()} ${Object.keys(returning).join()}`;
  const statement = db.statement(key, () => {
    const brought = Object.values(returning).map((columns) => columns(db));
    return `INSERT INTO ${tableName} AS c (${names.join(', ')})
    SELECT ${names.map((name) => `given.${name}`).join(', ')}
    FROM json_populate_recordset(CAST(NULL AS ${tableName}), CAST(:rows AS json)) given WHERE ${afterEarlier}
    ${brought.length > 0 ? `RETURNING ${brought.join(', ')}` : ''}`;
  });
  const asJson = rows.map((row) =>
    Object.fromEntries(
      given.map(({ databaseName, propertyName }) => [databaseName, inJson(row[propertyName])]),
    ),
  );
  return { statement, parameters: { rows: JSON.stringify(asJson) } };
}

const inJson = (value: unknown): unknown => (Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : value);
