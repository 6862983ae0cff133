import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../config/config.js';

/** The settings that an address to listen at comes from. */
export interface AddressSettings {
  readonly host: string;
  readonly port: string;
}

export const keywayAddress: AddressSettings = { host: 'HOST', port: 'PORT' };
export const metricsAddress: AddressSettings = { host: 'KEYWAY_METRICS_HOST', port: 'KEYWAY_METRICS_PORT' };

/**
 * Begins to listen.
 * @throws an Error to show, which names the setting, where the address is taken or not to be had.
 */
export async function listening<Server>(
  settings: AddressSettings,
  listen: () => Promise<Server>,
): Promise<Server> {
  try {
    return await listen();
  } catch (error) {
    const message = reasonOf((error as NodeJS.ErrnoException).code, settings);
    throw message === undefined ? error : new Error(message, { cause: error });
  }
}

/** Tries whether all addresses can be listened at, and leaves them. @throws as `listening` does. */
export async function expectFree({
  host,
  port,
  metrics,
}: Pick<Config, 'host' | 'port' | 'metrics'>): Promise<void> {
  await listening(keywayAddress, () => tryAddress(host, port));
  if (metrics) await listening(metricsAddress, () => tryAddress(metrics.host, metrics.port));
}

async function tryAddress(host: string, port: number): Promise<void> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

function reasonOf(code: string | undefined, { host, port }: AddressSettings): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `The address is taken: another program listens there. Set ${port}.`;
    case 'EACCES':
      return `The port is not one that Keyway may listen at. Set ${port}.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `The address is none of this machine. Set ${host}.`;
    default:
      return undefined;
  }
}
