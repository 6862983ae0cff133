// A DataLoader for each relation, made afresh for each request.
import DataLoader from 'dataloader';
import { In, type DataSource } from 'typeorm';
import { PlainAccount, PlainCredentialRole, PlainProject, PlainRole } from './tables.js';

export type PlainContext = { loaders: ReturnType<typeof makeLoaders> };

/** The loaders of one request. */
export function makeLoaders(db: DataSource) {
  const byId = <T extends { id: number }>(entity: new () => T) =>
    new DataLoader<number, T | null>(async (ids) => {
      const rows = await db.createQueryBuilder(entity, 'one').whereInIds(ids).getMany();
      const found = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => found.get(id) ?? null);
    });
  const role = byId(PlainRole);
  const roles = new DataLoader<number, PlainRole[]>(async (ids) => {
    const links = await db.getRepository(PlainCredentialRole).find({ where: { credentialId: In([...ids]) } });
    const found = await role.loadMany(links.map(({ roleId }) => roleId));
    const of = new Map<number, PlainRole[]>(ids.map((id) => [id, []]));
    links.forEach(({ credentialId }, at) => {
      const one = found[at];
      if (one instanceof PlainRole) of.get(credentialId)?.push(one);
    });
    return ids.map((id) => of.get(id) ?? []);
  });
  return { account: byId(PlainAccount), project: byId(PlainProject), roles };
}
