import type { Answer, Door, TestServer } from '../support/server.js';

/** Sends so many requests at once that cost a point each, to each of these doors in turn. */
export const burst = (
  doors: readonly Door[],
  { token }: { token: string },
  count: number,
): Promise<Answer[]> =>
  Promise.all(
    Array.from({ length: count }, (_, index) => {
      const door = doors[index % doors.length] as Door;
      return door.ask('{ viewer { id } }', {}, { token });
    }),
  );

/** How many came out how: by the code of the error, or 200. */
export function codesOf(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code = '200' } of answers) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

/** Starts a server anew with these limits: what a test needs is made before, without any. */
export async function limited(server: TestServer, limits: string, more: Record<string, string> = {}) {
  Object.assign(server.environment, { KEYWAY_RATE_LIMITS: limits, ...more });
  // One has two hundred requests under way.
  server.environment['KEYWAY_REQUESTS_PER_CALLER'] = '1000';
  server.environment['KEYWAY_LIMITS'] = 'requests=2000';
  await server.restart(async () => undefined);
}

/** Does something that is about one window, again where it took so long that there may have been two. */
export async function inOneWindow(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    const began = performance.now();
    try {
      return await work();
    } catch (error) {
      if (performance.now() - began < 55_000 || tries === 3) throw error;
    }
  }
}
