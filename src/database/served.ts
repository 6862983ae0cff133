import { askServerItself, askWhetherThere, type PoolOptions } from './connect.js';
import type { Connections, Handing } from './connections.js';
import { DeadConnections } from './dead-connections.js';
import { Silence } from './silence.js';

/** A server of its own behind the database, and what is known of the connections to it. */
export interface Served<Client> {
  readonly connections: Connections;
  readonly silence: Silence<Client>;
  stop(): void;
}

/** Watches over the connections of a pool, which was made with these options, until it is stopped. */
export function watch<Client extends { end?(): Promise<unknown> }>(
  pool: Handing,
  connections: Connections,
  options: PoolOptions,
): Served<Client> {
  connections.watch(pool);
  const silence = new Silence<Client>(
    () => askWhetherThere(options),
    (client) => {
      connections.giveUp(client);
      // While it was silent it may have been replaced: those that nobody has would lead to the one of before.
      connections.dropIdle();
    },
    () => connections.answeredAtMs,
  );
  const dead = new DeadConnections(connections, (work) => askServerItself(options, work));
  return {
    connections,
    silence,
    stop: () => {
      silence.stop();
      dead.stop();
    },
  };
}
