import DataLoader from 'dataloader';
import { perRequest, type RequestContext } from '../access/context.js';
import { rowsById, type Shareable } from '../database/sharing.js';

const mostKeys = 1_000;

/**
 * What a loader asks: a statement with the parameter `ids`, and all that it is given besides, its caller's scope above all.
 */
type Ask = (ctx: RequestContext) => Shareable | Promise<Shareable>;

/**
 * A loader per request of one row for each id. What `ask` does not bring, or the caller may not see, is null.
 * It lives no longer than the request; its statements are shared with requests that ask at the same time. Values are as
 * JSON has them.
 */
export function loadOne<Type extends { id: string }>(ask: Ask) {
  return loader<Type, Type | null>(ask, 'id', ([row]) => row ?? null);
}

/** A family of such loaders, whose statements differ by what `By` says. */
export function loadOneBy<Type extends { id: string }, By>(ask: (ctx: RequestContext, by?: By) => Shareable) {
  const family = perRequest(() => new Map<By | undefined, DataLoader<string, Type | null>>());
  return (ctx: RequestContext, by?: By): DataLoader<string, Type | null> => {
    const loaders = family(ctx);
    const known = loaders.get(by) ?? loadOne<Type>((asking) => ask(asking, by))(ctx);
    loaders.set(by, known);
    return known;
  };
}

/** A loader per request of the rows that belong to each id, in the order in which `ask` brings them; otherwise the same. */
export function loadEach<Type extends { of: string }>(ask: Ask) {
  return loader<Type, Type[]>(ask, 'of', (rows) => [...rows]);
}

function loader<Type, Found>(ask: Ask, by: 'id' | 'of', found: (rows: readonly Type[]) => Found) {
  return perRequest(
    (ctx) =>
      new DataLoader<string, Found>(
        async (ids) => {
          const rows = await rowsById(ctx.db, { ...(await ask(ctx)), by }, ids);
          return rows.map((each) => found(each as readonly Type[]));
        },
        { maxBatchSize: mostKeys },
      ),
  );
}

/** What is asked for together, so that it can be one statement. Of several that fail, the first is told. */
export async function inOrder<Found extends readonly unknown[]>(asked: {
  [Index in keyof Found]: Promise<Found[Index]>;
}): Promise<Found> {
  await Promise.allSettled(asked);
  const found: unknown[] = [];
  for (const one of asked) found.push(await one);
  return found as unknown as Found;
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
