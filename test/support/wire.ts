import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import type { SharedServer } from './server.js';
import { asRequest } from './of-requests.js';
import { isCounted } from './statements.js';

type Query = (query: string | { text: string }, ...more: unknown[]) => unknown;
interface Client {
  query: Query;
}
type Connected = (error: unknown, client: Client, release: unknown) => void;
interface Pool {
  connect(done?: Connected): Promise<Client> | void;
}

/**
 * All that is sent to the database while something is done, BEGIN and COMMIT too, apart from what jobs look at again and
 * again. What they do now and then may be among it: so it is done several times, and what was fewest is told.
 */
export async function sentFor(server: SharedServer, work: () => Promise<unknown>): Promise<string[]> {
  let fewest: string[] | undefined;
  for (let count = 0; count < 5; count++) {
    const sent = await sentWhile(server, work);
    if (!fewest || sent.length < fewest.length) fewest = sent;
  }
  return fewest ?? [];
}

async function sentWhile(server: SharedServer, work: () => Promise<unknown>): Promise<string[]> {
  const pool = (server.db.source.driver as PostgresDriver).master as Pool;
  const connect = pool.connect.bind(pool);
  const sent: string[] = [];
  const restored: (() => void)[] = [];
  const heard = new Set<Client>();
  const hear = (client: Client) => {
    if (heard.has(client)) return client;
    heard.add(client);
    const { query } = client;
    client.query = (asked, ...more) => {
      const text = (typeof asked === 'string' ? asked : asked.text).replaceAll(/\s+/g, ' ').trim();
      if (isCounted(text)) sent.push(text);
      return query.call(client, asked, ...more);
    };
    restored.push(() => void (client.query = query));
    return client;
  };
  pool.connect = (done) => {
    if (!done) return (connect() as Promise<Client>).then(hear);
    return connect((error, client, release) => done(error, client && hear(client), release));
  };
  try {
    await asRequest(work);
    return sent;
  } finally {
    pool.connect = connect;
    for (const restore of restored) restore();
  }
}
