import { runKeyway, spawnKeyway, urlOf } from '../support/process.js';
import { doorTo, type Door, type TestServer } from '../support/server.js';

// What an operator does with an older state of the database.

/** Serves in a process of its own, which is killed as soon as `work` has its answers. */
export async function killedAfter(server: TestServer, work: (door: Door) => Promise<void>): Promise<void> {
  const spawned = spawnKeyway(['serve'], server.environment);
  try {
    await work(doorTo(await urlOf(spawned), server.adminToken));
  } finally {
    spawned.child.kill('SIGKILL');
    await spawned.ended;
  }
}

export const isReady = async (server: TestServer): Promise<boolean> =>
  (await fetch(`${server.url}/ready`)).status === 200;

export const accept = (server: TestServer, ...more: string[]) =>
  runKeyway(['restore', 'accept', ...more], server.environment);

/**
 * Loses all that `work` does with a Keyway that is killed then, and goes on with the state of before, once it is accepted.
 * @returns what the operator is told
 */
export async function lost(server: TestServer, work: (door: Door) => Promise<void>): Promise<string> {
  await server.pause();
  const putBack = await server.keepState();
  await killedAfter(server, work);
  await putBack();
  await server.restart();
  expect(await isReady(server)).toBe(false);
  await server.pause();
  const { code, output } = await accept(server);
  expect([code, output]).toEqual([0, expect.anything()]);
  await server.restart();
  expect(await isReady(server)).toBe(true);
  return output;
}
