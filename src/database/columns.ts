import type { DataSource, ObjectLiteral, SelectQueryBuilder } from 'typeorm';

/**
 * A query for plain rows of an entity: each column under its property's name, without the cost of entities.
 * Columns that are not for selecting are left out.
 * @param leave properties whose columns are not wanted.
 */
export function selectRows(
  source: DataSource,
  entity: new () => ObjectLiteral,
  alias: string,
  leave: readonly string[] | ReadonlySet<string> = [],
): SelectQueryBuilder<ObjectLiteral> {
  const repository = source.getRepository(entity);
  const left = new Set(leave);
  const query = repository.createQueryBuilder(alias).select([]);
  for (const { propertyName, isSelect } of repository.metadata.columns) {
    if (isSelect && !left.has(propertyName)) query.addSelect(`${alias}.${propertyName}`, propertyName);
  }
  return query;
}

/** Which columns of a row are not read. */
export interface Columns {
  /** Tells apart the statements that read others. */
  readonly key: string;
  readonly leave: ReadonlySet<string>;
}

/** All that there are. */
export const allColumns: Columns = { key: '', leave: new Set() };

/** Columns that are read together, where a document asks for one of these fields. */
export interface ColumnGroup {
  readonly fields: readonly string[];
  readonly columns: readonly string[];
}

/**
 * Which columns a document needs, in few groups: reading a column and throwing it away costs a page as much as its
 * sorting, and statements that differ can neither be shared by requests nor kept prepared.
 * @returns by the names of all fields in the document, of whatever type; all columns where they are not known.
 */
export function columnsFor(
  groups: Readonly<Record<string, ColumnGroup>>,
): (asked: ReadonlySet<string> | undefined) => Columns {
  return (asked) => {
    if (!asked) return allColumns;
    const left = Object.entries(groups).filter(([, { fields }]) => !fields.some((field) => asked.has(field)));
    return {
      key: left.map(([name]) => `-${name}`).join(''),
      leave: new Set(left.flatMap(([, { columns }]) => columns)),
    };
  };
}

/**
 * A row as a field resolver is given it. Naming the entity itself would have TypeGraphQL copy the row into an instance
 * of it for every field: an eighth of the time that a list takes.
 */
export type Row<Entity> = Entity;
