import DataLoader from 'dataloader';
import { perRequest, type RequestContext } from './context.js';
import type { Database } from './database/database.js';

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

const mostInFlight = 2;
const mostGathered = 200;

/**
 * Asks once for what requests ask for at the same time. What is shared is a statement, never an answer that came
 * before: a batch is sent after everything in it was asked for, and nothing of it is kept.
 * @param read answers keys in their order, with the scope that each carries in its SQL.
 */
export function gather<Key, Found>(
  read: (keys: readonly Key[]) => Promise<readonly Found[]>,
): (key: Key) => Promise<Found> {
  interface Asked {
    key: Key;
    resolve: (found: Found) => void;
    reject: (error: unknown) => void;
  }
  let waiting: Asked[] = [];
  let inFlight = 0;
  let planned = false;

  const plan = () => {
    if (planned || inFlight === mostInFlight || waiting.length === 0) return;
    planned = true;
    // After the requests that have come in with this turn of the event loop.
    setImmediate(() => {
      planned = false;
      void send();
    });
  };

  async function send(): Promise<void> {
    const batch = waiting.slice(0, mostGathered);
    waiting = waiting.slice(mostGathered);
    inFlight++;
    plan();
    try {
      const found = await read(batch.map(({ key }) => key));
      batch.forEach(({ resolve, reject }, index) => {
        const one = found[index];
        if (one === undefined) reject(new Error('a batch was answered in part'));
        else resolve(one);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      inFlight--;
      plan();
    }
  }

  return (key) =>
    new Promise<Found>((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      plan();
    });
}

/** Makes a thing on its first use with a database and gives the same one from then on. */
export function perDatabase<Thing>(make: (db: Database) => Thing): (db: Database) => Thing {
  const made = new WeakMap<Database, Thing>();
  return (db) => {
    const known = made.get(db);
    if (known !== undefined) return known;
    const thing = make(db);
    made.set(db, thing);
    return thing;
  };
}
