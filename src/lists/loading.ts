import DataLoader from 'dataloader';
import { perRequest, type RequestContext } from '../context.js';

const mostKeys = 1_000;

/**
 * A loader per request of one row for each id. What `fetch` does not bring, or the caller may not see, is null.
 * Its statements carry the request's scope, and it lives no longer than the request.
 */
export function loadOne<Row extends { id: string }>(
  fetch: (ctx: RequestContext, ids: readonly string[]) => Promise<Row[]>,
) {
  return perRequest(
    (ctx) =>
      new DataLoader<string, Row | null>(
        async (ids) => {
          const rows = new Map((await fetch(ctx, ids)).map((row) => [row.id, row]));
          return ids.map((id) => rows.get(id) ?? null);
        },
        { maxBatchSize: mostKeys },
      ),
  );
}

/** A loader per request of the rows that belong to each id, in the order in which `fetch` brings them. */
export function loadEach<Row extends { of: string }>(
  fetch: (ctx: RequestContext, ids: readonly string[]) => Promise<Row[]>,
) {
  return perRequest(
    (ctx) =>
      new DataLoader<string, Row[]>(
        async (ids) => {
          const groups = new Map<string, Row[]>(ids.map((id) => [id, []]));
          for (const row of await fetch(ctx, ids)) groups.get(row.of)?.push(row);
          return ids.map((id) => groups.get(id) ?? []);
        },
        { maxBatchSize: mostKeys },
      ),
  );
}

/**
 * A family of loaders per request, one for each shape of arguments: a list under each of many parents is one
 * statement, whatever the number of parents.
 * @param shape tells apart the arguments that need statements of their own.
 */
export function loadLists<Args, List>(
  shape: (args: Args) => string,
  fetch: (ctx: RequestContext, parents: readonly string[], args: Args) => Promise<List[]>,
) {
  const family = perRequest(() => new Map<string, DataLoader<string, List>>());
  return (ctx: RequestContext, parent: string, args: Args): Promise<List> => {
    const loaders = family(ctx);
    const key = shape(args);
    let loader = loaders.get(key);
    if (!loader) {
      loader = new DataLoader<string, List>((parents) => fetch(ctx, parents, args), {
        maxBatchSize: mostKeys,
      });
      loaders.set(key, loader);
    }
    return loader.load(parent);
  };
}
