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
  leave: readonly string[] = [],
): SelectQueryBuilder<ObjectLiteral> {
  const repository = source.getRepository(entity);
  const query = repository.createQueryBuilder(alias).select([]);
  for (const { propertyName, isSelect } of repository.metadata.columns) {
    if (isSelect && !leave.includes(propertyName)) query.addSelect(`${alias}.${propertyName}`, propertyName);
  }
  return query;
}

/**
 * A row as a field resolver is given it. Naming the entity itself would have TypeGraphQL copy the row into an instance
 * of it for every field: an eighth of the time that a list takes.
 */
export type Row<Entity> = Entity;
