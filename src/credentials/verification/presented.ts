import type { RequestContext } from '../../access/context.js';
import { askedFor, byKey, presentedBy, type PresentedKey } from '../../access/presented-key.js';
import { verifyScope } from '../../access/scope.js';
import { carriedRoles } from '../../access/works.js';
import type { Condition, Database } from '../../database/database.js';
import { gatherOn } from '../../database/gather.js';

/** A presented credential, as far as verification asks for it. */
export interface PresentedCredential extends PresentedKey {
  name: string;
  accessKey: string;
  roles: { id: string; name: string }[];
  passwordHash: string | null;
  pepperId: string | null;
  /** The credential whose limits its uses count for: itself, or what it was derived from. Null without limits. */
  limitedBy: string | null;
}

/**
 * The credentials with these access keys that the caller may verify: the live secrets of each, current ones first. One
 * statement, shared with those who ask at the same time with the same scope.
 * @param asked for each credential the spellings of its key, the likeliest first, and the project that it is to be in
 */
export async function presentedCredentials(
  ctx: RequestContext,
  asked: readonly Asked[],
): Promise<Map<string, PresentedCredential[]>> {
  if (!asked.some(({ keys }) => keys.length > 0)) return new Map();
  return lookups(ctx.db, { scope: verifyScope(ctx.principal), asked });
}

interface Asked {
  keys: readonly string[];
  project: string | null;
}

interface Lookup {
  scope: Condition;
  asked: readonly Asked[];
}

const lookups = gatherOn<Lookup, Map<string, PresentedCredential[]>>(async (db, asked) => {
  const batches = new Map<string, Lookup[]>();
  for (const lookup of asked) {
    const name = nameOf(lookup.scope);
    batches.set(name, [...(batches.get(name) ?? []), lookup]);
  }
  const found = new Map<Lookup, Map<string, PresentedCredential[]>>();
  await Promise.all(
    [...batches.values()].map(async (batch) => {
      const rows = await read(db, batch);
      for (const lookup of batch) found.set(lookup, rows);
    }),
  );
  return asked.map((lookup) => found.get(lookup) ?? new Map<string, PresentedCredential[]>());
});

/** Equal for equal scopes, and for no others: lookups of different callers never share a statement. */
const nameOf = ({ shape, parameters }: Condition) => (shape === 'all' ? shape : JSON.stringify(parameters));

async function read(db: Database, batch: readonly Lookup[]): Promise<Map<string, PresentedCredential[]>> {
  const scope = batch[0]?.scope;
  if (!scope) return new Map();
  const statement = db.statement(`presented:${scope.shape}`, () => presentedBy(scope.sql, columns));
  const asked = batch.flatMap((lookup) => lookup.asked);
  const lists = askedFor(
    asked.flatMap(({ keys: [key], project }) => (key === undefined ? [] : { key, project })),
    asked.flatMap(({ keys: [, ...spellings], project }) => spellings.map((key) => ({ key, project }))),
  );
  const rows = byKey(await db.rows<PresentedCredential>(statement, { ...scope.parameters, ...lists }));
  for (const versions of rows.values())
    versions.sort((one, other) => Number(one.previous) - Number(other.previous));
  return rows;
}

/** What verification asks for beyond what every presented credential is asked for. */
export const columns = {
  name: 'c.name',
  accessKey: 'c.access_key',
  roles: `(SELECT coalesce(json_agg(json_build_object('id', r.id, 'name', r.name) ORDER BY r.sort_name), '[]') FROM ${carriedRoles})`,
  passwordHash: 'v.password_hash',
  pepperId: 'v.pepper_id',
  limitedBy:
    '(SELECT l.credential_id FROM credential_limits l WHERE l.credential_id = coalesce(c.parent_id, c.id))',
};
