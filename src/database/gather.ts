import type { Database } from './database.js';

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

/**
 * The same with requests that have a database each: what one waits for here counts towards its limit, and a batch, which
 * is of many, has none.
 */
export function gatherOn<Key, Found>(
  read: (db: Database, keys: readonly Key[]) => Promise<readonly Found[]>,
): (db: Database, key: Key) => Promise<Found> {
  const gathering = new WeakMap<Database, (key: Key) => Promise<Found>>();
  return (db, key) => {
    const { unlimited } = db;
    const ask = gathering.get(unlimited) ?? gather((keys: readonly Key[]) => read(unlimited, keys));
    gathering.set(unlimited, ask);
    return db.during(() => ask(key));
  };
}
